package auth

import (
	"context"
	"time"
)

// Store keeps what auth must remember; run state does. Names are unique for ever. Hashes of passwords
// and tokens go in and are compared; none is ever given out beside a user or a key.
type Store interface {
	UserStore
	PasswordStore
	SessionStore
	FailureStore
	KeyStore
}

// UserStore keeps accounts and the tokens that make the first of them.
type UserStore interface {
	Users(ctx context.Context) ([]User, error)
	User(ctx context.Context, name string) (User, bool, error)
	UserOf(ctx context.Context, subject string) (User, bool, error)
	HasUsers(ctx context.Context) (bool, error)
	// AddUser keeps a new user; conflict when the name or the subject is taken. An empty hash: no password.
	AddUser(ctx context.Context, u User, hash string) error
	// AddFirstUser does so when there is no user yet and the set-up token is good, and uses the token up.
	AddFirstUser(ctx context.Context, u User, hash, token string) error
	// ChangeUser keeps what was changed in version u.Version; conflict when that is not the newest.
	ChangeUser(ctx context.Context, u User) error
	UserSeen(ctx context.Context, name string) error
	AddSetupToken(ctx context.Context, hash string, until time.Time) error
}

// PasswordStore keeps hashes of passwords.
type PasswordStore interface {
	// Passwords gives the hashes of a user's passwords and when the newest was set, the newest first.
	Passwords(ctx context.Context, name string) (hashes []string, set time.Time, err error)
	// SetPassword puts a new password in front and forgets all but keep of them.
	SetPassword(ctx context.Context, name, hash string, mustChange bool, keep int) error
	// RenewHash changes how the password in force is stored.
	RenewHash(ctx context.Context, name, old, hash string) error
}

// SessionStore keeps sessions under the hashes of their tokens.
type SessionStore interface {
	AddSession(ctx context.Context, s Session) error
	// Session gives a session and its user.
	Session(ctx context.Context, hash string) (Session, User, bool, error)
	SessionSeen(ctx context.Context, hash string) error
	Sessions(ctx context.Context, name string) ([]Session, error)
	// EndSession ends one.
	EndSession(ctx context.Context, hash string) error
	// EndSessions ends all of a user but one.
	EndSessions(ctx context.Context, name, except string) error
	// EndOldSessions ends those not seen since idle, and those begun before begun.
	EndOldSessions(ctx context.Context, idle, begun time.Time) error
}

// FailureStore counts failed attempts.
type FailureStore interface {
	// Fail counts a failure against each subject that is not shut, and gives until when the last of them
	// was shut before it came. wait says for how long so many failures shut a subject.
	Fail(ctx context.Context, subjects []string, wait func(subject string, failures int64) time.Duration) (shut time.Time, err error)
	// Forgive takes failures off a subject and opens it.
	Forgive(ctx context.Context, subject string, failures int64) error
	// ForgetFailures forgets those whose last failure lies before a time.
	ForgetFailures(ctx context.Context, before time.Time) error
}

// KeyStore keeps keys, and the nonces of signed requests.
type KeyStore interface {
	Keys(ctx context.Context, owner string) ([]Key, error) // empty owner: all
	Key(ctx context.Context, id string) (k Key, hash string, found bool, err error)
	AddKey(ctx context.Context, k Key, hash string) error
	// EndKey sets until when a key is good, where that is earlier, and revokes it when revoked is set.
	EndKey(ctx context.Context, id string, until time.Time, revoked bool) error
	KeyUsed(ctx context.Context, id, address string) error
	// Nonce keeps a sender's nonce and says whether it is the first time.
	Nonce(ctx context.Context, sender, nonce string, keep time.Duration) (bool, error)
}
