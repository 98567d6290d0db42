// Package vault owns the sealing of secrets that are kept in run state: connection passwords, signing
// secrets of clients, webhook keys. It refuses to keep anything itself and to print what it opens. Keys
// come from the config or from a file in the data folder; sealed text goes to run state, and is of no
// use to whoever has the database alone.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"xinshu/internal/fault"
)

// form is the version of the sealed text: form.key.payload.
const form = "xv1"

// Vault seals under its first key and opens with all of them. It may be used by several goroutines.
type Vault struct {
	again func() ([]Key, error) // reads the keys once more; nil where they cannot change under a running process

	mu   sync.RWMutex
	keys []Key
}

// New makes a vault of keys: the first seals, all open.
func New(keys ...Key) (*Vault, error) {
	if len(keys) == 0 {
		return nil, fault.Newf(fault.Invalid, "open the vault", "there is no key")
	}
	return &Vault{keys: slices.Clone(keys)}, nil
}

// Seal hides a secret that lies at a place, such as "connection/tax/password". The same text sealed
// twice differs; at another place it does not open, so that nobody can swap two secrets in the database.
func (v *Vault) Seal(place string, secret []byte) (string, error) {
	k := v.first()
	gcm, err := k.gcm()
	if err != nil {
		return "", err
	}
	nonce := make([]byte, gcm.NonceSize(), gcm.NonceSize()+len(secret)+gcm.Overhead())
	_, _ = rand.Read(nonce) // never fails, says its documentation
	sealed := gcm.Seal(nonce, nonce, secret, bound(k.ID(), place))
	return form + "." + k.ID() + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open gives back what was sealed at a place.
func (v *Vault) Open(place, sealed string) ([]byte, error) {
	const op = "open a sealed secret"
	version, rest, _ := strings.Cut(sealed, ".")
	id, payload, ok := strings.Cut(rest, ".")
	body, err := base64.RawURLEncoding.DecodeString(payload)
	if version != form || !ok || err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Internal, Err: fmt.Errorf("%s does not hold sealed text", place), Hint: "restore it from a backup, or enter the secret again"}
	}
	k, err := v.key(id)
	if err != nil {
		return nil, err
	}
	gcm, err := k.gcm()
	if err != nil {
		return nil, err
	}
	if len(body) < gcm.NonceSize() {
		return nil, &fault.Error{Op: op, Code: fault.Internal, Err: fmt.Errorf("%s is cut short", place), Hint: "restore it from a backup, or enter the secret again"}
	}
	secret, err := gcm.Open(nil, body[:gcm.NonceSize()], body[gcm.NonceSize():], bound(id, place))
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Internal, Err: fmt.Errorf("%s was changed, or belongs to another place", place), Hint: "restore it from a backup, or enter the secret again"}
	}
	return secret, nil
}

// Current says whether sealed text was sealed under the first key.
func (v *Vault) Current(sealed string) bool { return KeyOf(sealed) == v.first().ID() }

// KeyOf gives the id of the key that sealed a text; empty when it is none.
func KeyOf(sealed string) string {
	parts := strings.Split(sealed, ".")
	if len(parts) != 3 || parts[0] != form {
		return ""
	}
	return parts[1]
}

// Sign gives a code over a statement that only a holder of the key can make, with the key's id.
func (v *Vault) Sign(statement []byte) string {
	k := v.first()
	return k.ID() + "." + base64.RawURLEncoding.EncodeToString(k.sign(statement))
}

// Signed says whether a code was made by Sign over this statement; an error when its key is not at hand.
func (v *Vault) Signed(statement []byte, code string) (bool, error) {
	id, payload, _ := strings.Cut(code, ".")
	mac, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return false, nil //nolint:nilerr // what is no code was not made by Sign
	}
	k, err := v.key(id)
	if err != nil {
		return false, err
	}
	return hmac.Equal(mac, k.sign(statement)), nil
}

func (v *Vault) first() Key {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.keys[0]
}

// key finds a key by its id. One that is not known may have been added while this process ran.
func (v *Vault) key(id string) (Key, error) {
	for range 2 {
		v.mu.RLock()
		at := slices.IndexFunc(v.keys, func(k Key) bool { return k.ID() == id })
		var k Key
		if at >= 0 {
			k = v.keys[at]
		}
		v.mu.RUnlock()
		if at >= 0 {
			return k, nil
		}
		if v.again == nil {
			break
		}
		keys, err := v.again()
		if err != nil {
			return Key{}, err
		}
		v.mu.Lock()
		v.keys = keys
		v.mu.Unlock()
	}
	return Key{}, &fault.Error{Op: "open a sealed secret", Code: fault.Invalid, Err: fmt.Errorf("it was sealed under key %s, which this hub does not have", clip(id)),
		Hint: "give that key in vault.old_keys, or put back the vault.key of the data folder it was made in; every node needs the same keys"}
}

func clip(id string) string { return id[:min(len(id), 16)] }

// bound is what a seal is tied to.
func bound(keyID, place string) []byte { return []byte(form + "\n" + keyID + "\n" + place) }

// Key is one key of the vault. It prints as ***.
type Key struct{ secret [32]byte }

// ID names a key without telling it.
func (k Key) ID() string {
	sum := sha256.Sum256(append([]byte("xinshu vault key id\n"), k.secret[:]...))
	return fmt.Sprintf("%x", sum[:4])
}

// String hides the key from every print and log.
func (k Key) String() string { return "***" }

// GoString hides it from %#v too.
func (k Key) GoString() string { return "***" }

func (k Key) gcm() (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.derive("seal"))
	if err != nil {
		return nil, fault.Newf(fault.Internal, "open the vault", "%w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fault.Newf(fault.Internal, "open the vault", "%w", err)
	}
	return gcm, nil
}

func (k Key) sign(statement []byte) []byte {
	mac := hmac.New(sha256.New, k.derive("sign"))
	mac.Write(statement)
	return mac.Sum(nil)
}

// derive gives each use a key of its own.
func (k Key) derive(use string) []byte {
	mac := hmac.New(sha256.New, k.secret[:])
	mac.Write([]byte("xinshu vault\n" + use))
	return mac.Sum(nil)
}

// NewKey makes a key and its text.
func NewKey() (Key, string) {
	var k Key
	_, _ = rand.Read(k.secret[:]) // never fails, says its documentation
	return k, base64.StdEncoding.EncodeToString(k.secret[:])
}

// ParseKey reads the text of a key: 32 bytes in Base64, as `xinshu vault key` prints them.
func ParseKey(text string) (Key, error) {
	var k Key
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(b) != len(k.secret) {
		return k, errors.New("is no vault key; make one with xinshu vault key")
	}
	copy(k.secret[:], b)
	return k, nil
}
