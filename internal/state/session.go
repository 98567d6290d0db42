package state

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"xinshu/internal/auth"
)

const sessionColumns = `account_session.hash, account_session.account, account_session.way, account_session.address, account_session.agent,
	account_session.created_at, account_session.seen_at`

// AddSession keeps a session.
func (s *State) AddSession(ctx context.Context, b auth.Session) error {
	_, err := s.db.ExecContext(ctx, `insert into account_session (hash, account, way, address, agent, created_at, seen_at) values ($1, $2, $3, $4, $5, $6, $7)`,
		b.Hash, b.User, b.Way, b.Address, b.Agent, millis(b.Created), millis(b.Seen))
	return failed("begin a session", err)
}

// Session gives a session and its user in one look.
func (s *State) Session(ctx context.Context, hash string) (b auth.Session, u auth.User, found bool, err error) {
	var created, seen int64
	u, err = scanUser(s.db.QueryRowContext(ctx, `select `+sessionColumns+`, `+accountColumns+`
		from account_session join account on account.name = account_session.account where account_session.hash = $1`, hash),
		&b.Hash, &b.User, &b.Way, &b.Address, &b.Agent, &created, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		return b, u, false, nil
	}
	b.Created, b.Seen = fromMillis(created), fromMillis(seen)
	return b, u, err == nil, failed("read a session", err)
}

// SessionSeen notes that a session is in use.
func (s *State) SessionSeen(ctx context.Context, hash string) error {
	_, err := s.db.ExecContext(ctx, `update account_session set seen_at = $1 where hash = $2`, millis(s.now()), hash)
	return failed("go on with a session", err)
}

// Sessions gives a user's sessions, the last seen first.
func (s *State) Sessions(ctx context.Context, name string) (all []auth.Session, err error) {
	const op = "list sessions"
	rows, err := s.db.QueryContext(ctx, `select `+sessionColumns+` from account_session where account = $1 order by seen_at desc, hash`, name)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // only read
	for rows.Next() {
		var (
			b             auth.Session
			created, seen int64
		)
		if err := rows.Scan(&b.Hash, &b.User, &b.Way, &b.Address, &b.Agent, &created, &seen); err != nil {
			return nil, failed(op, err)
		}
		b.Created, b.Seen = fromMillis(created), fromMillis(seen)
		all = append(all, b)
	}
	return all, failed(op, rows.Err())
}

// EndSession ends one session.
func (s *State) EndSession(ctx context.Context, hash string) error {
	_, err := s.db.ExecContext(ctx, `delete from account_session where hash = $1`, hash)
	return failed("end a session", err)
}

// EndSessions ends a user's sessions but one.
func (s *State) EndSessions(ctx context.Context, name, except string) error {
	_, err := s.db.ExecContext(ctx, `delete from account_session where account = $1 and hash <> $2`, name, except)
	return failed("end sessions", err)
}

// EndOldSessions ends those that nobody used since idle or that began before begun.
func (s *State) EndOldSessions(ctx context.Context, idle, begun time.Time) error {
	_, err := s.db.ExecContext(ctx, `delete from account_session where seen_at <= $1 or created_at <= $2`, millis(idle), millis(begun))
	return failed("end old sessions", err)
}

// Fail counts a failure against each subject, unless one of them is shut: then it gives until when.
func (s *State) Fail(ctx context.Context, subjects []string, wait func(subject string, failures int64) time.Duration) (shut time.Time, err error) {
	const op = "count a failed sign-in"
	err = s.tx(ctx, op, func(tx *sql.Tx) error {
		now := s.now()
		counts := make([]int64, len(subjects))
		for i, subject := range subjects {
			// Taking the row first makes attempts of the same subject stand in one line.
			var until int64
			err := tx.QueryRowContext(ctx, `insert into sign_in_failure (subject, failures, at, until_at) values ($1, 1, $2, 0)
				on conflict (subject) do update set failures = sign_in_failure.failures + 1 returning failures, until_at`, subject, millis(now)).Scan(&counts[i], &until)
			if err != nil {
				return err
			}
			if t := fromMillis(until); t.After(now) && t.After(shut) {
				shut = t
			}
		}
		if !shut.IsZero() {
			return errShut // leaves the counts as they were
		}
		for i, subject := range subjects {
			until := int64(0)
			if d := wait(subject, counts[i]); d > 0 {
				until = millis(now.Add(d))
			}
			if _, err := tx.ExecContext(ctx, `update sign_in_failure set at = $1, until_at = $2 where subject = $3`, millis(now), until, subject); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errShut) {
		err = nil
	}
	return shut, err
}

var errShut = errors.New("shut")

// Forgive takes failures off a subject and opens it.
func (s *State) Forgive(ctx context.Context, subject string, failures int64) error {
	_, err := s.db.ExecContext(ctx, `update sign_in_failure set failures = case when failures > cast($1 as bigint) then failures - cast($1 as bigint) else 0 end, until_at = 0 where subject = $2`, failures, subject)
	return failed("forgive failed sign-ins", err)
}

// ForgetFailures deletes those whose last failure is old.
func (s *State) ForgetFailures(ctx context.Context, before time.Time) error {
	_, err := s.db.ExecContext(ctx, `delete from sign_in_failure where at < $1 and until_at < $1`, millis(before))
	return failed("forget failed sign-ins", err)
}
