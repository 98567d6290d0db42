package dbtable

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

// sqlite reads values through casts to text: the driver itself would turn a wall time in a column
// declared timestamp into UTC.
type sqlite struct {
	db   *sql.DB
	path string
}

func openSQLite(path string) (engine, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	// The journal mode stays as the department set it; mode=rw never makes a new file.
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=rw&_busy_timeout=10000&_txlock=deferred"}
	db, err := sql.Open("sqlite3", dsn.String())
	if err != nil {
		return nil, err
	}
	return &sqlite{db: db, path: path}, nil
}

func (s *sqlite) ping(ctx context.Context) (string, error) {
	var version, tables string
	err := s.db.QueryRowContext(ctx, "select sqlite_version(), (select count(*) from sqlite_master where type in ('table', 'view'))").Scan(&version, &tables)
	return "SQLite " + version + ", " + tables + " tables and views", err
}

func (s *sqlite) close() error { return s.db.Close() }

func (s *sqlite) columns(ctx context.Context, schema, table string) ([]column, error) {
	if schema == "" {
		schema = "main"
	}
	var attached bool
	err := s.db.QueryRowContext(ctx, "select count(*) > 0 from pragma_database_list where name = $1", schema).Scan(&attached)
	if err != nil || !attached {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, "select name from pragma_table_info($1, $2) order by cid", table, schema)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var columns []column
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		q := quote(name)
		text := "cast(" + q + " as text)"
		// A cast stops at 15 digits, which is what people see; 17 bring every real number back.
		columns = append(columns, column{name, text, "case typeof(" + q + ") when 'real' then printf('%!.17g', " + q + ") else " + text + " end"})
	}
	return columns, rows.Err()
}

func (s *sqlite) place() string { return "cast(rowid as text)" }

func (s *sqlite) read(ctx context.Context, work func(reader) error) error {
	return s.transact(ctx, "begin", func(c *sqliteConn) error { return work(c) })
}

func (s *sqlite) write(ctx context.Context, work func(writer) error) error {
	return s.transact(ctx, "begin immediate", func(c *sqliteConn) error { return work(c) })
}

// transact runs on one connection, because the way a transaction begins is chosen per use.
func (s *sqlite) transact(ctx context.Context, begin string, work func(*sqliteConn) error) error {
	c, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ExecContext(ctx, begin); err != nil {
		return err
	}
	if err := work(&sqliteConn{c}); err != nil {
		_, _ = c.ExecContext(context.WithoutCancel(ctx), "rollback")
		return err
	}
	if _, err := c.ExecContext(ctx, "commit"); err != nil {
		_, _ = c.ExecContext(context.WithoutCancel(ctx), "rollback")
		return err
	}
	return nil
}

type sqliteConn struct{ *sql.Conn }

func (c *sqliteConn) count(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = c.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

func (c *sqliteConn) exec(ctx context.Context, query string, args ...any) error {
	_, err := c.ExecContext(ctx, query, args...)
	return err
}

func (c *sqliteConn) rows(ctx context.Context, query string, args []any, each func([][]byte) error) error {
	rows, err := c.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	raw := make([]sql.RawBytes, len(names))
	into := make([]any, len(names))
	values := make([][]byte, len(names))
	for i := range raw {
		into[i] = &raw[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range raw {
			values[i] = v
		}
		if err := each(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (c *sqliteConn) at(places int) string {
	marks := make([]string, places)
	for i := range marks {
		marks[i] = "cast($" + strconv.Itoa(i+1) + " as integer)"
	}
	return fmt.Sprintf("rowid in (%s)", strings.Join(marks, ", "))
}

// locking is not needed: begin immediate keeps other writers out.
func (c *sqliteConn) locking() string { return "" }
