package dbtable

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/connectortest"
)

// listener is a driver of database/sql that notes every statement, and answers the first script line
// whose beginning it has. It stands in for servers that cannot be had where this is tested: what is
// sent is known, what such a server makes of it is not.
type listener struct {
	mu     sync.Mutex
	said   []string
	script []answer
}

type answer struct {
	contains string
	columns  int
	rows     [][]driver.Value
}

func (l *listener) note(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, strings.Join(strings.Fields(text), " "))
}

func (l *listener) Connect(context.Context) (driver.Conn, error) { return &listening{l}, nil }
func (l *listener) Driver() driver.Driver                        { return nil }

type listening struct{ *listener }

func (c *listening) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }
func (c *listening) Close() error                        { return nil }
func (c *listening) Begin() (driver.Tx, error)           { return c, nil }
func (c *listening) Commit() error                       { c.note("commit"); return nil }
func (c *listening) Rollback() error                     { c.note("rollback"); return nil }

func (c *listening) BeginTx(_ context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.note("begin " + sql.IsolationLevel(o.Isolation).String())
	return c, nil
}

func (c *listening) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.note(withArgs(query, args))
	return driver.RowsAffected(1), nil
}

func (c *listening) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.note(withArgs(query, args))
	for _, a := range c.script {
		if strings.Contains(query, a.contains) {
			return &given{columns: a.columns, rows: a.rows}, nil
		}
	}
	return nil, fmt.Errorf("nobody expected %s", query)
}

func withArgs(query string, args []driver.NamedValue) string {
	for _, a := range args {
		query += fmt.Sprintf(" {%v}", a.Value)
	}
	return query
}

type given struct {
	columns int
	rows    [][]driver.Value
}

func (g *given) Columns() []string { return make([]string, g.columns) }
func (g *given) Close() error      { return nil }
func (g *given) Next(into []driver.Value) error {
	if len(g.rows) == 0 {
		return io.EOF
	}
	copy(into, g.rows[0])
	g.rows = g.rows[1:]
	return nil
}

// heard runs a pull, and an acknowledgement where there is something to acknowledge, and gives what was said.
func (l *listener) heard(t *testing.T, speak func(*sql.DB, *time.Location) *sqlEngine, values connectors.Values, window *connectors.Window, after connectors.Cursor) (rows []string, said []string) {
	t.Helper()
	db := sql.OpenDB(l)
	t.Cleanup(func() { _ = db.Close() })
	c := &conn{engine: speak(db, connectors.Shanghai), zone: connectors.Shanghai}
	src := connectortest.Source{Conn: c, Column: values["column"], Job: connectors.Job{Dataset: catalog.Dataset{ID: "tax.grade"}, Window: window, Values: values}}
	delete(values, "column")
	rows, _, pages, err := read(t, src, after)
	if err != nil {
		t.Fatal(err)
	}
	if values["mode"] == flag {
		if err := c.Ack(t.Context(), src.Job, connectortest.Handles(pages...)); err != nil {
			t.Fatal(err)
		}
	}
	return rows, l.said
}

func said(t *testing.T, all []string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !slices.Contains(all, want) {
			t.Errorf("nobody said\n  %s\nbut\n  %s", want, strings.Join(all, "\n  "))
		}
	}
}

var oracleTable = answer{"from all_tab_columns", 4, [][]driver.Value{
	{"BH", "VARCHAR2", int64(-1), int64(1)}, {`O"K`, "CHAR", int64(-1), int64(0)}, {"JE", "NUMBER", int64(2), int64(0)}, {"RQ", "DATE", int64(-1), int64(0)},
	{"TS", "TIMESTAMP(6)", int64(6), int64(0)}, {"TZ", "TIMESTAMP(3) WITH TIME ZONE", int64(3), int64(0)}, {"FJ", "BLOB", int64(-1), int64(0)}, {"B", "RAW", int64(-1), int64(0)}, {"STATE", "NUMBER", int64(-1), int64(0)}}}

func TestWhatIsSaidToOracle(t *testing.T) {
	row := []driver.Value{"A1", "ok", ".5", "2025-10-28 23:30:00", "2025-10-28 23:30:00.500000", "2025-10-28 23:30:00.250", []byte{0, 255}, "00ff", "0"}
	const texts = `select "BH", rtrim("O""K"), to_char("JE", 'TM9', 'nls_numeric_characters=''.,'''), to_char("RQ", 'YYYY-MM-DD HH24:MI:SS'), ` +
		`to_char("TS", 'YYYY-MM-DD HH24:MI:SS.FF6'), to_char("TZ" at time zone '+08:00', 'YYYY-MM-DD HH24:MI:SS.FF3'), "FJ", lower(rawtohex("B"))`
	const state = `, to_char("STATE", 'TM9', 'nls_numeric_characters=''.,''')`
	t.Run("watermark", func(t *testing.T) {
		l := &listener{script: []answer{oracleTable, {"select count(*)", 1, [][]driver.Value{{int64(1)}}}, {`select "BH"`, 10, [][]driver.Value{append(slices.Clone(row), "2025-10-28 23:30:00")}}}}
		rows, all := l.heard(t, oracleEngine, connectors.Values{"table": "SWDJ", "schema": "DS", "mode": "watermark", "cursor_column": "rq", "column": "JE", "null_cursor": "take"}, nil, `{"max":"2025-10-28 23:00:00"}`)
		if strings.Join(rows, " ") != "0.5" {
			t.Errorf("a half came as %v", rows)
		}
		said(t, all, oracleSession, "begin Default", "set transaction read only",
			`select count(*) from "DS"."SWDJ" where ("RQ" >= to_date(:1, 'YYYY-MM-DD HH24:MI:SS') or "RQ" is null) {2025-10-28 23:00:00}`,
			texts+state+`, to_char("RQ", 'YYYY-MM-DD HH24:MI:SS') from "DS"."SWDJ" src where ("RQ" >= to_date(:1, 'YYYY-MM-DD HH24:MI:SS') or "RQ" is null) order by src."RQ", src."BH" {2025-10-28 23:00:00}`, "commit")
	})
	t.Run("window over an instant", func(t *testing.T) {
		l := &listener{script: []answer{oracleTable, {"select count(*)", 1, [][]driver.Value{{int64(0)}}}, {`select "BH"`, 10, nil}}}
		_, all := l.heard(t, oracleEngine, connectors.Values{"table": "SWDJ", "mode": "watermark", "cursor_column": "TZ"}, &connectors.Window{From: "2025-10-28", Until: "2025-10-28T16:00:00Z"}, "")
		said(t, all, `select count(*) from "SWDJ" where not ("TZ" is null) and "TZ" >= from_tz(to_timestamp(:1, 'YYYY-MM-DD HH24:MI:SS.FF9'), '+08:00') and "TZ" < from_tz(to_timestamp(:2, 'YYYY-MM-DD HH24:MI:SS.FF9'), '+08:00') `+
			`{2025-10-28 00:00:00.000000000} {2025-10-29 00:00:00.000000000}`)
	})
	t.Run("flag", func(t *testing.T) {
		place := append(slices.Clone(row[:8]), "AAAR3sAAEAAAACXAAA")
		l := &listener{script: []answer{oracleTable, {"select count(*)", 1, [][]driver.Value{{int64(1)}}}, {`select "BH"`, 9, [][]driver.Value{place}}}}
		_, all := l.heard(t, oracleEngine, connectors.Values{"table": "SWDJ", "mode": "flag", "flag_taken": "it's", "column": "BH"}, nil, "")
		said(t, all, texts+`, rowidtochar(rowid) from "SWDJ" src where "STATE" = '0' order by src."BH"`,
			texts+`, rowidtochar(rowid) from "SWDJ" where (rowid = chartorowid(:1)) and "STATE" = '0' for update {AAAR3sAAEAAAACXAAA}`,
			`update "SWDJ" set "STATE" = 'it''s' where (rowid = chartorowid(:1)) and "STATE" = '0' {AAAR3sAAEAAAACXAAA}`)
	})
	t.Run("names in capitals", func(t *testing.T) {
		l := &listener{script: []answer{{"nothing", 1, nil}}}
		l.script = []answer{{"from all_tab_columns", 4, nil}}
		db := sql.OpenDB(l)
		defer func() { _ = db.Close() }()
		c := &conn{engine: oracleEngine(db, connectors.Shanghai)}
		if _, _, _, err := c.find(t.Context(), "ds", "swdj"); err != nil || !strings.HasSuffix(l.said[0], "{ds} {swdj}") || !strings.HasSuffix(l.said[1], "{DS} {SWDJ}") {
			t.Errorf("%v, %v", l.said, err)
		}
	})
}

var sqlserverTable = answer{"from sys.columns", 4, [][]driver.Value{
	{"id", "bigint", int64(0), int64(2)}, {"a]b", "nvarchar", int64(0), int64(1)}, {"je", "decimal", int64(2), int64(0)}, {"rq", "datetime2", int64(3), int64(0)},
	{"tz", "datetimeoffset", int64(7), int64(0)}, {"c", "char", int64(0), int64(0)}, {"m", "money", int64(0), int64(0)}, {"f", "float", int64(0), int64(0)},
	{"b", "varbinary", int64(0), int64(0)}, {"u", "uniqueidentifier", int64(0), int64(0)}, {"x", "xml", int64(0), int64(0)}, {"state", "bit", int64(0), int64(0)}}}

func TestWhatIsSaidToSQLServer(t *testing.T) {
	const texts = `select cast([id] as nvarchar(60)), cast([a]]b] as nvarchar(max)), cast([je] as nvarchar(60)), convert(nvarchar(30), [rq], 121), ` +
		`convert(nvarchar(30), cast(switchoffset([tz], '+08:00') as datetime2(7)), 121), rtrim(cast([c] as nvarchar(max))), convert(nvarchar(60), [m], 2), convert(nvarchar(60), [f], 3), ` +
		`lower(convert(nvarchar(max), cast([b] as varbinary(max)), 2)), lower(cast([u] as nvarchar(36))), cast([x] as nvarchar(max))`
	row := []driver.Value{"1", "甲", "0.50", "2025-10-28 23:30:00.500", "2025-10-28 23:30:00.2500000", "c", "1.0000", "1.0000000000000001e-001", "00ff", "0199d1c2", "<a/>"}
	for allowed, level := range map[bool]string{true: "begin Snapshot", false: "begin Serializable"} {
		l := &listener{script: []answer{sqlserverTable, {"snapshot_isolation_state", 1, [][]driver.Value{{allowed}}}, {"select count(*)", 1, [][]driver.Value{{int64(1)}}}, {"select cast([id]", 13, [][]driver.Value{append(slices.Clone(row), true, "2025-10-28 23:30:00.2500000")}}}}
		rows, all := l.heard(t, sqlserverEngine, connectors.Values{"table": "t]x", "schema": "dbo", "mode": "watermark", "cursor_column": "tz", "column": "f"}, nil, `{"max":"2025-10-28 23:00:00"}`)
		if strings.Join(rows, " ") != "0.1" {
			t.Errorf("a tenth came as %v", rows)
		}
		said(t, all, level,
			texts+`, cast([state] as nvarchar(max)), convert(nvarchar(30), cast(switchoffset([tz], '+08:00') as datetime2(7)), 121) from [dbo].[t]]x] as src where ([tz] >= todatetimeoffset(cast(@p1 as datetime2(7)), '+08:00') or [tz] is null) order by src.[tz], src.[a]]b], src.[id] {2025-10-28 23:00:00}`)
	}
	place := append(slices.Clone(row), "甲", "1")
	l := &listener{script: []answer{sqlserverTable, {"snapshot_isolation_state", 1, [][]driver.Value{{true}}}, {"select count(*)", 1, [][]driver.Value{{int64(1)}}}, {"select cast([id]", 13, [][]driver.Value{place}}}}
	_, all := l.heard(t, sqlserverEngine, connectors.Values{"table": "t", "mode": "flag", "column": "id"}, nil, "")
	said(t, all, texts+`, cast([a]]b] as nvarchar(max)), cast([id] as nvarchar(60)) from [t] with (updlock, rowlock) where (([a]]b] = @p1 and [id] = cast(@p2 as bigint))) and [state] = N'0' {甲} {1}`,
		`update [t] set [state] = N'1' where (([a]]b] = @p1 and [id] = cast(@p2 as bigint))) and [state] = N'0' {甲} {1}`)
}

func TestRowsArePutIntoEachEngine(t *testing.T) {
	columns := []string{"rec_id", "version", "body"}
	for engine, want := range map[string]string{
		"oracle": `merge into "t" dst using (select :1 as "rec_id", :2 as "version", :3 as "body" from dual) src on (dst."rec_id" = src."rec_id") when matched then update set dst."version" = src."version", dst."body" = src."body" ` +
			`where src."version" > dst."version" when not matched then insert ("rec_id", "version", "body") values (src."rec_id", src."version", src."body")`,
		"sqlserver": `merge into [t] with (holdlock) as dst using (select @p1 as [rec_id], @p2 as [version], @p3 as [body]) as src on (dst.[rec_id] = src.[rec_id]) when matched and src.[version] > dst.[version] ` +
			`then update set dst.[version] = src.[version], dst.[body] = src.[body] when not matched then insert ([rec_id], [version], [body]) values (src.[rec_id], src.[version], src.[body]);`,
		"mysql":    "insert into `t` (`rec_id`, `version`, `body`) values (?, ?, ?) on duplicate key update `body` = if(values(`version`) > `version`, values(`body`), `body`), `version` = greatest(`version`, values(`version`))",
		"postgres": `insert into "t" as dst ("rec_id", "version", "body") values ($1, $2, $3) on conflict ("rec_id") do update set "version" = excluded."version", "body" = excluded."body" where excluded."version" > dst."version"`,
	} {
		speak := dialects()[engine]
		if got := speak.upsert(speak, speak.name("", "t"), columns); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", engine, got, want)
		}
	}
	for _, statement := range DDL("oracle", "ds", "JG", "FK") {
		if !strings.HasPrefix(statement, `create table "ds"."`) || strings.HasSuffix(statement, ";") {
			t.Errorf("%s", statement)
		}
	}
}

// The example of a vendor's engine is code that compiles, and stands beside the others once it is built in.
func TestTheVendorExampleCompiles(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "vet", "-tags", "vendor_example", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
