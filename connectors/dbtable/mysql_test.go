package dbtable

import (
	"maps"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

// value makes a table of one column, puts a value in by a literal, and pulls it.
func (s server) value(t *testing.T, declared, literal string, settings connectors.Values) string {
	t.Helper()
	s.exec(t, "drop table if exists v")
	s.exec(t, "create table v (v "+declared+")")
	s.exec(t, "insert into v values ("+literal+")")
	values := s.values
	s.values = connectors.Values{}
	for _, from := range []connectors.Values{values, settings} {
		maps.Copy(s.values, from)
	}
	src := s.source(t, connectors.Values{"table": "v"})
	src.Column = "v"
	rows, _, pages, err := read(t, src, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		return "refused: " + pages[0].Rejects[0].Reason
	}
	return rows[0]
}

func TestMySQLValuesComeAsTextWithoutLoss(t *testing.T) {
	s := startMariaDB(t)
	for _, c := range []struct{ declared, literal, want string }{
		{"bigint unsigned", "18446744073709551615", "18446744073709551615"},
		{"bigint", "-9223372036854775808", "-9223372036854775808"},
		{"int(6) zerofill", "42", "000042"},
		{"decimal(38,10)", "1234567890123456789012345678.0123456789", "1234567890123456789012345678.0123456789"},
		{"decimal(10,2)", "-0.50", "-0.50"},
		{"float", "1234567", "1.234567e+06"},
		{"float", "0.1", "0.1"},
		{"double", "2460976.8750000003", "2460976.8750000005"},
		{"bit(1)", "b'1'", "1"},
		{"bit(64)", "b'1111111111111111111111111111111111111111111111111111111111111111'", "18446744073709551615"},
		{"boolean", "true", "1"},
		{"year", "2025", "2025"},
		{"date", "'2025-10-28'", "2025-10-28"},
		{"date", "'0000-00-00'", "<null>"},
		{"date", "'2025-10-00'", "2025-10-00"},
		{"datetime", "'0000-00-00 00:00:00'", "<null>"},
		{"datetime", "'2025-10-28 23:30:00'", "2025-10-28 23:30:00"},
		{"datetime(6)", "'2025-10-28 23:30:00.000001'", "2025-10-28 23:30:00.000001"},
		{"datetime(6)", "'2025-10-28 23:30:00.5'", "2025-10-28 23:30:00.5"},
		{"TIMESTAMP NULL", "'2025-10-28 23:30:00'", "2025-10-28 23:30:00"},
		{"TIMESTAMP NULL", "'0000-00-00 00:00:00'", "<null>"},
		{"time(3)", "'-838:59:59.5'", "-838:59:59.500"},
		{"char(10)", "'ab  '", "ab"},
		{"varchar(10)", "'ab  '", "ab  "},
		{"varchar(20)", "''", ""},
		{"varchar(20)", "null", "<null>"},
		{"varchar(20) character set utf8mb4", "'𠀀😀税'", "𠀀😀税"},
		{"varchar(20) character set gbk", "'镕堃'", "镕堃"},
		{"varchar(20) character set latin1", "'café'", "café"},
		{"varchar(20) character set utf16", "'税'", "税"},
		{"binary(4)", "0x00ff1a", "00ff1a00"},
		{"varbinary(20)", "''", ""},
		{"blob", "0xe7a88e", "e7a88e"},
		{"enum('优','良')", "'良'", "良"},
		{"set('a','b')", "'a,b'", "a,b"},
		{"json", `'{"a": [1, "税"]}'`, `{"a": [1, "税"]}`},
		{"point", "point(1, 2.5)", "POINT(1 2.5)"},
		{"uuid", "'0199d1c2-1234-7abc-8def-0123456789ab'", "0199d1c2-1234-7abc-8def-0123456789ab"},
		{"longtext", `'it''s \\'`, `it's \`},
	} {
		if got := s.value(t, c.declared, c.literal, nil); got != c.want {
			t.Errorf("%s of %s came as %q, want %q", c.literal, c.declared, got, c.want)
		}
	}
}

// Old systems wrote GBK bytes into columns that the database takes for latin1.
func TestWhatLatin1ColumnsHoldIsDeclared(t *testing.T) {
	s := startMariaDB(t)
	const gbk = "_latin1 0xcbb0cef1" // 税务
	for holds, want := range map[string]string{"gbk": "税务", "latin1": "Ë°Îñ", "utf8": "refused: ENCODING"} {
		if got := s.value(t, "varchar(20) character set latin1", gbk, connectors.Values{"latin1_holds": holds}); got != want {
			t.Errorf("%s: %q, want %q", holds, got, want)
		}
	}
	if got := s.value(t, "varchar(20) character set latin1", "_latin1 0xcbff", connectors.Values{"latin1_holds": "gbk"}); got != "refused: ENCODING" {
		t.Errorf("bytes that GBK does not have came as %q", got)
	}
	if got := s.value(t, "varchar(20) character set utf8mb4", "'税'", connectors.Values{"latin1_holds": "gbk"}); got != "税" {
		t.Errorf("a column that says what it holds came as %q", got)
	}
}

// Eight hours: what a source in UTC calls 16:00 is midnight in Shanghai. Only times that carry no zone
// are moved, by what is declared, and a day stays the day it is.
func TestTheZoneOfTheSourceIsDeclared(t *testing.T) {
	for engine, c := range map[string]struct {
		start        func(testing.TB) server
		wall, zoned  string
		literal      string // 16:00 of the source, which is midnight of the 29th where it is in UTC
		zonedLiteral string
	}{
		"mysql":    {startMariaDB, "datetime", "TIMESTAMP NULL", "'2025-10-28 16:00:00'", "'2025-10-29 00:00:00'"},
		"postgres": {startPostgres, "timestamp", "timestamptz", "'2025-10-28 16:00:00'", "'2025-10-28 16:00:00Z'"},
		"sqlite":   {startSQLite, "datetime", "", "'2025-10-28 16:00:00'", ""},
	} {
		t.Run(engine, func(t *testing.T) {
			s := c.start(t)
			for zone, want := range map[string]string{"UTC": "2025-10-29 00:00:00", "Asia/Shanghai": "2025-10-28 16:00:00", "Asia/Tokyo": "2025-10-28 15:00:00"} {
				settings := connectors.Values{"zone": zone}
				if got := s.value(t, c.wall, c.literal, settings); got != want {
					t.Errorf("%s, %s: %s, want %s", zone, c.wall, got, want)
				}
				if got := s.value(t, "date", "'2025-10-28'", settings); got != "2025-10-28" {
					t.Errorf("%s: a day became %s", zone, got)
				}
				if c.zoned == "" {
					continue
				}
				if got := s.value(t, c.zoned, c.zonedLiteral, settings); got != "2025-10-29 00:00:00" {
					t.Errorf("%s, %s: %s", zone, c.zoned, got)
				}
			}
			s.values["zone"] = "Mars/Olympus"
			if _, err := Driver().Open(t.Context(), s.values); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "zone is no time zone") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A watermark is kept as the source writes it, whatever zone its times are brought to.
func TestAWatermarkStaysInTheZoneOfItsSource(t *testing.T) {
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.values["zone"] = "UTC"
			feed := s.feed(t, map[string]string{"mysql": "datetime(3)", "postgres": "timestamp", "sqlite": "datetime"}[name])
			feed.Put(t, connectortest.FeedRow{ID: "a", At: "2025-10-28 01:00:00"}, connectortest.FeedRow{ID: "b", At: "2025-10-28 02:00:00.5"})
			src := feed.Open(t, nil, nil)
			_, next := mustRead(t, src, "")
			if next != `{"max":"2025-10-28 02:00:00.5"}` {
				t.Fatalf("the watermark is %s", next)
			}
			if rows, _ := mustRead(t, src, next); rows != "b" {
				t.Fatalf("after it came %q", rows)
			}
			src.Column = "op_time"
			if times, _ := mustRead(t, src, next); times != "2025-10-28 10:00:00.5" {
				t.Fatalf("the time came as %s", times)
			}
			// The window's end names its zone: 10:00 of Shanghai is 02:00 of the source.
			window := feed.Open(t, nil, &connectors.Window{Until: "2025-10-28T10:00:00+08:00"})
			if rows, _ := mustRead(t, window, ""); rows != "a" {
				t.Fatalf("the window holds %q", rows)
			}
		})
	}
}

// A new row without a date is none of those before the watermark: the rule for rows without one holds.
func TestAZeroDateIsARowWithoutWatermark(t *testing.T) {
	s := startMariaDB(t)
	s.exec(t, "create table t (id text, op_time datetime not null)")
	s.exec(t, "insert into t values ('a', '2025-10-28 09:00:00')")
	src := s.source(t, connectors.Values{"table": "t", "mode": "watermark"})
	_, next := mustRead(t, src, "")
	s.exec(t, "insert into t values ('zero', '0000-00-00 00:00:00')")
	if rows, same := mustRead(t, src, next); sorted(rows) != "a zero" || same != next {
		t.Fatalf("%s to %s", rows, same)
	}
	src.Job.Values["null_cursor"] = "refuse"
	if _, _, _, err := read(t, src, next); !fault.Is(err, fault.Invalid) {
		t.Fatalf("got %v", err)
	}
}

// MySQL gives rows no place of their own: they are found again by their key, of any number of columns.
func TestAKeyOfSeveralColumnsFindsRowsAgain(t *testing.T) {
	s := startMariaDB(t)
	s.exec(t, "create table t (dept varchar(20), nr bigint unsigned, day date, name varchar(20), state char(2) default '0', primary key (nr, dept, day))")
	s.exec(t, "insert into t (dept, nr, day, name) values ('税#务.', 18446744073709551615, '2025-10-28', '甲'), ('税#务.', 18446744073709551614, '2025-10-28', '乙'), ('b', 1, '2025-10-28', '丙')")
	src := s.source(t, connectors.Values{"table": "t", "mode": "flag"})
	src.Column = "name"
	_, _, pages, err := read(t, src, "")
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(pages[0].Taken, " "); strings.Contains(text, "甲") {
		t.Fatalf("the handles show a row: %s", text)
	}
	s.exec(t, "update t set name = '丙改' where nr = 1")
	if err := src.Conn.(*conn).Ack(t.Context(), src.Job, connectortest.Handles(pages...)); err != nil {
		t.Fatal(err)
	}
	if rows, _ := mustRead(t, src, ""); rows != "丙改" {
		t.Fatalf("left are %s", rows)
	}
}

func TestAKeyThatIsAPersonsNumberIsRefused(t *testing.T) {
	s := startMariaDB(t)
	s.exec(t, "create table t (id varchar(20) primary key, state integer default 0)")
	s.exec(t, "insert into t (id) values ('11010519491231002X')")
	src := s.source(t, connectors.Values{"table": "t", "mode": "flag"})
	if _, _, _, err := read(t, src, ""); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "11010519491231002X") {
		t.Fatalf("got %v", err)
	}
}

func TestATableWithoutKeyIsNotPulledByFlag(t *testing.T) {
	s := startMariaDB(t)
	s.exec(t, "create table t (id text, name text, state integer default 0)")
	s.exec(t, "insert into t (id, name) values ('a', '甲'), ('a', '乙')")
	if _, _, _, err := read(t, s.source(t, connectors.Values{"table": "t", "mode": "flag"}), ""); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "no primary key") {
		t.Fatalf("got %v", err)
	}
	src := s.source(t, connectors.Values{"table": "t", "mode": "flag", "key": "id"}) // which does not tell the rows apart
	_, _, pages, err := read(t, src, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Conn.(*conn).Ack(t.Context(), src.Job, connectortest.Handles(pages...)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "share one key and differ") {
		t.Fatalf("got %v", err)
	}
}

func TestAnotherDatabaseOfTheServerIsASchema(t *testing.T) {
	s := startMariaDB(t)
	s.exec(t, "create table `here` (id varchar(20))")
	s.exec(t, "insert into `here` values ('a')")
	src := s.source(t, connectors.Values{"table": "here", "schema": s.values["database"]})
	s.values["database"] = "information_schema"
	src.Conn = s.open(t)
	if rows, _ := mustRead(t, src, ""); rows != "a" {
		t.Fatalf("got %s", rows)
	}
}

func TestMySQLErrorsShowNoPassword(t *testing.T) {
	s := startMariaDB(t)
	s.values["password"] = "wrong-horse-9917"
	if _, err := Driver().Open(t.Context(), s.values); !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "wrong-horse") || !strings.Contains(err.Error(), "Access denied") {
		t.Fatalf("got %v", err)
	}
}
