package state

import (
	"slices"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// replay has a target told again what policy p stated up to a release.
func (f *fixture) replay(target string, until int64) int64 {
	f.t.Helper()
	n, err := f.Replay(f.t.Context(), target, "p", f.log.changes(f.t.Context(), chain.Entry{Chain: chain.Published("p"), N: until}, 0))
	f.ok(err)
	return n
}

func TestAReplayedWindowGoesOutAgainUnderTheSameIDs(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"}, Target{ID: "y"}, Target{ID: "elsewhere", Policies: []string{"q"}})
		f.publish("p", grade("A", 1), grade("B", 1), grade("C", 1))
		f.publish("p", grade("B", 2), grade("D", 1))
		first := f.accept("x")
		f.accept("y")
		if n := f.replay("x", 1); n != 2 {
			t.Errorf("of the first release %d rows are due again, want A and C: B has a newer version", n)
		}
		if n := f.replay("x", 1); n != 0 {
			t.Errorf("a replay of what is due already made %d rows due", n)
		}
		if n := f.replay("elsewhere", 2); n != 0 {
			t.Errorf("%d rows go to a target that never got the policy", n)
		}
		d, rows := f.claim("x")
		if want := []string{"grade p/A/1", "grade p/C/1"}; !slices.Equal(rows, want) {
			t.Errorf("sent %q, want %q", rows, want)
		}
		for _, row := range rows {
			if !slices.Contains(first, row) {
				t.Errorf("%s was not sent under this id before", row)
			}
		}
		f.ok(f.Answered(t.Context(), d, connectors.Receipt{Accepted: 2}, accepted(d), time.Time{}))
		if left := f.accept("y"); len(left) > 0 {
			t.Errorf("the other target got %q", left)
		}
		sent, acknowledged, _, open, err := f.Totals(t.Context(), "x")
		f.ok(err)
		if sent != 4 || acknowledged != 4 || open != 0 {
			t.Errorf("sent %d, acknowledged %d, open %d: a row counts once however often it goes out", sent, acknowledged, open)
		}
		// A newer version that comes while the old one waits to go again takes its place.
		f.replay("x", 2)
		f.publish("p", grade("A", 2))
		if got, want := f.accept("x"), []string{"grade p/C/1", "grade p/B/2", "grade p/D/1", "grade p/A/2"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
		if _, err := f.Replay(t.Context(), "nobody", "p", f.log.changes(t.Context(), chain.Entry{Chain: chain.Published("p"), N: 1}, 0)); !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown target: %v", err)
		}
	})
}

func TestWhatThePageOfDeliveriesAsks(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"}, Target{ID: "y"})
		f.publish("p", grade("A", 1), grade("B", 1), grade("C", 1))
		made := f.clock
		d, _ := f.claim("x")
		f.ok(f.Failed(t.Context(), d.ID, fault.Newf(fault.Unavailable, "push", "no route"), f.clock, false))
		f.clock = f.clock.Add(10 * time.Second)
		d, _ = f.claim("x")
		answers := []connectors.RowReceipt{{ID: "p/A/1"}, {ID: "p/B/1", Code: "E7", Message: "unknown entity"}, {ID: "p/C/1", Code: "E7", Message: "unknown entity"}}
		f.ok(f.Answered(t.Context(), d, connectors.Receipt{Code: "1", Message: "partly", Accepted: 1, Rejected: 2}, answers, time.Time{}))

		lags, err := f.Lags(t.Context())
		f.ok(err)
		if len(lags) != 1 || lags[0] != (Lag{Target: "y", Policy: "p", Rows: 3, Since: time.Date(2025, 10, 28, 1, 0, 0, 0, time.UTC)}) {
			t.Errorf("lags %+v", lags)
		}
		reasons, err := f.Reasons(t.Context(), "x")
		f.ok(err)
		if len(reasons) != 1 || reasons[0] != (Reason{Code: "E7", Message: "unknown entity", Rows: 2, Last: f.clock}) {
			t.Errorf("reasons %+v", reasons)
		}
		page, err := f.Rejections(t.Context(), "x", "E7", Told{}, 1)
		f.ok(err)
		rest, err := f.Rejections(t.Context(), "x", "E7", page[0], 5)
		f.ok(err)
		if len(page) != 1 || page[0].USCC != "B" || len(rest) != 1 || rest[0].USCC != "C" || rest[0].Message != "unknown entity" || !rest[0].Answered.Equal(f.clock) {
			t.Errorf("pages %+v and %+v", page, rest)
		}
		told, err := f.ToldOf(t.Context(), "A", []string{"p", "q"}, 10)
		f.ok(err)
		if len(told) != 2 || told[0].Target != "x" || told[0].State != "acknowledged" || told[1].Target != "y" || told[1].State != "due" {
			t.Errorf("told %+v", told)
		}
		list, err := f.Deliveries(t.Context(), "x", "done", time.Time{}, "", 10)
		f.ok(err)
		if len(list) != 1 || list[0].ID != d.ID || list[0].Attempts != 2 || list[0].Size != 3 || !list[0].Made.Equal(made) {
			t.Errorf("deliveries %+v", list)
		}
		if older, err := f.Deliveries(t.Context(), "x", "", list[0].Made, list[0].ID, 10); err != nil || len(older) != 0 {
			t.Errorf("the page after the last: %+v, %v", older, err)
		}
		attempts, err := f.Attempts(t.Context(), d.ID, 10)
		f.ok(err)
		if len(attempts) != 2 || attempts[0].Outcome != "unavailable" || attempts[1].Outcome != "answered" {
			t.Errorf("attempts %+v", attempts)
		}
		receipts, err := f.Receipts(t.Context(), d.ID, 10)
		f.ok(err)
		if len(receipts) != 1 || receipts[0].Message != "partly" || receipts[0].Accepted != 1 || receipts[0].Rejected != 2 {
			t.Errorf("receipts %+v", receipts)
		}
		rows, err := f.RowsOf(t.Context(), d.ID, "rejected", "B", 10)
		f.ok(err)
		if len(rows) != 1 || rows[0].USCC != "C" {
			t.Errorf("rows %+v", rows)
		}
		days, err := f.Days(t.Context(), "x", f.clock.Add(-time.Hour))
		f.ok(err)
		if want := (Day{Day: time.Date(2025, 10, 28, 0, 0, 0, 0, time.UTC), Receipts: 1, Accepted: 1, Rejected: 2, Wait: 10 * time.Second}); len(days) != 1 || days[0] != want {
			t.Errorf("days %+v", days)
		}
		if _, err := f.Delivery(t.Context(), "x-0"); !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown delivery: %v", err)
		}
		released, err := f.ReleasedAt(t.Context(), "p")
		f.ok(err)
		standings, err := f.Standings(t.Context(), []string{"p", "q"}, []string{"A", "Z"})
		f.ok(err)
		if len(released) != 1 || len(standings) != 1 || standings[0].USCC != "A" || standings[0].Version != 1 {
			t.Errorf("released %v, standings %+v", released, standings)
		}
	})
}
