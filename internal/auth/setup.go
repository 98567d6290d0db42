package auth

import (
	"context"
	"errors"

	"strings"
	"time"

	"xinshu/internal/fault"
)

// SetupFor is how long a set-up token is good.
const SetupFor = 24 * time.Hour

// Empty says that nobody has an account yet, so that the hub waits for its first administrator.
func (a *Accounts) Empty(ctx context.Context) (bool, error) {
	some, err := a.store.HasUsers(ctx)
	return !some, err
}

// SetupToken makes a token with which the first administrator is made; it is shown to whoever started
// the hub and to nobody else. Only its hash is kept.
func (a *Accounts) SetupToken(ctx context.Context) (string, error) {
	token := newToken()
	return token, a.store.AddSetupToken(ctx, hashOf(token), a.now().Add(SetupFor))
}

// SetUp makes the first administrator and begins a session for them.
func (a *Accounts) SetUp(ctx context.Context, token, name, title, password, address, agent string) (session string, err error) {
	u := User{Name: strings.ToLower(strings.TrimSpace(name)), Title: title, Roles: []Role{Administrator}, Created: a.now(), Version: 1}
	if err := errors.Join(u.check(), badPassword(u, password)); err != nil {
		return "", err
	}
	hash, err := a.hash(ctx, password)
	if err != nil {
		return "", err
	}
	ctx = With(ctx, u.Actor(WaySession, address))
	if err := a.store.AddFirstUser(ctx, u, hash, hashOf(strings.TrimSpace(token))); err != nil {
		if fault.Is(err, fault.Unauthorized) {
			refused := Act{Action: "setup", Kind: "user", Outcome: Refused}
			err = errors.Join(err, a.record(With(ctx, Actor{Way: WaySession, Address: address}), refused))
		}
		return "", err
	}
	if err := a.record(ctx, Act{Action: "setup", Kind: "user", ID: u.Name, Detail: grantDetail(u.Roles, u.Scope, u.From, u.Until)}); err != nil {
		return "", err
	}
	return a.open(ctx, u, WaySession, address, agent)
}
