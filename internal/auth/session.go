package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"xinshu/internal/fault"
)

// Session is a browser that somebody signed in with. The token itself is only in the browser.
type Session struct {
	Hash    string // of the token
	User    string
	Way     string // WaySession, or WayOldPassword
	Address string
	Agent   string // what the browser says it is
	Created time.Time
	Seen    time.Time
}

// The ways in which an actor proved who it is.
const (
	WaySession     = "session"
	WayOldPassword = "old_password" // a session that may only change a password grown too old
	WayBearer      = "bearer"
	WaySignature   = "signature"
	WayShell       = "shell" // the command line of the installation
)

// newToken makes 256 random bits as text.
func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails, says its documentation
	return base64.RawURLEncoding.EncodeToString(b)
}

// hashOf is what is stored of a token. Tokens are random, so a plain hash cannot be guessed back.
func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// CSRF gives the token that every form of a session carries: whoever has not the session's cookie cannot
// make it.
func CSRF(token string) string {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("xinshu csrf"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func sameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// open begins a session for a user who has just proved who it is; always under a new token.
func (a *Accounts) open(ctx context.Context, u User, way, address, agent string) (string, error) {
	token, now := newToken(), a.now()
	s := Session{Hash: hashOf(token), User: u.Name, Way: way, Address: address, Agent: clipText(agent, 200), Created: now, Seen: now}
	if err := a.store.AddSession(ctx, s); err != nil {
		return "", err
	}
	if err := a.store.EndOldSessions(ctx, now.Add(-a.rules.Idle), now.Add(-a.rules.Longest)); err != nil {
		return "", err
	}
	return token, a.store.UserSeen(ctx, u.Name)
}

// clipText keeps the head of what a stranger says, without control characters.
func clipText(s string, most int) string {
	return strings.Map(func(c rune) rune {
		if isControl(c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s[:min(len(s), most)], ""))
}

// BySession gives the actor of a session's token.
func (a *Accounts) BySession(ctx context.Context, token, address string) (Actor, error) {
	ended := &fault.Error{Op: "go on with a session", Code: fault.Unauthorized, Err: errors.New("the session has ended"), Hint: "sign in again"}
	if len(token) != 43 { // 32 bytes in Base64
		return Actor{}, ended
	}
	s, u, found, err := a.store.Session(ctx, hashOf(token))
	now := a.now()
	switch {
	case err != nil:
		return Actor{}, err
	case !found, !u.InForce(now), now.Sub(s.Seen) >= a.rules.Idle, now.Sub(s.Created) >= a.rules.Longest:
		return Actor{}, ended
	}
	if now.Sub(s.Seen) >= time.Minute { // a page has many requests; one a minute is written
		if err := a.store.SessionSeen(ctx, s.Hash); err != nil {
			return Actor{}, err
		}
	}
	actor := u.Actor(WaySession, address)
	if s.Way == WayOldPassword {
		actor.Only = []Right{}
	}
	return actor, nil
}

// Sessions lists where a user is signed in, the last seen first.
func (a *Accounts) Sessions(ctx context.Context, name string) ([]Session, error) {
	return a.store.Sessions(ctx, name)
}

// SignOut ends the session of a token.
func (a *Accounts) SignOut(ctx context.Context, token string) error {
	if err := a.record(ctx, Act{Action: "sign_out", Kind: "user", ID: From(ctx).ID}); err != nil {
		return err
	}
	return a.store.EndSession(ctx, hashOf(token))
}

// SignOutEverywhere ends all sessions of a user, except the one whose token is given.
func (a *Accounts) SignOutEverywhere(ctx context.Context, name, except string) error {
	if err := a.record(ctx, Act{Action: "sign_out_everywhere", Kind: "user", ID: name}); err != nil {
		return err
	}
	if except != "" {
		except = hashOf(except)
	}
	return a.store.EndSessions(ctx, name, except)
}
