package dbtable

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

// feed is a table with a watermark of a type.
func (s server) feed(t *testing.T, declared string) connectortest.Feed {
	t.Helper()
	s.exec(t, "create table feed (id text, op_time "+declared+")")
	return connectortest.Feed{Column: "cursor_column",
		Put: func(t *testing.T, rows ...connectortest.FeedRow) {
			t.Helper()
			for _, row := range rows {
				var at any
				if row.At != "" {
					at = row.At
				}
				s.exec(t, "insert into feed (id, op_time) values ($1, $2)", row.ID, at)
			}
		},
		Open: func(t *testing.T, settings connectors.Values, window *connectors.Window) connectortest.Source {
			t.Helper()
			values := connectors.Values{"table": "feed", "mode": "watermark"}
			maps.Copy(values, settings)
			src := s.source(t, values)
			src.Job.Window = window
			return src
		}}
}

// behaviour runs one of the shared cases on every engine, and on every type a time is kept in.
func behaviour(t *testing.T, number string) {
	t.Helper()
	for name, test := range connectortest.Behaviours {
		if !strings.HasPrefix(name, number+" ") {
			continue
		}
		for engine, start := range servers() {
			for _, declared := range map[string][]string{"sqlite": {"timestamp", "text"}, "postgres": {"timestamp", "timestamptz"}, "mysql": {"datetime", "TIMESTAMP(6) NULL"}}[engine] {
				t.Run(engine+" "+declared+": "+name, func(t *testing.T) {
					s := start(t)
					if engine == "postgres" { // its sessions write instants as Shanghai's clocks show them
						s.exec(t, `do $$ begin execute format('alter database %I set timezone to ''Asia/Shanghai''', current_database()); end $$`)
						s.db.SetMaxIdleConns(0)
					}
					test(t, s.feed(t, declared))
				})
			}
		}
		return
	}
	t.Fatalf("there is no behaviour %s", number)
}

func TestBehaviour01ARowEqualToTheLastWatermarkComesAloneAgain(t *testing.T) { behaviour(t, "01") }
func TestBehaviour02RowsThatShareTheLastWatermarkAreFound(t *testing.T)      { behaviour(t, "02") }
func TestBehaviour03IdenticalRowsWithoutAKeyAreAllThere(t *testing.T)        { behaviour(t, "03") }
func TestBehaviour04RowsInAnyOrderLeaveTheGreatestWatermark(t *testing.T)    { behaviour(t, "04") }
func TestBehaviour05AFailedPullLeavesTheWatermarkGood(t *testing.T)          { behaviour(t, "05") }
func TestBehaviour06AWindowDoesNotMoveTheCursor(t *testing.T)                { behaviour(t, "06") }
func TestBehaviour07WindowsNeitherOverlapNorLeaveAGap(t *testing.T)          { behaviour(t, "07") }
func TestBehaviour08AMissingWatermarkColumnIsNamed(t *testing.T)             { behaviour(t, "08") }
func TestBehaviour09RowsWithoutWatermarkFollowTheRule(t *testing.T)          { behaviour(t, "09") }
func TestBehaviour10AFullReloadBeginsAnew(t *testing.T)                      { behaviour(t, "10") }
func TestBehaviour11ALookbackBringsTheCursorBackNowhere(t *testing.T)        { behaviour(t, "11") }

func TestBehaviour12AWatermarkOf0IsLikeAnyOther(t *testing.T) {
	each(t, func(t *testing.T, s server) { connectortest.Behaviour12(t, s.feed(t, "integer")) })
}

func TestBehaviour13ABoundWithAZoneIsTheInstantItMeans(t *testing.T)   { behaviour(t, "13") }
func TestBehaviour14AGapBetweenWindowsIsReadByItself(t *testing.T)     { behaviour(t, "14") }
func TestBehaviour15NoRowsLeaveTheCursorWhereItWas(t *testing.T)       { behaviour(t, "15") }
func TestBehaviour16TwoReadsOfWhatDidNotChangeAreTheSame(t *testing.T) { behaviour(t, "16") }
func TestBehaviour17ASecondReadGivesNothingBefore(t *testing.T)        { behaviour(t, "17") }

// Text holds what the source wrote: a time with zone and one without do not compare, so the pull says so.
func TestBehaviour13TextWithAndWithoutZoneIsRefused(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		feed := s.feed(t, "varchar(40)")
		feed.Put(t, connectortest.FeedRow{ID: "a", At: "2025-10-28T01:00:00Z"}, connectortest.FeedRow{ID: "b", At: "2025-10-28T02:00:00Z"})
		rows, next := mustRead(t, feed.Open(t, nil, nil), "")
		if rows != "a b" {
			t.Fatalf("one way of writing: %s", rows)
		}
		refused := func(src connectortest.Source, after connectors.Cursor, says string) {
			t.Helper()
			if _, _, _, err := read(t, src, after); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want %q", err, says)
			}
		}
		refused(feed.Open(t, nil, &connectors.Window{From: "2025-10-28 09:00:00"}), "", "unlike 2025-10-28 09:00:00")
		feed.Put(t, connectortest.FeedRow{ID: "lost", At: "2025-10-28 09:30:00"})
		refused(feed.Open(t, nil, nil), next, "2 of its 3 times are written with a zone")
		s.exec(t, "update feed set op_time = '2025-10-28T09:10:00' where id <> 'lost'")
		refused(feed.Open(t, nil, nil), "", "T between day and hour")
		s.exec(t, "update feed set op_time = '2025-10-28 09:10:00'")
		refused(feed.Open(t, nil, nil), next, "unlike 2025-10-28T02:00:00Z")
	})
}

// A million rows of one watermark leave a cursor of a few bytes, and the millionth and first is found.
func TestAMillionRowsOfOneWatermarkKeepASmallCursor(t *testing.T) {
	s := startSQLite(t)
	s.exec(t, "create table t (id integer primary key, op_time timestamp)")
	s.exec(t, "insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000) select i, '2025-10-28 09:00:00' from n")
	src := s.source(t, connectors.Values{"table": "t", "mode": "watermark"})
	count := func(after connectors.Cursor) (n int64, next connectors.Cursor) {
		t.Helper()
		for page, err := range src.Conn.(*conn).Pull(t.Context(), src.Job, after) {
			if err != nil {
				t.Fatal(err)
			}
			n, next = n+page.Batch.NumRows(), page.Next
			page.Batch.Release()
			if len(next) > 1000 {
				t.Fatalf("a cursor of %d bytes", len(next))
			}
		}
		return n, next
	}
	n, next := count("")
	if n != 1_000_000 {
		t.Fatalf("%d rows", n)
	}
	s.exec(t, "insert into t values (1000001, '2025-10-28 09:00:00')")
	if n, same := count(next); n != 1_000_001 || same != next {
		t.Fatalf("%d rows to %s", n, same)
	}
}

func TestAFullPullSaysThatItWasWhole(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.exec(t, "create table t (id text, op_time timestamp, state integer default 0)")
		whole := func(values connectors.Values, after connectors.Cursor) (said []bool) {
			t.Helper()
			values["table"], values["page_rows"], values["key"] = "t", "2", "id"
			src := s.source(t, values)
			for page, err := range src.Conn.(*conn).Pull(t.Context(), src.Job, after) {
				if err != nil {
					t.Fatal(err)
				}
				said = append(said, page.Whole)
				if page.Batch != nil {
					page.Batch.Release()
				} else if page.Next != "" || page.Declared == nil || *page.Declared != 0 {
					t.Fatalf("an empty source gave %+v", page)
				}
			}
			return said
		}
		if said := whole(connectors.Values{}, ""); !slices.Equal(said, []bool{true}) {
			t.Errorf("an empty table: %v", said)
		}
		s.exec(t, "insert into t (id) values ('a'), ('b'), ('c')")
		if said := whole(connectors.Values{}, ""); !slices.Equal(said, []bool{false, true}) {
			t.Errorf("three rows: %v", said)
		}
		for _, said := range [][]bool{whole(connectors.Values{}, `{"offset":2}`), whole(connectors.Values{"mode": "watermark"}, ""), whole(connectors.Values{"mode": "flag"}, "")} {
			if slices.Contains(said, true) {
				t.Errorf("part of a table is said to be whole")
			}
		}
	})
}

func TestAWindowNeedsAWatermark(t *testing.T) {
	s := startSQLite(t)
	s.exec(t, "create table t (id text, op_time timestamp, state integer)")
	for _, mode := range []string{full, flag} {
		src := s.source(t, connectors.Values{"table": "t", "mode": mode})
		src.Job.Window = &connectors.Window{From: "2025-01-01"}
		if _, _, _, err := read(t, src, ""); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "a window is a stretch of the watermark, and mode is "+mode) {
			t.Errorf("got %v", err)
		}
	}
}
