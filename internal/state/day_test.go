package state

import (
	"testing"
	"time"

	"xinshu/internal/chain"
)

func TestRunsAreCountedByTheDayOfTheWall(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		save := func(id, at, step, subject, status string, read, refused int64) {
			begun, err := time.Parse(time.RFC3339, at)
			f.ok(err)
			f.ok(f.SaveRun(t.Context(), chain.Run{ID: id, Step: step, Subject: subject, Status: status, Started: begun, Ledger: chain.Ledger{Read: read, Accepted: read - refused, Quarantined: refused}}))
		}
		save("a", "2026-03-01T15:59:59Z", "pull", "court.debtor", "done", 10, 1)  // still the first in Shanghai
		save("b", "2026-03-01T16:00:00Z", "pull", "court.debtor", "done", 20, 2)  // already the second
		save("c", "2026-03-02T10:00:00Z", "pull", "court.debtor", "done", 0, 0)   // nothing new came
		save("d", "2026-03-02T11:00:00Z", "pull", "court.debtor", "failed", 5, 0) // nothing of it was kept
		save("e", "2026-03-04T11:00:00Z", "settle", "", "running", 0, 0)

		days, err := f.RunDays(t.Context(), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
		f.ok(err)
		want := []RunDay{
			{Day: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Runs: 1, Ledger: chain.Ledger{Read: 10, Accepted: 9, Quarantined: 1}},
			{Day: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Runs: 3, Failed: 1, Ledger: chain.Ledger{Read: 25, Accepted: 23, Quarantined: 2}},
			{Day: time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC), Runs: 1, Open: 1},
		}
		if len(days) != len(want) {
			t.Fatalf("%d days: %+v", len(days), days)
		}
		for i := range want {
			if days[i] != want[i] {
				t.Errorf("%+v, not %+v", days[i], want[i])
			}
		}
	})
}
