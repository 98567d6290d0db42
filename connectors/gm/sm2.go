package gm

import (
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"math/big"

	"github.com/tjfoc/gmsm/sm2"
)

// UserID is what GB/T 32918 lets both sides use when they agreed on no other.
const UserID = "1234567812345678"

// Order is how the parts of an SM2 sealed text follow one another: C1 the point, C2 the text, C3 the hash.
type Order int

// The orders in use: C1C3C2 is the standard of 2016, C1C2C3 the draft that older platforms kept, ASN1
// the sequence of GM/T 0009 that openssl writes.
const (
	C1C3C2 Order = iota
	C1C2C3
	ASN1
)

// Form is how a signature is written.
type Form int

// DER is the ASN.1 sequence of r and s; Raw is r and s as 32 bytes each, one after the other.
const (
	DER Form = iota
	Raw
)

const half = 32 // bytes of a number on the curve

type signature struct{ R, S *big.Int }

// Sign makes an SM2 signature with SM3 over the message. An empty user id is UserID.
func (k *PrivateKey) Sign(message []byte, userID string, form Form) ([]byte, error) {
	r, s, err := sm2.Sm2Sign(k.key, message, uid(userID), rand.Reader)
	if err != nil {
		return nil, err
	}
	if form == DER {
		return asn1.Marshal(signature{r, s})
	}
	out := make([]byte, 2*half)
	r.FillBytes(out[:half])
	s.FillBytes(out[half:])
	return out, nil
}

// Verify says whether the signature, DER or raw, is this key's over the message.
func (k *PublicKey) Verify(message []byte, userID string, sig []byte) bool {
	var both signature
	if len(sig) == 2*half {
		both = signature{new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:])}
	} else if rest, err := asn1.Unmarshal(sig, &both); err != nil || len(rest) > 0 {
		return false
	}
	return sm2.Sm2Verify(k.key, message, uid(userID), both.R, both.S)
}

func uid(id string) []byte {
	if id == "" {
		id = UserID
	}
	return []byte(id)
}

// Seal encrypts a text, which may not be empty: the scheme has no form for that, and the library
// would search for one without end.
func (k *PublicKey) Seal(text []byte, order Order) ([]byte, error) {
	if len(text) == 0 {
		return nil, errors.New("SM2 seals no empty text")
	}
	if order == ASN1 {
		return sm2.EncryptAsn1(k.key, text, rand.Reader)
	}
	return sm2.Encrypt(k.key, text, rand.Reader, modes[order])
}

var modes = map[Order]int{C1C3C2: sm2.C1C3C2, C1C2C3: sm2.C1C2C3}

type sequence struct {
	X, Y *big.Int
	Hash []byte
	Text []byte
}

// plain writes a sequence as C1C3C2.
func (q sequence) plain() []byte {
	if q.X.Sign() < 0 || q.Y.Sign() < 0 || q.X.BitLen() > 8*half || q.Y.BitLen() > 8*half || len(q.Hash) != half {
		return nil
	}
	out := make([]byte, 1+2*half, 1+3*half+len(q.Text))
	out[0] = 4
	q.X.FillBytes(out[1 : 1+half])
	q.Y.FillBytes(out[1+half:])
	return append(append(out, q.Hash...), q.Text...)
}

// Open decrypts. The point is looked at first: one that is not on the curve would give away the key.
// The leading 04 may be missing, as some platforms leave it out.
func (k *PrivateKey) Open(sealed []byte, order Order) ([]byte, error) {
	if order == ASN1 {
		var q sequence
		if rest, err := asn1.Unmarshal(sealed, &q); err != nil || len(rest) > 0 {
			return nil, ErrSealed
		}
		sealed, order = q.plain(), C1C3C2
	} else if !onCurve(sealed) {
		sealed = append([]byte{4}, sealed...)
	}
	if !onCurve(sealed) {
		return nil, ErrSealed
	}
	text, err := sm2.Decrypt(k.key, sealed, modes[order])
	if err != nil {
		return nil, ErrSealed
	}
	return text, nil
}

// onCurve looks at 04 x y, behind which 32 bytes of hash and at least one of text must stand.
func onCurve(sealed []byte) bool {
	if len(sealed) <= 1+3*half || sealed[0] != 4 {
		return false
	}
	return validPoint(sealed[1 : 1+2*half])
}

func validPoint(xy []byte) bool {
	curve := sm2.P256Sm2()
	x, y := new(big.Int).SetBytes(xy[:half]), new(big.Int).SetBytes(xy[half:])
	p := curve.Params().P
	return x.Cmp(p) < 0 && y.Cmp(p) < 0 && curve.IsOnCurve(x, y) //nolint:staticcheck // the library's curve has no other face
}
