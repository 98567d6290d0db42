package state

import (
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/cases"
	"xinshu/internal/fault"
)

func application(uscc, dataset string, kind cases.Kind) cases.Case {
	return cases.Case{Kind: kind, State: cases.Open, USCC: uscc, Target: cases.Target{Dataset: dataset, DocNo: "文1", DecidedOn: catalog.NoDate},
		Claim: "有误", Evidence: []cases.Item{{Kind: "document", Title: "决定书"}}, WaitingSince: catalog.NoDate}
}

func TestCasesAreNumberedKeptAndListed(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		add := func(c cases.Case) cases.Case {
			c, err := f.AddCase(t.Context(), c, cases.Event{By: "甲", What: cases.Open, Note: c.Claim})
			f.ok(err)
			return c
		}
		a := add(application("A", "amr.severe", cases.Objection))
		b := add(application("B", "cult.penalty", cases.Objection))
		r := add(application("A", "cult.penalty", cases.Repair))
		f.clock = f.clock.Add(24 * time.Hour)
		next := add(application("A", "cult.penalty", cases.Objection))
		if a.No != "YY-20251028-0001" || b.No != "YY-20251028-0002" || r.No != "XF-20251028-0001" || next.No != "YY-20251029-0001" {
			t.Fatalf("numbers %s %s %s %s", a.No, b.No, r.No, next.No)
		}
		a.State = cases.Accepted
		saved, err := f.SaveCase(t.Context(), a, cases.Event{By: "乙", What: cases.Accepted})
		f.ok(err)
		if _, err := f.SaveCase(t.Context(), a, cases.Event{By: "丙", What: cases.Refused}); !fault.Is(err, fault.Conflict) {
			t.Errorf("a case that somebody else changed was stored over: %v", err)
		}
		got, events, err := f.Case(t.Context(), a.No)
		f.ok(err)
		if got.Version != saved.Version || got.State != cases.Accepted || got.Target.DecidedOn != catalog.NoDate || got.Evidence[0].Title != "决定书" {
			t.Errorf("read back %+v", got)
		}
		if len(events) != 2 || events[1].By != "乙" || events[1].What != cases.Accepted || !events[1].At.Equal(f.clock) {
			t.Errorf("history %+v", events)
		}
		b.State = cases.Refused
		_, err = f.SaveCase(t.Context(), b, cases.Event{By: "乙", What: cases.Refused, Note: "不属本级"})
		f.ok(err)
		for _, c := range []struct {
			name   string
			filter cases.Filter
			want   []string
		}{
			{"all, the newest first", cases.Filter{}, []string{next.No, b.No, a.No, r.No}},
			{"those whose clock runs", cases.Filter{Undecided: true}, []string{next.No, a.No, r.No}},
			{"of an entity and a kind", cases.Filter{USCC: "A", Kind: cases.Objection}, []string{next.No, a.No}},
			{"of a department's datasets", cases.Filter{Datasets: []string{"cult.penalty", "cult.rating"}, Undecided: true}, []string{next.No, r.No}},
			{"a page", cases.Filter{Most: 2}, []string{next.No, b.No}},
			{"the page behind it", cases.Filter{Most: 2, Before: b.No}, []string{a.No, r.No}},
			{"of a state", cases.Filter{State: cases.Refused}, []string{b.No}},
		} {
			list, err := f.Cases(t.Context(), c.filter)
			f.ok(err)
			if !sameNumbers(list, c.want) {
				t.Errorf("%s: %v, want %v", c.name, numbersOf(list), c.want)
			}
		}
		if _, _, err := f.Case(t.Context(), "YY-20251028-0009"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a case that is not there: %v", err)
		}
	})
}

func TestACaseIsRestoredUnderItsNumberAndTheNextOneGoesOn(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		c := application("A", "", cases.Objection)
		c.No = "YY-20251028-0007"
		for i, want := range []bool{true, false} {
			added, err := f.RestoreCase(t.Context(), c, cases.Event{By: "lake", What: cases.Open})
			f.ok(err)
			if added != want {
				t.Errorf("restored %d: %t", i, added)
			}
		}
		next, err := f.AddCase(t.Context(), application("B", "", cases.Objection), cases.Event{By: "甲", What: cases.Open})
		f.ok(err)
		if next.No != "YY-20251028-0008" {
			t.Errorf("the next number is %s", next.No)
		}
		c.No = "no number"
		if _, err := f.RestoreCase(t.Context(), c, cases.Event{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a case without a number was stored: %v", err)
		}
	})
}

func numbersOf(list []cases.Case) []string {
	numbers := make([]string, len(list))
	for i, c := range list {
		numbers[i] = c.No
	}
	return numbers
}

func sameNumbers(list []cases.Case, want []string) bool {
	got := numbersOf(list)
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i] != want[i] {
			return false
		}
	}
	return true
}
