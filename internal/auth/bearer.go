package auth

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"net/netip"
	"strings"

	"xinshu/internal/fault"
)

// bearerMark begins every bearer key, so that scanners for leaked secrets can find it.
const bearerMark = "xsk_"

// newID names a key: 80 random bits in small letters and digits.
func newID() string {
	b := make([]byte, 10)
	_, _ = rand.Read(b) // never fails, says its documentation
	return strings.ToLower(base32.StdEncoding.EncodeToString(b))
}

// Bearer gives the actor of a bearer key's text. Which part of it is wrong is not told.
func (s *Keys) Bearer(ctx context.Context, text string, from netip.Addr) (Actor, error) {
	wrong := &fault.Error{Op: "use a key", Code: fault.Unauthorized, Err: errors.New("there is no such key"), Hint: "send Authorization: Bearer and the key as it was shown when it was made"}
	rest, ok := strings.CutPrefix(text, bearerMark)
	id, secret, cut := strings.Cut(rest, "_")
	if !ok || !cut || len(id) != 16 || len(secret) != 43 {
		return Actor{}, wrong
	}
	k, hash, found, err := s.store.Key(ctx, id)
	if err != nil {
		return Actor{}, err
	}
	if !sameText(hash, hashOf(secret)) || !found || k.Kind != Bearer {
		return Actor{}, wrong
	}
	return s.actor(ctx, k, WayBearer, from)
}
