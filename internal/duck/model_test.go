package duck

import (
	"reflect"
	"strings"
	"testing"
)

const good = `-- model:   int_sum
-- What each has,
-- all in all.
-- inputs:  record,
--          run
-- grain:   id
-- columns:
--   id    BIGINT   registry id
--   total BIGINT
-- why this way
select id, sum(n) as total from record group by id
`

func TestAHeaderIsReadWhole(t *testing.T) {
	text := strings.Replace(good, "-- why this way\n", "\n-- why this way\n", 1)
	m, err := ParseModel("sql/intermediate/int_sum.sql", text)
	if err != nil {
		t.Fatal(err)
	}
	want := Model{Name: "int_sum", Doc: "What each has, all in all.", Inputs: []string{"record", "run"}, Grain: []string{"id"},
		Columns: []Column{{"id", "BIGINT", "registry id"}, {"total", "BIGINT", ""}},
		Query:   "-- why this way\nselect id, sum(n) as total from record group by id"}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got  %#v\nwant %#v", m, want)
	}
}

func TestAFaultInAHeaderNamesItsLine(t *testing.T) {
	cases := map[string]struct{ old, put, want string }{
		"a remark after the columns":      {"-- why", "-- why", "int_sum.sql:10: expected inputs:"},
		"a type of another engine":        {"total BIGINT", "total INT8", "int_sum.sql:9: a column is written as"},
		"a column twice":                  {"total BIGINT", "id BIGINT", "int_sum.sql:9: column id is listed twice"},
		"an input that is no name":        {"record,", "Record,", `int_sum.sql:4: inputs: "Record" is not a name`},
		"a grain that is no column":       {"grain:   id", "grain:   no", "grain no is not among the columns"},
		"another name than the file's":    {"int_sum\n", "int_sums\n", "int_sum.sql:1: the file is named for another model"},
		"a second model line":             {"-- all in all.", "-- model: x", "int_sum.sql:3: a second model: line"},
		"nothing said about the question": {"-- What each has,\n-- all in all.\n", "", "does not say what the model answers"},
		"no columns":                      {"--   id    BIGINT   registry id\n--   total BIGINT\n-- why this way\n", "", "lists no columns"},
		"a closing semicolon":             {"group by id\n", "group by id;\n", "closing semicolon"},
		"no query":                        {"select id, sum(n) as total from record group by id", "", "no query after the header"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.put, 1)
			if name != "a remark after the columns" {
				text = strings.Replace(text, "-- why this way\n", "", 1)
			}
			_, err := ParseModel("sql/intermediate/int_sum.sql", text)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestAStaleHeaderIsFound(t *testing.T) {
	d := open(t)
	if err := d.View(t.Context(), "record", nil, []Column{{Name: "id", Type: "BIGINT"}, {Name: "n", Type: "BIGINT"}}); err != nil {
		t.Fatal(err)
	}
	m := Model{Name: "int_sum", Query: "select id, cast(sum(n) as bigint) as total from record group by id"}
	for name, c := range map[string]struct {
		columns []Column
		want    string
	}{
		"as the query gives":    {[]Column{{Name: "id", Type: "BIGINT"}, {Name: "total", Type: "BIGINT"}}, ""},
		"another type":          {[]Column{{Name: "id", Type: "BIGINT"}, {Name: "total", Type: "INTEGER"}}, "column 2 is total INTEGER in the header, the query gives total BIGINT"},
		"another name":          {[]Column{{Name: "no", Type: "BIGINT"}, {Name: "total", Type: "BIGINT"}}, "column 1 is no BIGINT"},
		"a column too few":      {[]Column{{Name: "id", Type: "BIGINT"}}, "total BIGINT, is not in the header"},
		"a column not in there": {[]Column{{Name: "id", Type: "BIGINT"}, {Name: "total", Type: "BIGINT"}, {Name: "more", Type: "DATE"}}, "gives no such column"},
	} {
		t.Run(name, func(t *testing.T) {
			m.Columns = c.columns
			err := d.CheckModel(t.Context(), m)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A header is written by people: whatever they write gives a model that keeps its own rules or an
// error that names the file, never a panic.
func FuzzParseModel(f *testing.F) {
	f.Add(good)
	f.Add("-- model: int_sum\n-- inputs:\n-- columns: x")
	f.Add("--\n--  \n-- grain: ,,\nselect 1")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseModel("sql/int_sum.sql", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "read model sql/int_sum.sql:") {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		if m.Name != "int_sum" || m.Doc == "" || m.Query == "" || len(m.Columns) == 0 || len(m.Grain) == 0 {
			t.Errorf("a model with a hole: %#v", m)
		}
	})
}
