package dbtable

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"xinshu/connectors"
)

// postgres opens a connection for each pull: a department's server may close idle ones, and a pull is
// long. Values are cast to text by the server and taken from the wire as they come.
type postgres struct{ config *pgx.ConnConfig }

func openPostgres(ctx context.Context, r *connectors.Reader, wait time.Duration) (engine, error) {
	parts := []string{"host", "port", "database", "user", "sslmode"}
	names := map[string]string{"database": "dbname"}
	var dsn []string
	for _, part := range parts {
		name := part
		if n, ok := names[part]; ok {
			name = n
		}
		value := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(r.Text(part))
		dsn = append(dsn, name+"='"+value+"'")
	}
	config, err := pgx.ParseConfig(strings.Join(dsn, " "))
	if err != nil {
		return nil, err
	}
	config.Password = r.Text("password") // never part of a text that could be shown
	config.ConnectTimeout = wait
	// The zone makes a timestamp with zone come as Shanghai wall time; standard strings make literals literal.
	maps.Copy(config.RuntimeParams, map[string]string{"timezone": "Asia/Shanghai", "datestyle": "ISO, YMD", "intervalstyle": "postgres",
		"extra_float_digits": "1", "standard_conforming_strings": "on", "application_name": "xinshu"})
	e := &postgres{config: config}
	_, err = e.ping(ctx)
	return e, err
}

func (p *postgres) connect(ctx context.Context, work func(*pgx.Conn) error) error {
	c, err := pgx.ConnectConfig(ctx, p.config)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	return work(c)
}

func (p *postgres) ping(ctx context.Context) (text string, err error) {
	err = p.connect(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "select 'PostgreSQL ' || current_setting('server_version')").Scan(&text)
	})
	return text, err
}

func (p *postgres) close() error { return nil }

func (p *postgres) columns(ctx context.Context, schema, table string) (columns []column, err error) {
	const query = `select a.attname, t.typname from pg_attribute as a join pg_type as t on t.oid = a.atttypid
		where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped order by a.attnum`
	name := quote(table)
	if schema != "" {
		name = quote(schema) + "." + name
	}
	err = p.connect(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, query, name)
		if err != nil {
			return err
		}
		columns, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (column, error) {
			var name, kind string
			err := row.Scan(&name, &kind)
			text := pgText(quote(name), kind)
			return column{name, text, text}, err
		})
		return err
	})
	return columns, err
}

// pgText is the text of a value; a time with zone becomes Shanghai wall time without one.
func pgText(name, kind string) string {
	if kind == "timestamptz" {
		return "cast(" + name + " at time zone 'Asia/Shanghai' as text)"
	}
	return "cast(" + name + " as text)"
}

func (p *postgres) place() string { return "cast(ctid as text)" }

func (p *postgres) read(ctx context.Context, work func(reader) error) error {
	return p.transact(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(c *pgConn) error { return work(c) })
}

func (p *postgres) write(ctx context.Context, work func(writer) error) error {
	return p.transact(ctx, pgx.TxOptions{}, func(c *pgConn) error { return work(c) })
}

func (p *postgres) transact(ctx context.Context, options pgx.TxOptions, work func(*pgConn) error) error {
	return p.connect(ctx, func(c *pgx.Conn) error {
		tx, err := c.BeginTx(ctx, options)
		if err != nil {
			return err
		}
		if err := work(&pgConn{tx}); err != nil {
			_ = tx.Rollback(context.WithoutCancel(ctx))
			return err
		}
		return tx.Commit(ctx)
	})
}

type pgConn struct{ tx pgx.Tx }

func (c *pgConn) count(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = c.tx.QueryRow(ctx, query, args...).Scan(&n)
	return n, err
}

func (c *pgConn) exec(ctx context.Context, query string, args ...any) error {
	_, err := c.tx.Exec(ctx, query, args...)
	return err
}

func (c *pgConn) rows(ctx context.Context, query string, args []any, each func([][]byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	rows, err := c.tx.Query(ctx, query, args...)
	if err != nil {
		cancel()
		return err
	}
	defer rows.Close()
	defer cancel() // first: without it Close reads the rest of the table
	for rows.Next() {
		if err := each(rows.RawValues()); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (c *pgConn) at(places int) string {
	marks := make([]string, places)
	for i := range marks {
		marks[i] = fmt.Sprintf("cast($%d as tid)", i+1)
	}
	return fmt.Sprintf("ctid in (%s)", strings.Join(marks, ", "))
}

// locking keeps a row from being changed between looking at it and flagging it.
func (c *pgConn) locking() string { return " for update" }
