package ducktest

import (
	"slices"
	"strings"
	"testing"

	"xinshu/internal/duck"
)

var suite = Suite{
	Models: map[string]duck.Model{
		"int_a": {Name: "int_a", Inputs: []string{"record"}, Query: "select id, n + 1 as n, seen from record"},
		"int_b": {Name: "int_b", Inputs: []string{"int_a"}, Query: "select id, 2 * n as n, seen from int_a"},
	},
	Inputs: map[string][]duck.Column{"record": {{Name: "id", Type: "VARCHAR"}, {Name: "n", Type: "BIGINT"}, {Name: "seen", Type: "DATE"}}},
}

func TestACase(t *testing.T) {
	for name, c := range map[string]struct{ text, missing, extra, fails string }{
		"what comes out as expected passes": {text: "-- record.csv --\nid, n\na, 1\nb, 2\n-- expect.csv --\nid, n, seen\nb, 6,\na, 4,\n"},
		"a wrong row is both missing and extra": {text: "-- record.csv --\nid, n\na, 1\n-- expect.csv --\nid, n\na, 5\n",
			missing: "a, 5", extra: "a, 4"},
		"a row twice is not a row once": {text: "-- record.csv --\nid, n\na, 1\na, 1\n-- expect.csv --\nid, n\na, 4\n", extra: "a, 4"},
		"a relation nobody knows is refused": {text: "-- int_a.csv --\nid, n\na, 10\n-- expect.csv --\nid, n\na, 20\n",
			fails: "no relation of this suite is called int_a"},
		"an unknown column is refused": {text: "-- record.csv --\nid, m\na, 1\n-- expect.csv --\nid\na\n", fails: `no column "m"`},
		"a case expects something":     {text: "-- record.csv --\nid\na\n", fails: "no expect.csv"},
		"a value of the wrong type":    {text: "-- record.csv --\nid, seen\na, soon\n-- expect.csv --\nid\na\n", fails: "record.csv, row 1"},
	} {
		t.Run(name, func(t *testing.T) {
			missing, extra, err := suite.Case(t.Context(), suite.Models["int_b"], []byte(c.text), t.TempDir())
			if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("got %v, want %q", err, c.fails)
			}
			if strings.Join(missing, ";") != c.missing || strings.Join(extra, ";") != c.extra {
				t.Errorf("missing %q, extra %q", missing, extra)
			}
		})
	}
}

func TestAModelAmongTheInputsMayBeGivenInsteadOfComputed(t *testing.T) {
	s := suite
	s.Inputs = map[string][]duck.Column{"record": suite.Inputs["record"], "int_a": suite.Inputs["record"]}
	for _, text := range []string{
		"-- int_a.csv --\nid, n\na, 10\n-- expect.csv --\nid, n\na, 20\n",
		"-- record.csv --\nid, n\na, 9\n-- expect.csv --\nid, n\na, 20\n",
	} {
		missing, extra, err := s.Case(t.Context(), s.Models["int_b"], []byte(text), t.TempDir())
		if err != nil || len(slices.Concat(missing, extra)) > 0 {
			t.Errorf("%v, %v, %v", missing, extra, err)
		}
	}
}
