package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"xinshu/internal/fault"
)

// Rules bound accounts and sessions. A zero takes its default.
type Rules struct {
	Idle        time.Duration // a session ends without a request for so long; default 30m
	Longest     time.Duration // a session ends after so long whatever happens; default 12h
	PasswordAge time.Duration // an older password must be changed at sign-in; default 0, never
	Failures    int64         // wrong passwords in a row that shut an account for a while; default 5
	Cost        Cost          // of a password; default DefaultCost
}

func (r Rules) orDefaults() Rules {
	r.Idle = cmp.Or(r.Idle, 30*time.Minute)
	r.Longest = cmp.Or(r.Longest, 12*time.Hour)
	r.Failures = cmp.Or(r.Failures, 5)
	r.Cost = cmp.Or(r.Cost, DefaultCost)
	return r
}

// Accounts are the people of the hub: their accounts, passwords and sessions. Whether somebody may
// change them is asked where the request comes in; here stands what no right allows.
type Accounts struct {
	store Store
	trail Recorder
	rules Rules
	now   func() time.Time
	decoy func() string // a stored password that nobody has: an unknown name costs what a known one does
	turn  chan struct{} // each hash takes memory, so only a few are made at once
}

// NewAccounts wires accounts to what keeps them.
func NewAccounts(store Store, trail Recorder, rules Rules, now func() time.Time) *Accounts {
	rules = rules.orDefaults()
	return &Accounts{store: store, trail: trail, rules: rules, now: now, decoy: sync.OnceValue(func() string { return rules.Cost.Hash(newToken()) }), turn: make(chan struct{}, 4)}
}

func (a *Accounts) record(ctx context.Context, act Act) error { return a.trail.Record(ctx, act) }

// List gives every account.
func (a *Accounts) List(ctx context.Context) ([]User, error) { return a.store.Users(ctx) }

// Get gives one account.
func (a *Accounts) Get(ctx context.Context, name string) (User, error) {
	u, found, err := a.store.User(ctx, name)
	if err == nil && !found {
		return u, fault.Newf(fault.NotFound, "find user", "there is no user %q", clipText(name, 64))
	}
	return u, err
}

// Add makes an account. Without a password one is made, given once, and must be changed at the first
// sign-in; a password that somebody else chose must be changed too.
func (a *Accounts) Add(ctx context.Context, u User, password string) (temporary string, err error) {
	u.Name = strings.ToLower(u.Name)
	u.Created, u.Version = a.now(), 1
	hash := ""
	if u.Subject == "" {
		if password == "" {
			temporary = newPassword()
			password = temporary
		}
		if err := errors.Join(u.check(), badPassword(u, password)); err != nil {
			return "", err
		}
		u.MustChange = true
		if hash, err = a.hash(ctx, password); err != nil {
			return "", err
		}
	} else if err := u.check(); err != nil {
		return "", err
	}
	if err := a.record(ctx, Act{Action: "user.add", Kind: "user", ID: u.Name, Detail: grantDetail(u.Roles, u.Scope, u.From, u.Until)}); err != nil {
		return "", err
	}
	return temporary, a.store.AddUser(ctx, u, hash)
}

// Change keeps what was changed of an account: title, roles, scope, term, whether it is disabled. Nobody
// gives oneself roles, and the last administrator stays one.
func (a *Accounts) Change(ctx context.Context, u User) error {
	op := "change user " + u.Name
	was, err := a.Get(ctx, u.Name)
	if err != nil {
		return err
	}
	if err := u.check(); err != nil {
		return err
	}
	u.Subject, u.MustChange, u.Created, u.Seen = was.Subject, was.MustChange, was.Created, was.Seen
	widened := grantText(u) != grantText(was) || u.Disabled != was.Disabled
	if widened && From(ctx).ID == u.ID() {
		return &fault.Error{Op: op, Code: fault.Forbidden, Err: errors.New("nobody changes the own roles, scope or term"), Hint: "ask another administrator"}
	}
	if widened && administers(was, a.now()) && !administers(u, a.now()) {
		if err := a.notTheLast(ctx, op, u.Name); err != nil {
			return err
		}
	}
	detail := grantDetail(u.Roles, u.Scope, u.From, u.Until)
	if u.Disabled != was.Disabled {
		detail["disabled"] = fmt.Sprint(u.Disabled)
	}
	if err := a.record(ctx, Act{Action: "user.change", Kind: "user", ID: u.Name, Detail: detail}); err != nil {
		return err
	}
	if err := a.store.ChangeUser(ctx, u); err != nil {
		return err
	}
	if u.Disabled {
		return a.store.EndSessions(ctx, u.Name, "")
	}
	return nil
}

func administers(u User, now time.Time) bool {
	return u.InForce(now) && slices.Contains(u.Roles, Administrator)
}

func (a *Accounts) notTheLast(ctx context.Context, op, name string) error {
	all, err := a.store.Users(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(u User) bool { return u.Name != name && administers(u, a.now()) }) {
		return nil
	}
	return &fault.Error{Op: op, Code: fault.Conflict, Err: errors.New("it is the last administrator"), Hint: "make another administrator first"}
}

// Disable shuts an account, ending its sessions, or opens it again.
func (a *Accounts) Disable(ctx context.Context, name string, disabled bool) error {
	u, err := a.Get(ctx, name)
	if err != nil || u.Disabled == disabled {
		return err
	}
	u.Disabled = disabled
	return a.Change(ctx, u)
}

// Unlock lets a user try again who failed too often.
func (a *Accounts) Unlock(ctx context.Context, name string) error {
	if _, err := a.Get(ctx, name); err != nil {
		return err
	}
	if err := a.record(ctx, Act{Action: "user.unlock", Kind: "user", ID: name}); err != nil {
		return err
	}
	return a.store.Forgive(ctx, subjectOf(name), anyNumber)
}

// Reset gives a user a new password, once; it opens the account for a day, and only to be changed.
func (a *Accounts) Reset(ctx context.Context, name string) (temporary string, err error) {
	u, err := a.Get(ctx, name)
	if err != nil {
		return "", err
	}
	if u.Subject != "" {
		return "", fault.Newf(fault.Conflict, "reset the password of "+name, "this account signs in elsewhere and has no password")
	}
	temporary = newPassword()
	hash, err := a.hash(ctx, temporary)
	if err != nil {
		return "", err
	}
	if err := a.record(ctx, Act{Action: "user.reset", Kind: "user", ID: name}); err != nil {
		return "", err
	}
	if err := a.store.SetPassword(ctx, name, hash, true, passwordMemory); err != nil {
		return "", err
	}
	return temporary, errors.Join(a.store.EndSessions(ctx, name, ""), a.store.Forgive(ctx, subjectOf(name), anyNumber))
}

func badPassword(u User, password string) error {
	if err := checkPassword(u.Name, u.Title, password); err != nil {
		return &fault.Error{Op: "choose a password", Code: fault.Invalid, Err: err, Hint: fmt.Sprintf("at least %d characters; a sentence is good", MinPassword)}
	}
	return nil
}

// grantDetail tells the trail what was given, without empty members.
func grantDetail(roles []Role, s Scope, from, until time.Time) map[string]string {
	d := map[string]string{}
	put := func(name string, values ...string) {
		if text := strings.Join(values, " "); text != "" {
			d[name] = clipText(text, 500)
		}
	}
	for _, r := range roles {
		d["roles"] = strings.TrimSpace(d["roles"] + " " + string(r))
	}
	put("departments", s.Departments...)
	put("areas", s.Areas...)
	put("industries", s.Industries...)
	put("policies", s.Policies...)
	put("fields", s.Fields...)
	put("entities", s.Entities...)
	put("purpose", s.Purpose)
	for name, t := range map[string]time.Time{"from": from, "until": until} {
		if !t.IsZero() {
			d[name] = t.UTC().Format(time.RFC3339)
		}
	}
	return d
}

func grantText(u User) string {
	return fmt.Sprintf("%q %q %d %d", u.Roles, []any{u.Scope.Departments, u.Scope.Areas, u.Scope.Industries, u.Scope.Policies, u.Scope.Fields, u.Scope.Entities, u.Scope.Purpose}, u.From.Unix(), u.Until.Unix())
}

// Tidy forgets what is of no more use: sessions that ended, failures of yesterday.
func (a *Accounts) Tidy(ctx context.Context) {
	now := a.now()
	err := errors.Join(a.store.EndOldSessions(ctx, now.Add(-a.rules.Idle), now.Add(-a.rules.Longest)), a.store.ForgetFailures(ctx, now.Add(-24*time.Hour)))
	if err != nil {
		slog.WarnContext(ctx, "old sessions were not forgotten", "error", err)
	}
}
