package state

import (
	"fmt"
	"slices"
	"testing"
)

// readOn reads what is stated of a policy after a place, two at a time, and gives the last place.
func (f *fixture) readOn(policy string, n int64, uscc string) ([]string, int64, string) {
	f.t.Helper()
	var seen []string
	for {
		list, err := f.StatedAfter(f.t.Context(), policy, n, uscc, 2)
		f.ok(err)
		for _, st := range list {
			seen = append(seen, fmt.Sprintf("%s %s/%d", st.Kind, st.USCC, st.Version))
			n, uscc = st.N, st.USCC
		}
		if len(list) < 2 {
			return seen, n, uscc
		}
	}
}

func TestAReaderGoesOnWhereItStood(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.publish("p", grade("C", 1), grade("A", 1), grade("B", 1))
		f.publish("q", grade("A", 1))
		seen, n, uscc := f.readOn("p", 0, "")
		if want := []string{"grade A/1", "grade B/1", "grade C/1"}; !slices.Equal(seen, want) {
			t.Errorf("read %q", seen)
		}
		f.publish("p", statement{uscc: "A", kind: "retraction", version: 2}, grade("D", 1))
		f.publish("p", grade("B", 2))
		f.ok(f.Close())
		f.open()
		seen, n, uscc = f.readOn("p", n, uscc)
		if want := []string{"retraction A/2", "grade D/1", "grade B/2"}; !slices.Equal(seen, want) {
			t.Errorf("then read %q", seen)
		}
		// A rebuilt database may state something again, but leaves out nothing that is new.
		f.rebuild()
		f.publish("p", grade("A", 3))
		if seen, _, _ = f.readOn("p", n, uscc); !slices.Contains(seen, "grade A/3") {
			t.Errorf("after a rebuild read %q", seen)
		}
		policies, err := f.StatedPolicies(t.Context())
		f.ok(err)
		if !slices.Equal(policies, []string{"p", "q"}) {
			t.Errorf("policies %q", policies)
		}
	})
}

func TestWhereAnEntityWasStatedBeforeIsKnownAlsoAfterARebuild(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		at := func(version int64, kind, division string) statement {
			return statement{uscc: "A", kind: kind, version: version, division: division, industry: "C26"}
		}
		check := func(when string) {
			st, found, err := f.Stated(t.Context(), "p", "A")
			f.ok(err)
			places := map[string]bool{}
			for _, p := range st.Formerly {
				places[p.Division+" "+p.Industry] = true
			}
			if !found || st.Version != 5 || st.Division != "410502" || len(places) != 2 || !places["410481 C26"] || !places["410402 C26"] {
				t.Errorf("%s: %v %+v", when, found, st)
			}
		}
		f.publish("p", at(1, "grade", "410481"))
		f.publish("p", at(2, "grade", "410481"), at(3, "correction", "410402"))
		f.publish("p", at(4, "retraction", "410403")) // a retraction discloses no place
		f.publish("p", at(5, "grade", "410502"))
		check("as it happened")
		f.rebuild()
		check("after a rebuild")
		if _, found, err := f.Stated(t.Context(), "p", "B"); found || err != nil {
			t.Errorf("nobody is found: %v %v", found, err)
		}
	})
}
