package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"xinshu/internal/fault"
)

// Connection is a source or a target that was made in the console. What its body says is the
// business of who saves it.
type Connection struct {
	Role      string // source, target
	ID        string
	Kind      string
	Body      string // JSON, without secrets
	Secrets   string // sealed; empty: none
	Version   int64  // 0: it is not kept yet
	ChangedBy string
	ChangedAt time.Time
}

const (
	connectionColumns = `role, id, kind, body, version, changed_by, changed_at`
	connectionRows    = `select ` + connectionColumns + `, coalesce((select s.body from secret as s where s.place = 'connection/' || role || '/' || id), '') from connection`
)

// SecretPlace is where the secrets of a connection lie among the sealed texts.
func (c Connection) SecretPlace() string { return "connection/" + c.Role + "/" + c.ID }

// Connections gives all connections of a role, by id.
func (s *State) Connections(ctx context.Context, role string) ([]Connection, error) {
	op := "list the connections of every " + role
	rows, err := s.db.QueryContext(ctx, connectionRows+` where role = $1 order by id`, role)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var all []Connection
	for rows.Next() {
		c, err := scanConnection(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		all = append(all, c)
	}
	return all, failed(op, rows.Err())
}

// Connection gives one connection; not_found when it is not kept here.
func (s *State) Connection(ctx context.Context, role, id string) (Connection, error) {
	op := "read the " + role + " " + id
	c, err := scanConnection(s.db.QueryRowContext(ctx, connectionRows+` where role = $1 and id = $2`, role, id))
	if errors.Is(err, sql.ErrNoRows) {
		return c, &fault.Error{Op: op, Code: fault.NotFound, Err: fmt.Errorf("there is no such %s", role)}
	}
	return c, failed(op, err)
}

// SaveConnection stores a connection that was read as c.Version, or a new one with version 0, and
// gives it as it is kept. A connection that somebody else changed meanwhile is a conflict.
func (s *State) SaveConnection(ctx context.Context, c Connection) (Connection, error) {
	op := "save the " + c.Role + " " + c.ID
	c.ChangedAt = s.now()
	was := c.Version
	c.Version++
	err := s.tx(ctx, op, func(tx *sql.Tx) error {
		var res sql.Result
		var err error
		if was == 0 {
			res, err = tx.ExecContext(ctx, `
				insert into connection (`+connectionColumns+`) values ($1, $2, $3, $4, $5, $6, $7)
				on conflict (role, id) do nothing`, c.Role, c.ID, c.Kind, c.Body, c.Version, c.ChangedBy, millis(c.ChangedAt))
		} else {
			res, err = tx.ExecContext(ctx, `
				update connection set kind = $1, body = $2, version = $3, changed_by = $4, changed_at = $5
				where role = $6 and id = $7 and version = $8`, c.Kind, c.Body, c.Version, c.ChangedBy, millis(c.ChangedAt), c.Role, c.ID, was)
		}
		if err := changedOne(op, res, err); err != nil {
			return err
		}
		return keepSecret(ctx, tx, c.SecretPlace(), c.Secrets, c.ChangedAt)
	})
	return c, err
}

// RemoveConnection forgets a connection that was read as version.
func (s *State) RemoveConnection(ctx context.Context, role, id string, version int64) error {
	op := "remove the " + role + " " + id
	return s.tx(ctx, op, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `delete from connection where role = $1 and id = $2 and version = $3`, role, id, version)
		if err := changedOne(op, res, err); err != nil {
			return err
		}
		return keepSecret(ctx, tx, Connection{Role: role, ID: id}.SecretPlace(), "", time.Time{})
	})
}

// keepSecret puts a sealed text in its place, or nothing.
func keepSecret(ctx context.Context, tx *sql.Tx, place, sealed string, at time.Time) (err error) {
	if sealed == "" {
		_, err = tx.ExecContext(ctx, `delete from secret where place = $1`, place)
	} else {
		_, err = tx.ExecContext(ctx, `
			insert into secret (place, body, at) values ($1, $2, $3)
			on conflict (place) do update set body = excluded.body, at = excluded.at`, place, sealed, millis(at))
	}
	return err
}

// changedOne is a conflict unless exactly one row was changed.
func changedOne(op string, res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return &fault.Error{Op: op, Code: fault.Conflict, Err: errors.New("somebody else changed it meanwhile, or the name is taken"), Hint: "look at it again, then repeat the change"}
}

func scanConnection(row interface{ Scan(dest ...any) error }) (c Connection, err error) {
	var at int64
	err = row.Scan(&c.Role, &c.ID, &c.Kind, &c.Body, &c.Version, &c.ChangedBy, &at, &c.Secrets)
	c.ChangedAt = fromMillis(at)
	return c, err
}
