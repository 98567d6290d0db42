package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"xinshu/internal/fault"
)

// Table is one table of run state as it is written out: the same names on either database.
type Table struct {
	Name    string
	Columns []string
}

// Dump hands every table to each, a table after those it refers to, all of them as they stood at one
// moment: writers are not held up and what they write meanwhile is not seen. Sessions and nodes are left out. A value is an int64, a
// float64, a string, a []byte or nil. It gives the number of the newest migration of the database.
func (s *State) Dump(ctx context.Context, each func(t Table, rows iter.Seq2[[]any, error]) error) (version int64, err error) {
	const op = "write out run state"
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, failed(op, err)
	}
	defer func() { _ = conn.Close() }() // what was read was checked as it came
	kind := schemaOf(s.postgres)
	// Not BeginTx: on SQLite it would take the write lock and hold up every writer.
	if _, err := conn.ExecContext(ctx, kind.begin); err != nil {
		return 0, failed(op, err)
	}
	defer func() {
		_, undone := conn.ExecContext(context.WithoutCancel(ctx), `rollback`)
		err = errors.Join(err, undone)
	}()
	if err := conn.QueryRowContext(ctx, `select coalesce(max(version_id), 0) from goose_db_version`).Scan(&version); err != nil {
		return 0, failed(op, err)
	}
	tables, err := kind.tables(ctx, conn)
	if err != nil {
		return 0, failed(op, err)
	}
	for _, t := range tables {
		if passing[t.Name] {
			continue
		}
		if err := each(t, rowsOf(ctx, conn, t)); err != nil {
			return 0, failed(op+" "+t.Name, err)
		}
	}
	return version, nil
}

// passing are the tables of what ends with the life of a hub: who is signed in, which nodes are up. A
// session that was signed out after the backup must not come to life again with it.
var passing = map[string]bool{"account_session": true, "setup_token": true, "node": true, "lease": true}

// rowsOf reads a table row by row.
func rowsOf(ctx context.Context, conn *sql.Conn, t Table) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		rows, err := conn.QueryContext(ctx, `select `+quoted(t.Columns)+` from `+quoted([]string{t.Name}))
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
		for rows.Next() {
			values, at := make([]any, len(t.Columns)), make([]any, len(t.Columns))
			for i := range values {
				at[i] = &values[i]
			}
			err := rows.Scan(at...)
			for i, v := range values {
				if err == nil {
					err = plain(v, t, t.Columns[i])
				}
			}
			if !yield(values, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// plain refuses a value that the written form cannot carry whole.
func plain(v any, t Table, column string) error {
	switch v := v.(type) {
	case nil, int64, float64, []byte:
		return nil
	case string:
		if utf8.ValidString(v) {
			return nil
		}
		return fault.Newf(fault.Invalid, "read "+t.Name, "column %s holds text that is no UTF-8", column)
	default:
		return fault.Newf(fault.Internal, "read "+t.Name, "column %s holds a %T; run state keeps whole numbers, text and bytes", column, v)
	}
}

// schema is how one of the two databases is asked for what it holds. It is the one place where the
// two are asked in different words: each has a catalogue of its own.
type schema struct{ begin, names, columns, parents string }

func schemaOf(postgres bool) schema {
	if postgres {
		return schema{
			begin:   `begin isolation level repeatable read read only`,
			names:   `select table_name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE' and table_name <> 'goose_db_version' order by table_name`,
			columns: `select column_name from information_schema.columns where table_schema = current_schema() and table_name = $1 order by ordinal_position`,
			parents: `select distinct p.relname from pg_constraint as c join pg_class as p on p.oid = c.confrelid join pg_class as r on r.oid = c.conrelid
				where c.contype = 'f' and r.relname = $1 and r.relnamespace = current_schema()::regnamespace and p.oid <> r.oid`,
		}
	}
	return schema{
		begin:   `begin deferred`,
		names:   `select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name <> 'goose_db_version' order by name`,
		columns: `select name from pragma_table_info($1) order by cid`,
		parents: `select distinct "table" from pragma_foreign_key_list($1) where "table" <> $1`,
	}
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// tables lists the tables by name, but a table after those it refers to.
func (k schema) tables(ctx context.Context, db querier) ([]Table, error) {
	names, err := texts(ctx, db, k.names)
	if err != nil {
		return nil, err
	}
	parents := map[string][]string{}
	columns := map[string][]string{}
	for _, name := range names {
		if columns[name], err = texts(ctx, db, k.columns, name); err != nil {
			return nil, err
		}
		if parents[name], err = texts(ctx, db, k.parents, name); err != nil {
			return nil, err
		}
	}
	var ordered []Table
	placed := map[string]bool{}
	for len(ordered) < len(names) {
		before := len(ordered)
		for _, name := range names {
			ready := !slices.ContainsFunc(parents[name], func(p string) bool { return !placed[p] })
			if ready && !placed[name] {
				placed[name] = true
				ordered = append(ordered, Table{Name: name, Columns: columns[name]})
			}
		}
		if len(ordered) == before {
			return nil, fault.Newf(fault.Internal, "order the tables of run state", "tables refer to one another in a circle")
		}
	}
	return ordered, nil
}

func texts(ctx context.Context, db querier, query string, args ...any) ([]string, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var found []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		found = append(found, text)
	}
	return found, rows.Err()
}

func quoted(names []string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, `"%s"`, strings.ReplaceAll(name, `"`, `""`))
	}
	return b.String()
}
