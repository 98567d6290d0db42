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

const connectionColumns = `role, id, kind, body, secrets, version, changed_by, changed_at`

// Connections gives all connections of a role, by id.
func (s *State) Connections(ctx context.Context, role string) ([]Connection, error) {
	op := "list the connections of every " + role
	rows, err := s.db.QueryContext(ctx, `select `+connectionColumns+` from connection where role = $1 order by id`, role)
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
	c, err := scanConnection(s.db.QueryRowContext(ctx, `select `+connectionColumns+` from connection where role = $1 and id = $2`, role, id))
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
				insert into connection (`+connectionColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)
				on conflict (role, id) do nothing`, c.Role, c.ID, c.Kind, c.Body, c.Secrets, c.Version, c.ChangedBy, millis(c.ChangedAt))
		} else {
			res, err = tx.ExecContext(ctx, `
				update connection set kind = $1, body = $2, secrets = $3, version = $4, changed_by = $5, changed_at = $6
				where role = $7 and id = $8 and version = $9`, c.Kind, c.Body, c.Secrets, c.Version, c.ChangedBy, millis(c.ChangedAt), c.Role, c.ID, was)
		}
		return changedOne(op, res, err)
	})
	return c, err
}

// RemoveConnection forgets a connection that was read as version.
func (s *State) RemoveConnection(ctx context.Context, role, id string, version int64) error {
	op := "remove the " + role + " " + id
	return s.tx(ctx, op, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `delete from connection where role = $1 and id = $2 and version = $3`, role, id, version)
		return changedOne(op, res, err)
	})
}

// ResealConnections lets reseal give every sealed text anew, as a new key wants it, all or none.
func (s *State) ResealConnections(ctx context.Context, reseal func(sealed string) (string, error)) error {
	const op = "seal the secrets of connections anew"
	return s.tx(ctx, op, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `select `+connectionColumns+` from connection where secrets <> '' order by role, id`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
		var all []Connection
		for rows.Next() {
			c, err := scanConnection(rows)
			if err != nil {
				return err
			}
			all = append(all, c)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for _, c := range all {
			sealed, err := reseal(c.Secrets)
			if err != nil {
				return fmt.Errorf("%s %s: %w", c.Role, c.ID, err)
			}
			if _, err := tx.ExecContext(ctx, `update connection set secrets = $1 where role = $2 and id = $3`, sealed, c.Role, c.ID); err != nil {
				return err
			}
		}
		return nil
	})
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
	err = row.Scan(&c.Role, &c.ID, &c.Kind, &c.Body, &c.Secrets, &c.Version, &c.ChangedBy, &at)
	c.ChangedAt = fromMillis(at)
	return c, err
}
