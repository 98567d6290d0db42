// Package state owns run state: runs and their ledgers, the log entries taken in, the cached
// cursors, the outbox with its attempts and receipts. It lives in one SQL database, SQLite by
// default and PostgreSQL for several nodes, with one SQL text for both. It refuses to be the truth
// about data, cursors or versions: that is the log, which it follows and is rebuilt from. Entries
// come from the lake, changes from pipelines/publish, and deliveries go to pipelines/push.
//
// What only this database knows is who was sent what and what was answered. After it was deleted
// and rebuilt, what was already delivered is delivered again with the same row ids, and receivers
// keep one record per id.
package state

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	_ "github.com/mattn/go-sqlite3"    // driver "sqlite3"

	"xinshu/internal/fault"
)

// One SQL text for both databases has three rules. Parameters appear for the first time in the order
// of their numbers: SQLite takes $2 for a name and counts names as they come. A parameter that meets
// no column is cast, because PostgreSQL guesses its type. Times and truth values are whole numbers.

//go:embed migrations/*.sql
var migrations embed.FS

// State is an open database of run state. It may be used by several goroutines.
type State struct {
	Log     Log     // the log it follows; set before Follow or CommitRun
	Changes Changes // reads what a published chain states; set with Log

	db       *sql.DB
	postgres bool
	now      func() time.Time
}

// Open opens the database, making and migrating it where needed. An address that begins with
// postgres:// or postgresql:// is PostgreSQL, any other is the path of an SQLite file. The clock
// stamps what is stored and decides what is due.
func Open(ctx context.Context, address string, now func() time.Time) (*State, error) {
	fail := func(err error) (*State, error) {
		// The address may carry a password: it is not in the message.
		return nil, &fault.Error{Op: "open run state", Code: fault.Unavailable, Err: err,
			Hint: "check the address of the state database, and that its folder or server can be reached and written"}
	}
	db, dialect, err := connect(address)
	if err != nil {
		return fail(err)
	}
	if err := migrate(ctx, db, dialect); err != nil {
		return fail(errors.Join(err, db.Close()))
	}
	return &State{db: db, postgres: IsPostgres(address), now: now}, nil
}

// Close closes the database.
func (s *State) Close() error { return s.db.Close() }

// tx runs do in one transaction. An error or a panic in do leaves nothing behind.
func (s *State) tx(ctx context.Context, op string, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return failed(op, err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	if err := do(tx); err != nil {
		return failed(op, err)
	}
	return failed(op, tx.Commit())
}

// failed names what was being tried. An error that already says its code keeps it.
func failed(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", op, err)
	}
	if away(err) {
		return &fault.Error{Op: op, Code: fault.Unavailable, Err: err, Hint: "the state database cannot be reached now"}
	}
	return &fault.Error{Op: op, Code: fault.Internal, Err: err, Hint: "the state database could not be read or written; see its own log"}
}

// millis is how a time is stored; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
