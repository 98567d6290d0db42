package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

var _ auth.Store = (*State)(nil)

const accountColumns = `account.name, account.title, account.roles, account.scope, account.subject, account.disabled, account.must_change,
	account.from_at, account.until_at, account.created_at, account.seen_at, account.version`

// row is what both a row and rows can do.
type row interface{ Scan(into ...any) error }

// scanUser reads accountColumns behind what comes before them.
func scanUser(r row, before ...any) (auth.User, error) {
	var (
		u                          auth.User
		roles, scope               string
		disabled, must             int64
		from, until, created, seen int64
	)
	err := r.Scan(append(before, &u.Name, &u.Title, &roles, &scope, &u.Subject, &disabled, &must, &from, &until, &created, &seen, &u.Version)...)
	if err != nil {
		return u, err
	}
	u.Disabled, u.MustChange = disabled != 0, must != 0
	u.From, u.Until, u.Created, u.Seen = fromMillis(from), fromMillis(until), fromMillis(created), fromMillis(seen)
	return u, errors.Join(json.Unmarshal([]byte(roles), &u.Roles), json.Unmarshal([]byte(scope), &u.Scope))
}

// asJSON is how lists are kept; what is put in has no member that JSON cannot hold.
func asJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// Users gives every account in the order of names.
func (s *State) Users(ctx context.Context) (users []auth.User, err error) {
	const op = "list users"
	rows, err := s.db.QueryContext(ctx, `select `+accountColumns+` from account order by name`)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // only read
	for rows.Next() {
		u, err := scanUser(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		users = append(users, u)
	}
	return users, failed(op, rows.Err())
}

// User gives an account by its name.
func (s *State) User(ctx context.Context, name string) (auth.User, bool, error) {
	return s.oneUser(ctx, `select `+accountColumns+` from account where name = $1`, name)
}

// UserOf gives an account by its subject at an OIDC provider.
func (s *State) UserOf(ctx context.Context, subject string) (auth.User, bool, error) {
	return s.oneUser(ctx, `select `+accountColumns+` from account where subject = $1 and subject <> ''`, subject)
}

func (s *State) oneUser(ctx context.Context, query, key string) (auth.User, bool, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx, query, key))
	if errors.Is(err, sql.ErrNoRows) {
		return u, false, nil
	}
	return u, err == nil, failed("read a user", err)
}

// HasUsers says whether there is any account.
func (s *State) HasUsers(ctx context.Context) (bool, error) {
	var n int64
	err := s.db.QueryRowContext(ctx, `select count(*) from (select name from account limit 1) as one`).Scan(&n)
	return n > 0, failed("look for users", err)
}

// AddUser keeps a new account; its password too, where it has one.
func (s *State) AddUser(ctx context.Context, u auth.User, hash string) error {
	op := "add user " + u.Name
	return s.tx(ctx, op, func(tx *sql.Tx) error { return s.addUser(ctx, tx, op, u, hash) })
}

func (s *State) addUser(ctx context.Context, tx *sql.Tx, op string, u auth.User, hash string) error {
	res, err := tx.ExecContext(ctx, `
		insert into account (name, title, roles, scope, subject, disabled, must_change, from_at, until_at, created_at, seen_at, version)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11) on conflict do nothing`,
		u.Name, u.Title, asJSON(u.Roles), asJSON(u.Scope), u.Subject, flag(u.Disabled), flag(u.MustChange), millis(u.From), millis(u.Until), millis(u.Created), u.Version)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, &fault.Error{Op: op, Code: fault.Conflict, Err: errors.New("the name is taken, or the person has an account already"), Hint: "take another name; a disabled account can be enabled again"})
	}
	if hash == "" {
		return nil
	}
	_, err = tx.ExecContext(ctx, `insert into account_password (account, n, hash, set_at) values ($1, 1, $2, $3)`, u.Name, hash, millis(s.now()))
	return err
}

// AddFirstUser takes the set-up tokens away, all of them, and keeps the account where the given one was
// good and nobody has an account. Of two at once the second finds no token.
func (s *State) AddFirstUser(ctx context.Context, u auth.User, hash, token string) error {
	const op = "set up the hub"
	return s.tx(ctx, op, func(tx *sql.Tx) error {
		tokens, err := s.takeSetupTokens(ctx, tx)
		if err != nil {
			return err
		}
		good := slices.Contains(tokens, token) // hashes: nothing is learnt from how long it takes
		var users int64
		if err := tx.QueryRowContext(ctx, `select count(*) from account`).Scan(&users); err != nil {
			return err
		}
		if !good || users > 0 {
			return &fault.Error{Op: op, Code: fault.Unauthorized, Err: errors.New("the set-up token is not right, or was used, or is too old"), Hint: "a new one is printed when the hub starts and there is no user yet; otherwise sign in"}
		}
		return s.addUser(ctx, tx, op, u, hash)
	})
}

// takeSetupTokens deletes every token and gives those that were good.
func (s *State) takeSetupTokens(ctx context.Context, tx *sql.Tx) (tokens []string, err error) {
	rows, err := tx.QueryContext(ctx, `delete from setup_token where until_at > $1 returning hash`, millis(s.now()))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var kept string
		if err := rows.Scan(&kept); err != nil {
			return nil, err
		}
		tokens = append(tokens, kept)
	}
	return tokens, rows.Err()
}

// AddSetupToken keeps the hash of a token and forgets those that are too old.
func (s *State) AddSetupToken(ctx context.Context, hash string, until time.Time) error {
	const op = "make a set-up token"
	return s.tx(ctx, op, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `delete from setup_token where until_at <= $1`, millis(s.now())); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `insert into setup_token (hash, until_at) values ($1, $2)`, hash, millis(until))
		return err
	})
}

// ChangeUser keeps an account that was changed, unless somebody else changed it meanwhile.
func (s *State) ChangeUser(ctx context.Context, u auth.User) error {
	op := "change user " + u.Name
	res, err := s.db.ExecContext(ctx, `
		update account set title = $1, roles = $2, scope = $3, disabled = $4, from_at = $5, until_at = $6, version = version + 1
		where name = $7 and version = $8`,
		u.Title, asJSON(u.Roles), asJSON(u.Scope), flag(u.Disabled), millis(u.From), millis(u.Until), u.Name, u.Version)
	if err != nil {
		return failed(op, err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = &fault.Error{Op: op, Code: fault.Conflict, Err: fmt.Errorf("version %d is not the newest", u.Version), Hint: "look at the account again and repeat the change"}
	}
	return failed(op, err)
}

// UserSeen notes a sign-in.
func (s *State) UserSeen(ctx context.Context, name string) error {
	_, err := s.db.ExecContext(ctx, `update account set seen_at = $1 where name = $2`, millis(s.now()), name)
	return failed("note a sign-in", err)
}

// Passwords gives the hashes of a user, the newest first, and when that was set.
func (s *State) Passwords(ctx context.Context, name string) (hashes []string, set time.Time, err error) {
	const op = "read passwords"
	rows, err := s.db.QueryContext(ctx, `select hash, set_at from account_password where account = $1 order by n desc`, name)
	if err != nil {
		return nil, set, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // only read
	for rows.Next() {
		var (
			hash string
			at   int64
		)
		if err := rows.Scan(&hash, &at); err != nil {
			return nil, set, failed(op, err)
		}
		if hashes = append(hashes, hash); len(hashes) == 1 {
			set = fromMillis(at)
		}
	}
	return hashes, set, failed(op, rows.Err())
}

// SetPassword puts a password in front of the others and keeps so many in all.
func (s *State) SetPassword(ctx context.Context, name, hash string, mustChange bool, keep int) error {
	const op = "set a password"
	return s.tx(ctx, op, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `update account set must_change = $1, version = version + 1 where name = $2`, flag(mustChange), name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.Newf(fault.NotFound, op, "there is no such user"))
		}
		var last int64
		if err := tx.QueryRowContext(ctx, `select coalesce(max(n), 0) from account_password where account = $1`, name).Scan(&last); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `insert into account_password (account, n, hash, set_at) values ($1, $2, $3, $4)`, name, last+1, hash, millis(s.now())); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `delete from account_password where account = $1 and n <= $2`, name, last+1-int64(keep))
		return err
	})
}

// RenewHash changes how a password is stored that is still the one in force.
func (s *State) RenewHash(ctx context.Context, name, old, hash string) error {
	_, err := s.db.ExecContext(ctx, `update account_password set hash = $1 where account = $2 and hash = $3`, hash, name, old)
	return failed("store a password anew", err)
}
