package state

import (
	"errors"
	"slices"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

func TestEachTargetGetsWhatItsLimitsAdmit(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(
			Target{ID: "all"},
			Target{ID: "henan only", Policies: []string{"henan"}},
			Target{ID: "wugang", Regions: []string{"410481", "4105"}},
			Target{ID: "hotels", Industries: []string{"H61"}},
			Target{ID: "website", Public: true},
		)
		f.publish("henan",
			statement{uscc: "A", kind: "grade", version: 1, division: "410481", industry: "C26"},
			statement{uscc: "B", kind: "grade", version: 1, division: "410402", industry: "H6110"},
			statement{uscc: "C", kind: "grade", version: 1, division: "410522", industry: "H62", trial: true})
		f.publish("jiangyin", statement{uscc: "A", kind: "grade", version: 1, division: "320281", industry: "H61", trial: true})
		for target, want := range map[string][]string{
			"all":        {"grade henan/A/1", "grade henan/B/1", "grade henan/C/1", "grade jiangyin/A/1"},
			"henan only": {"grade henan/A/1", "grade henan/B/1", "grade henan/C/1"},
			"wugang":     {"grade henan/A/1", "grade henan/C/1"},
			"hotels":     {"grade henan/B/1", "grade jiangyin/A/1"},
			"website":    {"grade henan/A/1", "grade henan/B/1"},
		} {
			if got := f.accept(target); !slices.Equal(got, want) {
				t.Errorf("%s got %q, want %q", target, got, want)
			}
		}
	})
}

func TestACorrectionReachesWhoeverGotTheOldGradeThoughItsLimitsChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"}, Target{ID: "y"}, Target{ID: "never"})
		f.publish("p", grade("A", 1), grade("B", 1), grade("C", 1))
		f.accept("x")
		f.accept("y")
		f.targets(Target{ID: "x", Policies: []string{"q"}}, Target{ID: "y"}, Target{ID: "never", Policies: []string{"q"}})
		f.publish("p",
			statement{uscc: "A", kind: "correction", version: 2},
			statement{uscc: "B", kind: "retraction", version: 2},
			statement{uscc: "C", kind: "grade", version: 2},
			statement{uscc: "D", kind: "grade", version: 1})
		// C's new grade is no longer x's business: x is told that the one it holds is no longer shared.
		if got, want := f.accept("x"), []string{"correction p/A/2", "retraction p/B/2", "retraction p/C/2"}; !slices.Equal(got, want) {
			t.Errorf("x got %q, want %q", got, want)
		}
		if got, want := f.accept("y"), []string{"correction p/A/2", "retraction p/B/2", "grade p/C/2", "grade p/D/1"}; !slices.Equal(got, want) {
			t.Errorf("y got %q, want %q", got, want)
		}
		// What waited for it before its limits changed still goes out in its newest version.
		f.publish("p", grade("C", 3))
		if got := f.accept("x"); got != nil {
			t.Errorf("x holds nothing of C any more, and got %q", got)
		}
	})
}

func TestATrialCorrectionIsARetractionForThePublic(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "website", Public: true})
		f.publish("p", grade("A", 1))
		f.accept("website")
		f.publish("p", statement{uscc: "A", kind: "correction", version: 2, trial: true})
		if got, want := f.accept("website"), []string{"retraction p/A/2"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestANewTargetGetsWhatIsPublishedNowAndAWiderOneWhatItLacked(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		narrow := Target{ID: "x", Policies: []string{"p"}}
		f.targets(narrow)
		f.publish("p", grade("A", 1), grade("B", 1))
		f.publish("p", grade("A", 2))
		f.publish("q", grade("A", 1))
		f.accept("x")
		f.targets(narrow, Target{ID: "late"})
		if got, want := f.accept("late"), []string{"grade p/B/1", "grade p/A/2", "grade q/A/1"}; !slices.Equal(got, want) {
			t.Errorf("late got %q, want %q", got, want)
		}
		f.targets(Target{ID: "x"}, Target{ID: "late"})
		if got, want := f.accept("x"), []string{"grade q/A/1"}; !slices.Equal(got, want) {
			t.Errorf("x got %q, want %q", got, want)
		}
		if got := f.accept("late"); got != nil {
			t.Errorf("late got %q again", got)
		}
	})
}

func TestAnOlderVersionNeverGoesOutAfterANewerOne(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"})
		f.publish("p", grade("A", 1), grade("B", 1))
		d, _ := f.claim("x")
		f.ok(f.Failed(t.Context(), d.ID, unavailable, f.clock.Add(time.Minute), false))
		if _, rows := f.claim("x"); rows != nil {
			t.Fatalf("%q sent while the target rests", rows)
		}
		f.publish("p", grade("A", 2))
		f.clock = f.clock.Add(time.Minute)
		next, rows := f.claim("x")
		if want := []string{"grade p/B/1", "grade p/A/2"}; !slices.Equal(rows, want) {
			t.Errorf("sent %q, want %q", rows, want)
		}
		if next.ID == d.ID {
			t.Error("another content under the same delivery id")
		}
		// The answer to the first attempt comes after all: it is true, and changes nothing else.
		f.ok(f.AnsweredLater(t.Context(), "x", d.ID, connectors.Receipt{Accepted: 2}, accepted(d)))
		f.expect(Count{Target: "x", Sent: 2, Acknowledged: 2, Open: 1})
	})
}

func TestADeliveryComesBackUnderTheSameIDWithTheSameRows(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"})
		f.publish("p", grade("A", 1), grade("B", 1))
		first, rows := f.claim("x")
		f.publish("p", grade("C", 1)) // what comes later does not join a delivery that may have been sent
		f.ok(f.Close())
		f.open() // killed after the send, before the receipt was stored
		again, sameRows := f.claim("x")
		if again.ID != first.ID || !slices.Equal(rows, sameRows) || !again.Made.Equal(first.Made) {
			t.Errorf("%s %q became %s %q", first.ID, rows, again.ID, sameRows)
		}
		f.rebuild(Target{ID: "x"})
		if _, got := f.claim("x"); !slices.Equal(got, []string{"grade p/A/1", "grade p/B/1", "grade p/C/1"}) {
			t.Errorf("after a rebuild %q", got)
		}
	})
}

func TestADeliveryHoldsOnePolicyAndAtMostSoManyRows(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"})
		f.publish("p", grade("A", 1), grade("B", 1), grade("C", 1))
		f.publish("q", grade("A", 1))
		var sizes []int
		for {
			d, _, found, err := f.Claim(t.Context(), "x", 2)
			f.ok(err)
			if !found {
				break
			}
			sizes = append(sizes, len(d.Rows))
			f.ok(f.Answered(t.Context(), d, connectors.Receipt{}, accepted(d), time.Time{}))
		}
		// Entry 1 of each chain has the same number: p and q take turns by policy, not by row.
		if !slices.Equal(sizes, []int{2, 1, 1}) {
			t.Errorf("sizes %v", sizes)
		}
	})
}

func TestWhatWaitsForAPersonIsLeftAloneUntilOpenedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"})
		f.publish("p", grade("A", 1))
		d, _ := f.claim("x")
		f.ok(f.Failed(t.Context(), d.ID, fault.Newf(fault.Unauthorized, "push", "bad signature"), time.Time{}, true))
		f.clock = f.clock.Add(1000 * time.Hour)
		if _, rows := f.claim("x"); rows != nil {
			t.Errorf("%q tried again by itself", rows)
		}
		f.publish("p", grade("B", 1))
		if got := f.accept("x"); !slices.Equal(got, []string{"grade p/B/1"}) {
			t.Errorf("one refused delivery held up the next: %q", got)
		}
		f.expect(Count{Target: "x", Sent: 1, Acknowledged: 1, Open: 1, ForPerson: 1})
		problems, err := f.Problems(t.Context())
		f.ok(err)
		if len(problems) != 1 || problems[0].Code != "unauthorized" || problems[0].Rows != 1 || problems[0].Attempts != 1 {
			t.Errorf("problems %+v", problems)
		}
		n, err := f.Reopen(t.Context(), "x")
		f.ok(err)
		if got := f.accept("x"); n != 1 || !slices.Equal(got, []string{"grade p/A/1"}) {
			t.Errorf("%d opened again, sent %q", n, got)
		}
	})
}

func TestARejectedRowIsSentAgainOnlyByAPersonsDecision(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"})
		f.publish("p", grade("A", 1), grade("B", 1))
		reject := func(d connectors.Delivery) {
			var rows []connectors.RowReceipt
			for _, r := range d.Rows {
				rows = append(rows, connectors.RowReceipt{ID: r.ID, Code: "E-7"})
			}
			f.ok(f.Answered(t.Context(), d, connectors.Receipt{Rejected: int64(len(rows))}, rows, time.Time{}))
		}
		ids := map[string]bool{}
		for range 3 {
			d, rows := f.claim("x")
			if len(rows) != 2 || ids[d.ID] {
				t.Errorf("sent %q under %s, before %v", rows, d.ID, ids)
			}
			ids[d.ID] = true
			reject(d)
			if _, rows := f.claim("x"); rows != nil {
				t.Errorf("%q sent again by itself", rows)
			}
			f.expect(Count{Target: "x", Sent: 2, Rejected: 2})
			n, err := f.Reopen(t.Context(), "x")
			f.ok(err)
			if n != 2 {
				t.Errorf("%d rows due again", n)
			}
		}
		f.publish("p", grade("A", 2))
		if got := f.accept("x"); !slices.Equal(got, []string{"grade p/B/1", "grade p/A/2"}) {
			t.Errorf("sent %q", got)
		}
	})
}

func TestATargetThatWasOutOfReachTooLongCatchesUpWhenItIsBack(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"})
		f.publish("p", grade("A", 1), grade("B", 1))
		d, _, _, err := f.Claim(t.Context(), "x", 1)
		f.ok(err)
		f.ok(f.Failed(t.Context(), d.ID, unavailable, f.clock.Add(time.Hour), true))
		if _, rows := f.claim("x"); rows != nil {
			t.Fatalf("%q sent while the target rests", rows)
		}
		f.expect(Count{Target: "x", Open: 2, ForPerson: 1})
		next, err := f.NextAttempt(t.Context())
		f.ok(err)
		if want := f.clock.Add(time.Hour); !next.Equal(want) {
			t.Errorf("next attempt %v, want %v", next, want)
		}
		f.clock = next
		if got := f.accept("x"); !slices.Equal(got, []string{"grade p/A/1", "grade p/B/1"}) {
			t.Errorf("sent %q", got)
		}
		f.expect(Count{Target: "x", Sent: 2, Acknowledged: 2})
	})
}

func TestAnswersInAnyOrderAndTwiceComeToTheSame(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"})
		f.publish("p", grade("A", 1), grade("B", 1), grade("C", 1))
		d, _ := f.claim("x")
		f.ok(f.Answered(t.Context(), d, connectors.Receipt{Pending: true}, nil, f.clock.Add(24*time.Hour)))
		if _, rows := f.claim("x"); rows != nil {
			t.Fatalf("%q sent again before its answer is overdue", rows)
		}
		no := []connectors.RowReceipt{{ID: "p/A/1", Code: "E7", Message: "unknown code"}, {ID: "p/B/1", Code: "E7"}}
		yes := []connectors.RowReceipt{{ID: "p/B/1"}}
		for _, rows := range [][]connectors.RowReceipt{no, yes, no, yes, {{ID: "not ours", Code: "?"}}} {
			f.ok(f.AnsweredLater(t.Context(), "x", d.ID, connectors.Receipt{Rows: rows}, rows))
		}
		f.expect(Count{Target: "x", Sent: 3, Acknowledged: 1, Rejected: 1, Open: 1})
		var receipts int
		f.ok(f.db.QueryRowContext(t.Context(), `select count(*) from receipt`).Scan(&receipts))
		if receipts != 4 { // the promise, and three different answers
			t.Errorf("%d receipts stored", receipts)
		}
		f.clock = f.clock.Add(24 * time.Hour) // the rest is overdue: sent once more
		if _, rows := f.claim("x"); !slices.Equal(rows, []string{"grade p/C/1"}) {
			t.Errorf("sent again %q", rows)
		}
		held, err := f.Holdings(t.Context(), "p", "B")
		f.ok(err)
		if len(held) != 1 || held[0] != (Held{Target: "x", Sent: 1, Acknowledged: 1, LastKind: "grade", LastAnswer: "acknowledged"}) {
			t.Errorf("held %+v", held)
		}
	})
}

func TestAReceiptThatLeavesRowsOutWaitsForAPerson(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"})
		f.publish("p", grade("A", 1), grade("B", 1))
		d, _ := f.claim("x")
		f.ok(f.Answered(t.Context(), d, connectors.Receipt{Accepted: 1}, accepted(d)[:1], time.Time{}))
		f.expect(Count{Target: "x", Sent: 2, Acknowledged: 1, Open: 1, ForPerson: 1})
	})
}

func TestATargetNoLongerConfiguredGetsNothingMoreAndIsRemembered(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"}, Target{ID: "y"})
		f.publish("p", grade("A", 1))
		f.accept("x")
		f.targets(Target{ID: "y"})
		f.publish("p", statement{uscc: "A", kind: "correction", version: 2})
		if got := f.accept("x"); got != nil {
			t.Errorf("got %q", got)
		}
		f.targets(Target{ID: "x", Policies: []string{"q"}}, Target{ID: "y"})
		if got := f.accept("x"); !slices.Equal(got, []string{"correction p/A/2"}) {
			t.Errorf("back, x got %q", got)
		}
	})
}

var unavailable = &fault.Error{Op: "push", Code: fault.Unavailable, Err: errors.New("connection refused")}

// expect compares the count of the wanted target.
func (f *fixture) expect(want Count) {
	f.t.Helper()
	counts, err := f.Counts(f.t.Context())
	f.ok(err)
	for _, c := range counts {
		if c.Target == want.Target && c != want {
			f.t.Errorf("count %+v, want %+v", c, want)
		}
	}
	sent, acknowledged, rejected, open, err := f.Totals(f.t.Context(), want.Target)
	f.ok(err)
	if got := (Count{Target: want.Target, Sent: sent, Acknowledged: acknowledged, Rejected: rejected, Superseded: want.Superseded, Open: open, ForPerson: want.ForPerson}); got != want {
		f.t.Errorf("totals %+v, want %+v", got, want)
	}
}
