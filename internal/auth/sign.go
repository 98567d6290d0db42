package auth

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"xinshu/internal/fault"
)

// The headers of a signed request. Authorization says `XINSHU-HMAC-SHA256 ` and the key's id; the times,
// nonces and digests are written as in posts to the hub's own door.
const (
	SignScheme      = "XINSHU-HMAC-SHA256"
	HeaderTime      = "X-Timestamp" // epoch milliseconds
	HeaderNonce     = "X-Nonce"     // 8 to 64 characters, never used before
	HeaderDigest    = "X-Digest"    // SHA-256 of the body, hex
	HeaderSignature = "X-Signature" // HMAC-SHA256 of the statement, hex
)

const (
	signWindow = 5 * time.Minute // how far a client's clock may be off
	maxSigned  = 8 << 20         // a signed body is held until its digest was seen
)

// Statement is what is signed: all that decides what becomes of a request, each on its own line. Path and
// query are as they stand in the request line.
func Statement(method, path, query, at, nonce, digest string) []byte {
	return []byte(strings.Join([]string{"xinshu-request-1", method, path, query, at, nonce, digest}, "\n"))
}

// Sign signs a request with its body, as a client does.
func Sign(r *http.Request, body []byte, key, secret, nonce string, now time.Time) {
	sum := sha256.Sum256(body)
	digest, at := hex.EncodeToString(sum[:]), strconv.FormatInt(now.UnixMilli(), 10)
	r.Header.Set("Authorization", SignScheme+" "+key)
	r.Header.Set(HeaderTime, at)
	r.Header.Set(HeaderNonce, nonce)
	r.Header.Set(HeaderDigest, digest)
	r.Header.Set(HeaderSignature, hex.EncodeToString(signature(secret, Statement(r.Method, r.URL.EscapedPath(), r.URL.RawQuery, at, nonce, digest))))
}

func signature(secret string, statement []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(statement)
	return mac.Sum(nil)
}

func notSigned(why string) error {
	return &fault.Error{Op: "use a signed request", Code: fault.Unauthorized, Err: errors.New(why), Hint: "see the part on signing in the API's description"}
}

// Signed gives the actor of a signed request, and puts a body in the request whose digest was seen. What
// can be looked at before a byte of the body is read is looked at first. Whether a key exists is not told.
func (s *Keys) Signed(ctx context.Context, r *http.Request, id string, from netip.Addr) (Actor, error) {
	get := r.Header.Get
	at, nonce, digest := get(HeaderTime), get(HeaderNonce), strings.ToLower(get(HeaderDigest))
	ms, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return Actor{}, notSigned(HeaderTime + " is no time in milliseconds")
	}
	if d := s.now().Sub(time.UnixMilli(ms)); d > signWindow || d < -signWindow {
		return Actor{}, notSigned("the time of the request is more than 5 minutes from the hub's, which is " + strconv.FormatInt(s.now().UnixMilli(), 10))
	}
	if len(nonce) < 8 || len(nonce) > 64 {
		return Actor{}, notSigned(HeaderNonce + " has 8 to 64 characters")
	}
	k, err := s.signer(ctx, r, id, Statement(r.Method, r.URL.EscapedPath(), r.URL.RawQuery, at, nonce, digest))
	if err != nil {
		return Actor{}, err
	}
	actor, err := s.actor(ctx, k, WaySignature, from)
	if err != nil {
		return Actor{}, err
	}
	fresh, err := s.store.Nonce(ctx, k.place(), nonce, 2*signWindow+time.Minute)
	if err != nil {
		return Actor{}, err
	}
	if !fresh {
		return Actor{}, notSigned("the nonce was used before")
	}
	return actor, readSigned(r, digest)
}

// signer gives the key that made a request's signature.
func (s *Keys) signer(ctx context.Context, r *http.Request, id string, statement []byte) (Key, error) {
	wrong := notSigned("the signature does not fit, or there is no such key")
	given, err := hex.DecodeString(r.Header.Get(HeaderSignature))
	if err != nil || len(id) != 16 {
		return Key{}, wrong
	}
	k, _, found, err := s.store.Key(ctx, id)
	if err != nil {
		return k, err
	}
	if !found || k.Kind != Signed {
		_ = hmac.Equal(given, signature(bearerMark, statement)) // as much work as a known key takes
		return k, wrong
	}
	sealed, found, err := s.secrets.Secret(ctx, k.place())
	if err != nil {
		return k, err
	}
	if !found { // revoked
		return k, wrong
	}
	secret, err := s.vault.Open(k.place(), sealed)
	if err != nil {
		return k, err
	}
	if !hmac.Equal(given, signature(string(secret), statement)) {
		return k, wrong
	}
	return k, nil
}

// readSigned brings in the body and holds it against the digest that was signed.
func readSigned(r *http.Request, digest string) error {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, maxSigned+1)); err != nil {
			return &fault.Error{Op: "read the body", Code: fault.Invalid, Err: errors.New("it did not come to its end")}
		}
	}
	if len(body) > maxSigned {
		return fault.Newf(fault.Invalid, "read the body", "a signed body has at most %d MB", maxSigned>>20)
	}
	if sum := sha256.Sum256(body); !sameText(hex.EncodeToString(sum[:]), digest) {
		return notSigned("the body is not the one whose digest was signed")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}
