package dbtable

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

// each runs a test on every engine.
func each(t *testing.T, test func(t *testing.T, s server)) {
	t.Helper()
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) { test(t, start(t)) })
	}
}

// read pulls everything and gives one column, the last cursor and the pages.
func read(t *testing.T, src connectortest.Source, after connectors.Cursor) (rows []string, next connectors.Cursor, pages []connectors.Page, err error) {
	t.Helper()
	next = after
	for page, err := range src.Conn.(*conn).Pull(t.Context(), src.Job, after) {
		if err != nil {
			return rows, next, pages, err
		}
		if page.Batch != nil {
			rows = append(rows, connectortest.Column(page.Batch, src.Column)...)
			page.Batch.Release()
		}
		next, pages = page.Next, append(pages, page)
	}
	return rows, next, pages, nil
}

func mustRead(t *testing.T, src connectortest.Source, after connectors.Cursor) (string, connectors.Cursor) {
	t.Helper()
	rows, next, _, err := read(t, src, after)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(rows, " "), next
}

func TestRowsThatShareTheLastWatermarkAreNotLost(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.exec(t, "create table t (id text, op_time timestamp)")
		s.exec(t, "insert into t values ('b', '2025-10-28 09:00:00'), ('a', '2025-10-27 09:00:00')")
		src := s.source(t, connectors.Values{"table": "t", "mode": "watermark"})
		rows, next := mustRead(t, src, "")
		if rows != "a b" || next != `{"max":"2025-10-28 09:00:00"}` {
			t.Fatalf("%s to %s", rows, next)
		}
		if rows, same := mustRead(t, src, next); rows != "b" || same != next {
			t.Fatalf("%s to %s: only rows equal to the watermark may come again", rows, same)
		}
		s.exec(t, "insert into t values ('c', '2025-10-28 09:00:00'), ('d', '2025-10-28 09:00:00.5'), ('late', '2025-10-01 00:00:00')")
		if rows, next = mustRead(t, src, next); rows != "b c d" || next != `{"max":"2025-10-28 09:00:00.5"}` {
			t.Fatalf("%s to %s", rows, next)
		}
		src.Job.Values["lookback"] = "720h"
		if rows, same := mustRead(t, src, next); rows != "late a b c d" || same != next {
			t.Fatalf("%s to %s with a lookback", rows, same)
		}
		s.exec(t, "delete from t where id <> 'a'")
		if rows, same := mustRead(t, src, next); rows != "a" || same != next {
			t.Fatalf("%s to %s: the watermark moved back", rows, same)
		}
	})
}

func TestAWatermarkOfZeroIsLikeAnyOther(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.exec(t, "create table t (id text, op_time integer)")
		s.exec(t, "insert into t values ('a', 0), ('b', 0)")
		src := s.source(t, connectors.Values{"table": "t", "mode": "watermark"})
		rows, next := mustRead(t, src, "")
		if rows != "a b" || next != `{"max":"0"}` {
			t.Fatalf("%s to %s", rows, next)
		}
		s.exec(t, "insert into t values ('c', 10), ('d', 9), ('e', -1)")
		if rows, next = mustRead(t, src, next); rows != "a b d c" || next != `{"max":"10"}` {
			t.Fatalf("%s to %s", rows, next)
		}
	})
}

func TestTheOrderIsThatOfTheColumnsNotOfTheirText(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.exec(t, "create table t (id integer)")
		s.exec(t, "insert into t values (10), (9), (-1), (100)")
		if rows, _ := mustRead(t, s.source(t, connectors.Values{"table": "t", "key": "id"}), ""); rows != "-1 9 10 100" {
			t.Fatalf("got %s", rows)
		}
	})
}

func TestARealWatermarkIsKeptToItsLastDigit(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.exec(t, "create table t (id text, op_time double precision)")
		s.exec(t, "insert into t values ('a', 0.1), ('b', 2460976.8750000003)")
		src := s.source(t, connectors.Values{"table": "t", "mode": "watermark"})
		_, next := mustRead(t, src, "")
		if rows, _ := mustRead(t, src, next); rows != "b" {
			t.Fatalf("after %s came %q", next, rows)
		}
	})
}

func TestRowsWithoutWatermarkFollowTheDeclaredRule(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.exec(t, "create table t (id text, op_time timestamp)")
		s.exec(t, "insert into t values ('n', null), ('a', '2025-10-27 09:00:00'), ('b', '2025-10-28 09:00:00')")
		for rule, want := range map[string][2]string{"take": {"a b n", "b n"}, "leave": {"a b", "b"}} {
			src := s.source(t, connectors.Values{"table": "t", "mode": "watermark", "null_cursor": rule})
			first, next := mustRead(t, src, "")
			second, _ := mustRead(t, src, next)
			if sorted(first) != want[0] || sorted(second) != want[1] {
				t.Errorf("%s: %q, then %q; want %q", rule, first, second, want)
			}
		}
		src := s.source(t, connectors.Values{"table": "t", "mode": "watermark", "null_cursor": "refuse"})
		if _, _, _, err := read(t, src, ""); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "1 rows of t have no op_time") {
			t.Errorf("refuse gave %v", err)
		}
	})
}

func sorted(rows string) string {
	fields := strings.Fields(rows)
	for i := range fields {
		for j := i; j > 0 && fields[j] < fields[j-1]; j-- {
			fields[j], fields[j-1] = fields[j-1], fields[j]
		}
	}
	return strings.Join(fields, " ")
}

func TestARowChangedBetweenPullAndAckKeepsItsFlag(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.exec(t, "create table t (id text, name text, state integer not null default 0)")
		s.exec(t, "insert into t (id, name) values ('a', '甲'), ('b', '乙'), ('c', null), ('gone', '丁')")
		s.exec(t, "insert into t values ('taken', '戊', 1)")
		src := s.source(t, connectors.Values{"table": "t", "mode": "flag", "key": "id"})
		rows, next, pages, err := read(t, src, "")
		if err != nil || strings.Join(rows, " ") != "a b c gone" || next != "" {
			t.Fatalf("%v to %q, %v", rows, next, err)
		}
		if n := len(pages[0].Taken); n != 4 || strings.Contains(strings.Join(pages[0].Taken, ""), "甲") {
			t.Fatalf("%d handles: %v", n, pages[0].Taken)
		}
		s.exec(t, "update t set name = '乙改' where id = 'b'")
		s.exec(t, "delete from t where id = 'gone'")
		s.exec(t, "insert into t (id, name) values ('new', '新')")
		for range 2 {
			if err := src.Conn.(*conn).Ack(t.Context(), src.Job, connectortest.Handles(pages...)); err != nil {
				t.Fatal(err)
			}
			if again, _ := mustRead(t, src, ""); again != "b new" {
				t.Fatalf("after the acknowledgement came %q; want the changed and the new row", again)
			}
		}
	})
}

func TestManyRowsAreAcknowledgedInSeveralTransactions(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.exec(t, "create table t (id integer, state text)")
		s.exec(t, "insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 997) select i, '0' from n")
		src := s.source(t, connectors.Values{"table": "t", "mode": "flag", "key": "id", "flag_taken": "it's taken"})
		_, _, pages, err := read(t, src, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := src.Conn.(*conn).Ack(t.Context(), src.Job, connectortest.Handles(pages...)); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := s.db.QueryRowContext(t.Context(), "select count(*) from t where state = 'it''s taken'").Scan(&n); err != nil || n != 997 {
			t.Fatalf("%d rows are flagged, %v", n, err)
		}
		if err := src.Conn.(*conn).Ack(t.Context(), src.Job, connectortest.Handles(connectors.Page{Taken: []string{"no handle", "b2xk.a2V5#00"}})); err != nil {
			t.Fatalf("a handle of another kind or key stops the feed: %v", err)
		}
	})
}

func TestValuesComeAsTextWithoutLoss(t *testing.T) {
	for name, c := range map[string]struct {
		start func(testing.TB) server
		table string
		want  map[string]string
	}{
		"sqlite": {startSQLite, `create table v as select '2025-10-28 23:30:00' as wall, 12345678901234567 as n, 0.2 as r, null as x, '' as e, '税' as zh;
			create table w (id text, wall timestamp, day date, flag boolean); insert into w values ('1', '2025-10-28 23:30:00', '2025-10-28', 1)`,
			map[string]string{"wall": "2025-10-28 23:30:00", "n": "12345678901234567", "r": "0.2", "x": "<null>", "e": "", "zh": "税"}},
		"postgres": {startPostgres, `create table v as select timestamp '2025-10-28 23:30:00' as wall, timestamptz '2025-10-28 15:30:00.25Z' as zoned, date '2025-10-28' as day,
			12345678901234567890.10::numeric as n, 0.2::float8 as r, true as b, null::text as x, '' as e, '税' as zh, array[1,2] as a, '{"k": 1}'::jsonb as j`,
			map[string]string{"wall": "2025-10-28 23:30:00", "zoned": "2025-10-28 23:30:00.25", "day": "2025-10-28", "n": "12345678901234567890.10", "r": "0.2",
				"b": "true", "x": "<null>", "e": "", "zh": "税", "a": "{1,2}", "j": `{"k": 1}`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.start(t)
			s.exec(t, c.table)
			for column, want := range c.want {
				src := s.source(t, connectors.Values{"table": "v"})
				src.Column = column
				if got, _ := mustRead(t, src, ""); got != want {
					t.Errorf("%s = %q, want %q", column, got, want)
				}
			}
			if name == "sqlite" { // the driver would make UTC of these
				for column, want := range map[string]string{"wall": "2025-10-28 23:30:00", "day": "2025-10-28", "flag": "1"} {
					src := s.source(t, connectors.Values{"table": "w"})
					src.Column = column
					if got, _ := mustRead(t, src, ""); got != want {
						t.Errorf("typed %s = %q, want %q", column, got, want)
					}
				}
			}
		})
	}
}

func TestMistakesAreNamed(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.exec(t, "create table t (id text)")
		for says, values := range map[string]connectors.Values{
			`there is no table T"; drop table t; --`: {"table": `T"; drop table t; --`},
			"there is no table other.t":              {"table": "t", "schema": "other"},
			"table t has no column op_time":          {"table": "t", "mode": "watermark"},
			"table t has no column state":            {"table": "t", "mode": "flag"},
			"table t has no column nr":               {"table": "t", "key": "id, nr"},
			"table (table or view) is not set":       {},
			"mode is none of full, watermark, flag":  {"table": "t", "mode": "half"},
			"page_rows is above":                     {"table": "t", "page_rows": "10001"},
		} {
			if _, _, _, err := read(t, s.source(t, values), ""); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want %q", err, says)
			}
		}
		if _, _, _, err := read(t, s.source(t, connectors.Values{"table": "t"}), "not ours"); !fault.Is(err, fault.Invalid) {
			t.Errorf("a strange cursor gave %v", err)
		}
		if text, err := s.open(t).Test(t.Context()); err != nil || !strings.Contains(text.Place, "SQL") {
			t.Errorf("test says %v, %v", text, err)
		}
	})
}

func TestAViewIsReadLikeATable(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.exec(t, "create table t (id text)")
		s.exec(t, "insert into t values ('a'), ('b')")
		s.exec(t, "create view v as select id, 0 as state from t")
		if rows, _ := mustRead(t, s.source(t, connectors.Values{"table": "v"}), ""); rows != "a b" {
			t.Fatalf("got %s", rows)
		}
	})
}

func TestPagesAreCutByBytesToo(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.exec(t, "create table t (id integer, body text)")
		long := strings.Repeat("税", 1<<20)
		for i := range 6 {
			s.exec(t, "insert into t values ($1, $2)", i, long)
		}
		_, _, pages, err := read(t, s.source(t, connectors.Values{"table": "t"}), "")
		if err != nil || len(pages) != 2 {
			t.Fatalf("%d pages, %v", len(pages), err)
		}
	})
}

// A watermark with zone is compared as the instant it means, whatever the session's zone.
func TestAWatermarkWithZoneComesBackToItsRow(t *testing.T) {
	s := startPostgres(t)
	s.exec(t, "create table t (id text, op_time timestamptz)")
	s.exec(t, "insert into t values ('a', '2025-10-28 09:00:00+08'), ('b', '2025-10-28 09:30:00+08')")
	src := s.source(t, connectors.Values{"table": "t", "mode": "watermark"})
	_, next := mustRead(t, src, "")
	if rows, again := mustRead(t, src, next); rows != "b" || again != next || next != `{"max":"2025-10-28 09:30:00"}` {
		t.Fatalf("%s to %s", rows, again)
	}
}

// A pull reads one state of the table, whatever is written meanwhile.
func TestAPullReadsOneSnapshot(t *testing.T) {
	for name, start := range map[string]func(testing.TB) server{"postgres": startPostgres, "mysql": startMariaDB} { // SQLite lets nobody write meanwhile
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.exec(t, "create table t (id integer)")
			s.exec(t, "insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 50) select i from n")
			src := s.source(t, connectors.Values{"table": "t", "page_rows": "10"})
			n := int64(0)
			for page, err := range src.Conn.(*conn).Pull(t.Context(), src.Job, "") {
				if err != nil {
					t.Fatal(err)
				}
				if n == 0 {
					s.exec(t, "delete from t where id > 30")
					s.exec(t, "insert into t values (51)")
				}
				n += page.Batch.NumRows()
				page.Batch.Release()
			}
			if n != 50 {
				t.Fatalf("read %d rows of 50", n)
			}
		})
	}
}

func TestADatabaseThatIsAwayIsNotMadeAndShowsNoPassword(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.db")
	if _, err := Driver().Open(t.Context(), connectors.Values{"engine": "sqlite", "path": path}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a new database was made")
	}
	const password = "swordfish-7741"
	_, err := Driver().Open(t.Context(), connectors.Values{"engine": "postgres", "host": t.TempDir(), "database": "d' b", "user": "u", "password": password, "connect_timeout": "2s"})
	if !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), password) {
		t.Errorf("got %v", err)
	}
	_, err = Driver().Open(t.Context(), connectors.Values{"engine": "postgres", "port": "x", "password": password})
	for _, part := range []string{"host is not set", "database is not set", "user is not set", "port is no whole number"} {
		if !strings.Contains(fmt.Sprint(err), part) {
			t.Errorf("%q is missing in %v", part, err)
		}
	}
}

// Rows stream: a table far larger than a page is never in memory whole.
func TestALargeTableIsReadInLittleMemory(t *testing.T) {
	for name, start := range map[string]func(testing.TB) server{"postgres": startPostgres, "mysql": startMariaDB} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.exec(t, "create table t (id integer, body text)")
			s.exec(t, "insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 450) select a.i * 450 + b.i, repeat('税', 100) from n as a, n as b")
			src := s.source(t, connectors.Values{"table": "t", "key": "id", "mode": "watermark", "cursor_column": "id"})
			var most uint64
			n := int64(0)
			for page, err := range src.Conn.(*conn).Pull(t.Context(), src.Job, `{"max":"0"}`) { // with a parameter, as it is pulled daily
				if err != nil {
					t.Fatal(err)
				}
				n += page.Batch.NumRows()
				page.Batch.Release()
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
			if n != 450*450 || most > 40<<20 {
				t.Fatalf("read %d rows; %d MB alive at most", n, most>>20)
			}
		})
	}
}

func TestAnotherWriterIsWaitedFor(t *testing.T) {
	s := startSQLite(t)
	s.exec(t, "create table t (id text, state integer default 0)")
	s.exec(t, "insert into t (id) values ('a')")
	src := s.source(t, connectors.Values{"table": "t", "mode": "flag"})
	_, _, pages, err := read(t, src, "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ExecContext(t.Context(), "begin immediate"); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, func() {
		_, _ = c.ExecContext(t.Context(), "commit")
		_ = c.Close()
	})
	if err := src.Conn.(*conn).Ack(t.Context(), src.Job, connectortest.Handles(pages...)); err != nil {
		t.Fatal(err)
	}
}

func TestSettingsAreDeclaredWhole(t *testing.T) { connectortest.Settings(t, Driver()) }
