package restapi

import (
	"context"
	"crypto/aes"
	"crypto/sha1" //nolint:gosec // the platform derives its key with it
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// renewBefore is how long before its end a working secret is replaced, so that no call is under way
// when it ends.
const renewBefore = time.Minute

// signer gives each try of a call its headers, with a secret that still holds.
type signer struct {
	profile profile
	id      string
	key     string // the secret itself, or the application key it is fetched with
	refresh *refresher
	clock   clock

	mu     sync.Mutex
	secret string
	until  time.Time // zero: until the platform refuses it
}

type refresher struct {
	client           *client
	url, sid, derive string
}

// headers signs one try.
func (s *signer) headers(ctx context.Context, sid string) (map[string]string, error) {
	secret := s.key
	if s.refresh != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.secret == "" || !s.until.IsZero() && !s.clock.now().Before(s.until.Add(-renewBefore)) {
			if _, err := s.fetch(ctx, sid); err != nil {
				return nil, err
			}
		}
		secret = s.secret
	}
	return s.profile.sign(s.id, sid, secret, nonce(), s.clock.now()), nil
}

// renew fetches a working secret, whatever there was.
func (s *signer) renew(ctx context.Context, sid string) (until time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetch(ctx, sid)
}

// refused forgets a working secret that the platform no longer takes; false where there is nothing
// to renew.
func (s *signer) refused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = ""
	return s.refresh != nil
}

func (s *signer) fetch(ctx context.Context, sid string) (time.Time, error) {
	const op = "refresh the working secret"
	r := s.refresh
	if r.sid != "" {
		sid = r.sid
	}
	headers := s.profile.sign(s.id, sid, s.key, nonce(), s.clock.now())
	body, err := json.Marshal(headers) // the four values are sent as members of the body too
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", op, err)
	}
	answer, err := r.client.retry(ctx, request{op: op, method: "POST", url: r.url, body: body},
		func() (map[string]string, error) { return headers, nil })
	if err != nil {
		return time.Time{}, err
	}
	sealed, err := member(answer, "data.secret")
	if err != nil || sealed == "" {
		return time.Time{}, fault.Newf(fault.Invalid, op, "the answer holds no data.secret")
	}
	secret, err := unseal(r.derive, s.key, sealed)
	if err != nil {
		return time.Time{}, &fault.Error{Op: op, Code: fault.Unauthorized, Hint: "check the appkey and the setting derive", Err: err}
	}
	end, _ := member(answer, "data.secretEndTime")
	until, err := parseEnd(end)
	if err != nil {
		return time.Time{}, &fault.Error{Op: op, Code: fault.Invalid, Err: err}
	}
	s.secret, s.until = secret, until
	return until, nil
}

// parseEnd reads secretEndTime: epoch milliseconds or a Shanghai wall time. Empty is zero.
func parseEnd(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms), nil
	}
	if t, err := time.ParseInLocation(time.DateTime, text, connectors.Shanghai); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("secretEndTime %.40q is neither milliseconds nor a date and time", text)
}

var errUnseal = errors.New("the working secret does not decrypt")

// unseal decrypts AES/ECB/PKCS5 in Base64, as Java's Cipher.getInstance("AES") makes it (facts.md 4.1).
func unseal(derive, appKey, sealed string) (string, error) {
	if derive == "none" {
		return sealed, nil
	}
	key := []byte(appKey)
	if derive == "sha1prng" {
		key = sha1prng(key)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", fmt.Errorf("the appkey is no AES key: %d bytes instead of 16, 24 or 32", len(key))
	}
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(text) == 0 || len(text)%aes.BlockSize != 0 {
		return "", errUnseal
	}
	for i := 0; i < len(text); i += aes.BlockSize {
		block.Decrypt(text[i:i+aes.BlockSize], text[i:i+aes.BlockSize])
	}
	pad := int(text[len(text)-1])
	if pad < 1 || pad > aes.BlockSize {
		return "", errUnseal
	}
	for _, c := range text[len(text)-pad:] {
		if int(c) != pad {
			return "", errUnseal
		}
	}
	return string(text[:len(text)-pad]), nil
}

// sha1prng is the 128-bit key of Java's KeyGenerator("AES") seeded by SHA1PRNG(seed).
func sha1prng(seed []byte) []byte {
	once := sha1.Sum(seed)     //nolint:gosec // see the import
	twice := sha1.Sum(once[:]) //nolint:gosec // see the import
	return twice[:16]
}
