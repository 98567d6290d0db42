package restapi

import (
	"context"
	"sync"
	"time"
)

// renewBefore is how long before its end a working secret is replaced, so that no call is under way
// when it ends.
const renewBefore = time.Minute

// keeper fetches what calls are signed with, where that is not the secret itself.
type keeper interface {
	// fetch gives a secret and when it ends; zero: when the platform refuses it.
	fetch(ctx context.Context, sid string) (secret string, until time.Time, err error)
	// probe says with which service id the connection is tested, and whether it can be.
	probe() (sid string, ok bool)
}

// signer gives each try of a call its signature, with a secret that still holds.
type signer struct {
	profile profile
	id      string
	key     string // the secret itself, where nothing is fetched
	keeper  keeper
	clock   clock

	mu     sync.Mutex
	secret string
	until  time.Time // zero: until the platform refuses it
}

// call signs one try.
func (s *signer) call(ctx context.Context, sid string) (signedCall, error) {
	secret := s.key
	if s.keeper != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.secret == "" || !s.until.IsZero() && !s.clock.now().Before(s.until.Add(-renewBefore)) {
			if err := s.fetch(ctx, sid); err != nil {
				return signedCall{}, err
			}
		}
		secret = s.secret
	}
	return s.profile.call(s.id, sid, secret, nonce(), s.clock.now()), nil
}

// renew fetches a working secret, whatever there was.
func (s *signer) renew(ctx context.Context, sid string) (until time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.fetch(ctx, sid)
	return s.until, err
}

func (s *signer) fetch(ctx context.Context, sid string) error {
	secret, until, err := s.keeper.fetch(ctx, sid)
	if err != nil {
		return err
	}
	s.secret, s.until = secret, until
	return nil
}

// refused forgets a working secret that the platform no longer takes; false where there is nothing
// to renew.
func (s *signer) refused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = ""
	return s.keeper != nil
}
