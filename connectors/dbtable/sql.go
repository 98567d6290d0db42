package dbtable

import (
	"context"
	"database/sql"
	"strings"
)

// sqlEngine speaks to a database through its driver for database/sql. Everything is asked for as text,
// so no driver's idea of a time or a number comes between the table and the page.
type sqlEngine struct {
	db    *sql.DB
	speak dialect
	hello string // query that gives one text: which server answered
	// list gives the columns of a table.
	list func(ctx context.Context, c *sql.Conn, schema, table string) ([]column, error)
	// begin opens a transaction: one that reads a snapshot, or one that writes.
	begin func(ctx context.Context, c *sql.Conn, write bool) (ender, error)
}

// ender closes a transaction; *sql.Tx is one.
type ender interface {
	Commit() error
	Rollback() error
}

func (e *sqlEngine) dialect() *dialect { return &e.speak }

func (e *sqlEngine) close() error { return e.db.Close() }

func (e *sqlEngine) ping(ctx context.Context) (text string, err error) {
	err = e.db.QueryRowContext(ctx, e.hello).Scan(&text)
	return strings.TrimSpace(text), err
}

func (e *sqlEngine) columns(ctx context.Context, schema, table string) ([]column, error) {
	c, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	return e.list(ctx, c, schema, table)
}

// described reads the columns of a table, each row naming one: its name, its declared type, what more the
// engine asks for, its place in the primary key. It closes rows.
func described(rows *sql.Rows, of func(col column, declared string) column, more ...any) ([]column, error) {
	defer func() { _ = rows.Close() }()
	var columns []column
	for rows.Next() {
		var col column
		var declared string
		if err := rows.Scan(append(append([]any{&col.name, &declared}, more...), &col.key)...); err != nil {
			return nil, err
		}
		columns = append(columns, of(col, declared))
	}
	return columns, rows.Err()
}

func (e *sqlEngine) read(ctx context.Context, work func(reader) error) error {
	return e.transact(ctx, false, func(c *sqlConn) error { return work(c) })
}

func (e *sqlEngine) write(ctx context.Context, work func(writer) error) error {
	return e.transact(ctx, true, func(c *sqlConn) error { return work(c) })
}

func (e *sqlEngine) transact(ctx context.Context, write bool, work func(*sqlConn) error) error {
	c, err := e.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	end, err := e.begin(ctx, c, write)
	if err != nil {
		return err
	}
	if err := work(&sqlConn{c}); err != nil {
		_ = end.Rollback()
		return err
	}
	if err := end.Commit(); err != nil {
		_ = end.Rollback()
		return err
	}
	return nil
}

// beginTx opens a transaction that a cancelled context does not end by itself: database/sql would roll
// it back beside the rows that are still being read on the same line, and both wait for ever. Queries
// keep their context; what is left is rolled back once they have ended.
func beginTx(ctx context.Context, c *sql.Conn, level sql.IsolationLevel) (*sql.Tx, error) {
	return c.BeginTx(context.WithoutCancel(ctx), &sql.TxOptions{Isolation: level})
}

// statements is a transaction made of statements, where database/sql cannot say how it begins.
type statements struct {
	ctx context.Context //nolint:containedctx // lives as long as the transaction
	c   *sql.Conn
}

func begin(ctx context.Context, c *sql.Conn, texts ...string) (ender, error) {
	for _, text := range texts {
		if _, err := c.ExecContext(ctx, text); err != nil {
			return nil, err
		}
	}
	return statements{ctx, c}, nil
}

func (s statements) Commit() error {
	_, err := s.c.ExecContext(s.ctx, "commit")
	return err
}

func (s statements) Rollback() error {
	_, err := s.c.ExecContext(context.WithoutCancel(s.ctx), "rollback")
	return err
}

type sqlConn struct{ *sql.Conn }

func (c *sqlConn) count(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = c.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

func (c *sqlConn) exec(ctx context.Context, query string, args ...any) error {
	_, err := c.ExecContext(ctx, query, args...)
	return err
}

func (c *sqlConn) rows(ctx context.Context, query string, args []any, columns []column, each func([][]byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	rows, err := c.QueryContext(ctx, query, args...)
	if err != nil {
		cancel()
		return err
	}
	defer func() { _ = rows.Close() }()
	defer cancel() // first: without it a driver reads the rest of the table to close
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	raw := make([]sql.RawBytes, len(names))
	into := make([]any, len(names))
	values := make([][]byte, len(names))
	scratch := make([][]byte, len(columns))
	for i := range raw {
		into[i] = &raw[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range raw {
			values[i] = v
			if v == nil || i >= len(columns) || columns[i].decode == nil {
				continue
			}
			if scratch[i], err = columns[i].decode(scratch[i][:0], v); err != nil {
				return err
			}
			values[i] = scratch[i]
		}
		if err := each(values); err != nil {
			return err
		}
	}
	return rows.Err()
}
