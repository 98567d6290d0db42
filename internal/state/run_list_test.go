package state

import (
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/internal/chain"
)

func TestRunsAreChosenAndContinued(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		at := f.clock
		save := func(id, step, subject, source, status string, later time.Duration) {
			f.ok(f.SaveRun(t.Context(), chain.Run{ID: id, Step: step, Subject: subject, Source: source, Status: status, Started: at.Add(later)}))
		}
		save("a", "pull", "court.debtor", "court", "done", 0)
		save("b", "pull", "court.debtor", "court", "failed", time.Hour)
		save("c", "pull", "tax.arrears", "tax", "done", time.Hour) // in the same moment
		save("d", "settle", "", "", "done", 2*time.Hour)
		save("b", "pull", "court.debtor", "", "failed", time.Hour) // taken in again from the log: the source stays
		for _, c := range []struct {
			name   string
			filter RunFilter
			most   int
			want   string
		}{
			{"all, newest first", RunFilter{}, 10, "d c b a"},
			{"of one step", RunFilter{Step: "pull"}, 10, "c b a"},
			{"of one source", RunFilter{Source: "court"}, 10, "b a"},
			{"that failed", RunFilter{Status: "failed"}, 10, "b"},
			{"of two subjects", RunFilter{Subjects: []string{"tax.arrears", "court.debtor"}}, 10, "c b a"},
			{"from one hour on, before the next", RunFilter{Since: at.Add(time.Hour), Until: at.Add(2 * time.Hour)}, 10, "c b"},
			{"continued within one moment", RunFilter{Before: at.Add(time.Hour), BeforeID: "c"}, 10, "b a"},
			{"bounded", RunFilter{}, 2, "d c"},
		} {
			got, err := f.FilterRuns(t.Context(), c.filter, c.most)
			f.ok(err)
			if ids := idsOf(got); ids != c.want {
				t.Errorf("%s: %s, not %s", c.name, ids, c.want)
			}
		}
		newest, err := f.NewestRuns(t.Context(), "pull")
		f.ok(err)
		if ids := idsOf(newest); ids != "b c" {
			t.Errorf("the newest of each source and dataset: %s", ids)
		}
	})
}

func idsOf(runs []chain.Run) string {
	var ids []string
	for r := range slices.Values(runs) {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, " ")
}
