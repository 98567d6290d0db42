package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"xinshu/internal/fault"
)

const (
	anyNumber       = 1 << 40
	temporaryFor    = 24 * time.Hour // a password that somebody else set
	addressFailures = 50             // an office of many people may have one address
	longestWait     = 30 * time.Minute
)

// subjectOf is how failures of a name are counted. People type passwords into the field of the name, so
// the name itself is not kept.
func subjectOf(name string) string {
	sum := sha256.Sum256([]byte("xinshu sign-in\n" + strings.ToLower(name)))
	return "user:" + hex.EncodeToString(sum[:16])
}

// subjectAt counts an address; of IPv6 the network, since one host has as many addresses as it likes.
func subjectAt(address string) string {
	if a, err := netip.ParseAddr(address); err == nil && a.Is6() && !a.Is4In6() {
		p, _ := a.Prefix(64) // of an IPv6 address always good
		return "at:" + p.Masked().String()
	}
	return "at:" + address
}

// wait says for how long so many failures shut a subject: a minute, then twice as long each time.
func (a *Accounts) wait(subject string, failures int64) time.Duration {
	limit := a.rules.Failures
	if strings.HasPrefix(subject, "at:") {
		limit = max(addressFailures, limit)
	}
	if failures < limit {
		return 0
	}
	return min(time.Minute<<min(failures-limit, 10), longestWait)
}

// TooSoon says when the next attempt is taken.
type TooSoon struct{ After time.Duration }

func (e *TooSoon) Error() string {
	return fmt.Sprintf("too many attempts; the next is taken in %d s", int64((e.After+time.Second-1)/time.Second))
}

// SignIn begins a session for a name and its password, and gives its token. Whether it is the name or
// the password that is wrong, whether the account is disabled or its term over, is not told and takes the
// same time. The attempt counts before the password is looked at: guesses made at once gain nothing.
func (a *Accounts) SignIn(ctx context.Context, name, password, address, agent string) (token string, err error) {
	const op = "sign in"
	name = strings.ToLower(strings.TrimSpace(name))
	ctx = With(ctx, Actor{Way: WaySession, Address: address})
	subjects := []string{subjectOf(name), subjectAt(address)}
	shut, err := a.store.Fail(ctx, subjects, a.wait)
	if err != nil {
		return "", err
	}
	if left := shut.Sub(a.now()); left > 0 {
		// The failures that shut it are in the trail; a flood of attempts behind them is not to fill it.
		return "", &fault.Error{Op: op, Code: fault.TooMany, Err: &TooSoon{left}, Hint: "wait, or have an administrator unlock the account"}
	}
	u, right, reason, err := a.prove(ctx, name, password)
	if err != nil {
		return "", err
	}
	if !right {
		if err := a.refuse(ctx, name, reason); err != nil {
			return "", err
		}
		return "", &fault.Error{Op: op, Code: fault.Unauthorized, Err: errors.New("name or password is not right"), Hint: "try again; after several failures the account is shut for a while"}
	}
	way, err := a.renew(ctx, u, password)
	if err != nil {
		return "", err
	}
	if err := errors.Join(a.store.Forgive(ctx, subjects[0], anyNumber), a.store.Forgive(ctx, subjects[1], 1)); err != nil {
		return "", err
	}
	if err := a.record(With(ctx, u.Actor(WaySession, address)), Act{Action: "sign_in", Kind: "user", ID: u.Name}); err != nil {
		return "", err
	}
	return a.open(ctx, u, way, address, agent)
}

// refuse records a refused attempt. Only a name that exists is written down.
func (a *Accounts) refuse(ctx context.Context, name, reason string) error {
	if _, found, err := a.store.User(ctx, name); err != nil || !found {
		name = ""
	}
	return a.record(ctx, Act{Action: "sign_in", Kind: "user", ID: name, Outcome: Refused, Detail: map[string]string{"reason": reason}})
}

// prove looks at a password. One hash is made whatever the name.
func (a *Accounts) prove(ctx context.Context, name, password string) (u User, right bool, reason string, err error) {
	u, found, err := a.store.User(ctx, name)
	if err != nil {
		return u, false, "", err
	}
	hashes, set, err := a.store.Passwords(ctx, name)
	if err != nil {
		return u, false, "", err
	}
	stored, known := a.decoy(), found && len(hashes) > 0
	if known {
		stored = hashes[0]
	}
	same, err := a.same(ctx, stored, password)
	now := a.now()
	switch {
	case err != nil:
		return u, false, "", err
	case !known:
		return u, false, "no such account", nil
	case !same:
		return u, false, "wrong password", nil
	case !u.InForce(now):
		return u, false, "disabled or out of its term", nil
	case u.MustChange && now.Sub(set) >= temporaryFor:
		return u, false, "the temporary password is out of its term", nil
	}
	return u, true, "", nil
}

// renew stores a right password under today's cost, and says whether it has grown too old.
func (a *Accounts) renew(ctx context.Context, u User, password string) (way string, err error) {
	hashes, set, err := a.store.Passwords(ctx, u.Name)
	if err != nil || len(hashes) == 0 {
		return WaySession, err
	}
	if costOf(hashes[0]) != a.rules.Cost {
		hash, err := a.hash(ctx, password)
		if err != nil {
			return "", err
		}
		if err := a.store.RenewHash(ctx, u.Name, hashes[0], hash); err != nil {
			return "", err
		}
	}
	if a.rules.PasswordAge > 0 && a.now().Sub(set) >= a.rules.PasswordAge {
		return WayOldPassword, nil
	}
	return WaySession, nil
}

// ChangePassword takes a new password from a user who knows the old one, ends every session of theirs
// and gives the token of a new one.
func (a *Accounts) ChangePassword(ctx context.Context, name, old, password, address, agent string) (token string, err error) {
	const op = "change the password"
	subjects := []string{subjectOf(name)}
	shut, err := a.store.Fail(ctx, subjects, a.wait)
	if err != nil {
		return "", err
	}
	if left := shut.Sub(a.now()); left > 0 {
		return "", &fault.Error{Op: op, Code: fault.TooMany, Err: &TooSoon{left}, Hint: "wait, or have an administrator unlock the account"}
	}
	u, right, reason, err := a.prove(ctx, name, old)
	if err != nil {
		return "", err
	}
	if !right {
		if err := a.record(ctx, Act{Action: "password.change", Kind: "user", ID: name, Outcome: Refused, Detail: map[string]string{"reason": reason}}); err != nil {
			return "", err
		}
		return "", &fault.Error{Op: op, Code: fault.Unauthorized, Err: errors.New("the present password is not right")}
	}
	if err := badPassword(u, password); err != nil {
		return "", errors.Join(err, a.store.Forgive(ctx, subjects[0], 1))
	}
	if err := a.unused(ctx, name, password); err != nil {
		return "", errors.Join(err, a.store.Forgive(ctx, subjects[0], 1))
	}
	hash, err := a.hash(ctx, password)
	if err != nil {
		return "", err
	}
	if err := a.record(ctx, Act{Action: "password.change", Kind: "user", ID: name}); err != nil {
		return "", err
	}
	if err := a.store.SetPassword(ctx, name, hash, false, passwordMemory); err != nil {
		return "", err
	}
	if err := errors.Join(a.store.EndSessions(ctx, name, ""), a.store.Forgive(ctx, subjects[0], anyNumber)); err != nil {
		return "", err
	}
	u.MustChange = false
	return a.open(ctx, u, WaySession, address, agent)
}

// unused refuses a password that is one of the user's last.
func (a *Accounts) unused(ctx context.Context, name, password string) error {
	hashes, _, err := a.store.Passwords(ctx, name)
	if err != nil {
		return err
	}
	for _, stored := range slices.Backward(hashes) {
		same, err := a.same(ctx, stored, password)
		if err != nil {
			return err
		}
		if same {
			return &fault.Error{Op: "choose a password", Code: fault.Invalid, Err: fmt.Errorf("it is one of the last %d", passwordMemory), Hint: "take one that was not used before"}
		}
	}
	return nil
}

// hash and same take their turn: each costs memory, and a flood of attempts must not take all of it.
func (a *Accounts) hash(ctx context.Context, password string) (string, error) {
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
		return a.rules.Cost.Hash(password), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (a *Accounts) same(ctx context.Context, stored, password string) (bool, error) {
	if len(password) > maxPassword {
		password = "" // it can be none, and is not worth the hashing of its length
	}
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
		return fits(stored, password)
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
