package dbtable

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	"xinshu/connectors"
)

// pgValues are values of each type, at its edges. What is read here must be what the server prints.
var pgValues = map[string][]string{
	"smallint": {"-32768", "0", "32767"},
	"integer":  {"-2147483648", "0", "2147483647"},
	"bigint":   {"-9223372036854775808", "0", "9223372036854775807"},
	"numeric": {"0", "0.0", "-0.50", "1", "10000", "100000000", "0.0001", "0.00010000", "0.00000000000000000001", "9999.9999", "12345678901234567890123456789.123456789", "1e40", "1e-40",
		"-1234567", "100.00", "NaN", "Infinity", "-Infinity", "123456789012345678901234567890123456789012345678901234567890"},
	"numeric(6,-2)":   {"1234567", "-98765", "0"},
	"numeric(20,4)":   {"850.5", "-0.0001", "9999999999999999.9999", "10000.0001"},
	"boolean":         {"true", "false"},
	"real":            {"0.1", "1e20", "-3.4e38", "NaN", "Infinity", "16777217"},
	"float8":          {"0.2", "1e-300", "2460976.8750000003", "-Infinity", "1e15", "123456789012345680"},
	"date":            {"2025-10-28", "2000-02-29", "1999-12-31", "1900-03-01", "0001-01-01", "4713-01-01 BC", "0044-03-15 BC", "0001-12-31 BC", "0005-02-29 BC", "9999-12-31", "12345-06-07", "infinity", "-infinity", "1600-02-29", "2100-02-28"},
	"timestamp":       {"2025-10-28 23:30:00", "2025-10-28 23:30:00.5", "1999-12-31 23:59:59.999999", "1969-12-31 23:59:59.000001", "0044-03-15 12:00:00.25 BC", "infinity", "-infinity", "294276-12-31 23:59:59.999999", "0001-01-01 00:00:00"},
	"timestamptz":     {"2025-10-28 15:30:00.25Z", "2025-10-28 23:30:00+08", "1988-07-01 00:00:00Z", "1991-09-14 16:59:59.999999Z", "1991-09-14 17:00:00.000001Z", "1991-12-31 23:59:59Z", "1992-01-01 00:00:01Z", "1941-07-01 00:00:00Z", "1890-01-01 00:00:00Z", "2000-01-01 00:00:00Z", "infinity", "-infinity", "0044-03-15 12:00:00 BC"},
	"uuid":            {"00000000-0000-0000-0000-000000000000", "0199d1c2-1234-7abc-8def-0123456789ab"},
	"text":            {"", " two  ", "税务\U00020000\U0001F600", "a\tb\nc\\d\"e'f"},
	"varchar(20)":     {"", "纳税人 ", "x"},
	"char(6)":         {"", "甲", "ab  ", " a"},
	"name":            {"a_name"},
	"json":            {`{"b": 1,  "a":[1, 2]}`, `"税"`},
	"jsonb":           {`{"b": 1,  "a":[1, 2]}`, `"税"`, "1.500"},
	"int[]":           {"{1,NULL,3}", "{}"},
	"text[]":          {`{"a,b","\"",NULL}`},
	"inet":            {"10.0.0.1/8", "::1"},
	"interval":        {"1 year 2 mons 3 days 04:05:06.7", "-00:00:01"},
	"time":            {"23:59:59.999999", "00:00:00"},
	"timetz":          {"23:59:59+08"},
	"bit(3)":          {"101"},
	"varbit":          {"1", ""},
	"money":           {"12.34"},
	"xml":             {"<a>税</a>"},
	"point":           {"(1,2.5)"},
	"int4range":       {"[1,5)"},
	"tsvector":        {"'a':1 'b':2"},
	`grade`:           {"A", "优"},
	"usccs":           {"91410481MA44K7X22A"},
	"cidr":            {"10.0.0.0/8"},
	"macaddr":         {"08:00:2b:01:02:03"},
	"oid":             {"4294967295"},
	"pg_lsn":          {"16/B374D848"},
	`"char"`:          {"x"},
	"amounts":         {"12.50", "-7"},
	"numeric(1000,2)": {strings.Repeat("9", 300) + ".25"},
}

func TestBinaryValuesReadAsTheServerPrintsThem(t *testing.T) {
	s := startPostgres(t)
	s.exec(t, "create type grade as enum ('A', '优')")
	s.exec(t, "create domain usccs as varchar(18)")
	s.exec(t, "create domain amounts as numeric(12,2)")
	e := s.open(t).(*conn).engine
	n := 0
	for declared, values := range pgValues {
		t.Run(declared, func(t *testing.T) {
			n++
			table := fmt.Sprintf("v%d", n)
			s.exec(t, fmt.Sprintf("create table %s (nr integer, v %s)", table, declared))
			s.exec(t, fmt.Sprintf("insert into %s values (-1, null)", table))
			for i, v := range values {
				s.exec(t, fmt.Sprintf("insert into %s values (%d, '%s')", table, i, strings.ReplaceAll(v, "'", "''")))
			}
			both := readAndPrinted(t, e, table)
			if len(both) != len(values)+1 {
				t.Fatalf("%d rows of %d", len(both), len(values)+1)
			}
			for _, pair := range both {
				if pair[0] != pair[1] {
					t.Errorf("read %q, the server prints %q", pair[0], pair[1])
				}
			}
		})
	}
}

// readAndPrinted reads a table's column v as a pull does, and as the server prints it.
func readAndPrinted(t *testing.T, e engine, table string) (both [][2]string) {
	t.Helper()
	columns, err := e.columns(t.Context(), "", table)
	if err != nil {
		t.Fatal(err)
	}
	text := func(v []byte) string {
		if v == nil {
			return "<null>"
		}
		return string(v)
	}
	printed := "cast(v as text)"
	if len(columns) == 2 && strings.Contains(columns[1].exact, "at time zone") {
		printed = columns[1].exact
	}
	err = e.read(t.Context(), func(r reader) error {
		return r.rows(t.Context(), fmt.Sprintf("select %s, %s, %s from %s order by nr", columns[0].text, columns[1].text, printed, table), nil, columns, func(values [][]byte) error {
			both = append(both, [2]string{text(values[1]), text(values[2])})
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return both
}

func TestAnyDayAndAnyNumberReadAsTheServerPrintsThem(t *testing.T) {
	s := startPostgres(t)
	s.exec(t, "select setseed(0.5)")
	s.exec(t, "create table d as select i as nr, timestamp '4713-01-02 00:00:00 BC' + (i * 0.37) * interval '97 days 3 hours 7.123457 s' as v from generate_series(0, 20000) as i")
	s.exec(t, "create table n (nr integer, v numeric)")
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 2000 {
		digits := strings.Repeat("0", random.IntN(5)) + fmt.Sprint(random.Uint64()) + strings.Repeat("0", random.IntN(12))
		cut := random.IntN(len(digits))
		s.exec(t, "insert into n values ($1, cast($2 as numeric))", i, []string{"", "-"}[random.IntN(2)]+digits[:cut]+"."+digits[cut:])
	}
	e := s.open(t).(*conn).engine
	for _, table := range []string{"d", "n"} {
		both := readAndPrinted(t, e, table)
		if len(both) < 2000 {
			t.Fatalf("%d rows of %s", len(both), table)
		}
		for _, pair := range both {
			if pair[0] != pair[1] {
				t.Fatalf("read %q, the server prints %q", pair[0], pair[1])
			}
		}
	}
}

func TestBytesComeAsHexadecimalDigits(t *testing.T) {
	s := startPostgres(t)
	s.exec(t, `create table t (id integer, v bytea)`)
	s.exec(t, `insert into t values (1, '\x00ff1a'), (2, ''), (3, null)`)
	src := s.source(t, connectors.Values{"table": "t"})
	src.Column = "v"
	if rows, _, _, err := read(t, src, ""); err != nil || !slices.Equal(rows, []string{"00ff1a", "", "<null>"}) {
		t.Fatalf("%q, %v", rows, err)
	}
}

// A table as departments keep them: twelve columns, most of them text.
const realistic = `create table bench as select
	'91410481MA44' || lpad(i::text, 6, '0') as uscc, '舞钢市' || i || '商贸有限责任公司' as name, '舞市监罚〔2025〕' || i || '号' as doc_no,
	'违反《中华人民共和国食品安全法》第三十四条规定，销售超过保质期的食品' as reason, '警告；罚款' as kind, (i %% 9973)::numeric(12,2) / 7 as amount,
	date '2020-01-01' + (i %% 2000)::int as decided_on, '舞钢市市场监督管理局' as authority, '11410481005458125T' as authority_uscc,
	timestamp '2025-01-01' + i * interval '1 second' as op_time, i::bigint as id, (i %% 3)::int as level
	from generate_series(1, %d) as i`

func BenchmarkPullPostgres(b *testing.B) {
	s := startPostgres(b)
	const rows = 300_000
	s.exec(b, fmt.Sprintf(realistic, rows))
	src := s.source(b, connectors.Values{"table": "bench", "key": "id"})
	b.ResetTimer()
	before := cpuSeconds(b)
	n := int64(0)
	for b.Loop() {
		for page, err := range src.Conn.(*conn).Pull(b.Context(), src.Job, "") {
			if err != nil {
				b.Fatal(err)
			}
			n += page.Batch.NumRows()
			page.Batch.Release()
		}
	}
	if n%rows != 0 {
		b.Fatalf("%d rows", n)
	}
	b.ReportMetric(float64(n)/(cpuSeconds(b)-before), "rows_per_cpu_s")
}

func cpuSeconds(tb testing.TB) float64 {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
