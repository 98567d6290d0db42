package push

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestACutBodySaysWhatTheWholeOneSaid(t *testing.T) {
	whole := []byte(`{"id":"p/A/7","kind":"grade","version":7,"policy":"p","name":"某,\"某\\","score":85.5,"grade":"优","trial":true,"uscc":"A","seal":"s"}`)
	for _, c := range []struct {
		name, kind string
		fields     []string
		want       string
	}{
		{"no fields named: everything as it was", "grade", nil, string(whole)},
		{"no fields named, told as another kind", "correction", nil, strings.Replace(string(whole), "grade", "correction", 1)},
		{"named fields and what always travels, in order", "correction", []string{"score", "name"},
			`{"id":"p/A/7","kind":"correction","version":7,"policy":"p","name":"某,\"某\\","score":85.5,"grade":"优","uscc":"A"}`},
		{"nothing of a withdrawn result", "retraction", []string{"score"}, `{"id":"p/A/7","kind":"retraction","version":7,"policy":"p","uscc":"A"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := NewTailor(c.fields).Cut(whole, c.kind)
			if err != nil || string(got) != c.want {
				t.Errorf("%v\n got %s\nwant %s", err, got, c.want)
			}
		})
	}
	sly := []byte(`{"name":"\"kind\":\"correction\"","kind":"grade"}`) // a name is not a kind
	if got, err := NewTailor(nil).Cut(sly, "correction"); err != nil || string(got) != `{"name":"\"kind\":\"correction\"","kind":"correction"}` {
		t.Errorf("%s, %v", got, err)
	}
	for _, bad := range []string{``, `{`, `[]`, `{"a":{"b":1}}`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{"a:1}`, `{"a":"x"y}`, `{"a":[1,2]}`} {
		if got, err := NewTailor(nil).Cut([]byte(bad), "grade"); err == nil {
			t.Errorf("%s was taken for %s", bad, got)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add("grade", "某某", 85.5, true)
	f.Add(`gr"ade`, `a,b\`, math.Copysign(0, -1), false)
	f.Fuzz(func(t *testing.T, grade, name string, score float64, trial bool) {
		whole, err := json.Marshal(struct {
			Kind, Grade, Name string
			Score             float64
			Trial             bool
		}{"grade", grade, name, score, trial})
		if err != nil {
			return // a number that JSON does not know
		}
		cut, err := NewTailor(nil).Cut(whole, "grade")
		if err != nil || string(cut) != string(whole) {
			t.Fatalf("%v: %s became %s", err, whole, cut)
		}
	})
}
