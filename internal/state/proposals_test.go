package state

import (
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/fault"
	"xinshu/internal/release"
)

func TestProposalsAreNumberedAnsweredAndReleased(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		today := catalog.DateOf(f.clock)
		add := func(file, text string, from catalog.Date) release.Proposal {
			p, err := f.AddProposal(t.Context(), release.Proposal{Part: release.Policy, Subject: file, State: release.Proposed, File: "policies/" + file + ".yaml", Text: text, Note: "n", InForce: from, By: "甲"})
			f.ok(err)
			return p
		}
		answer := func(p release.Proposal, s release.State) {
			p.State, p.AnsweredBy, p.AnsweredAt = s, "乙", f.clock
			f.ok(f.AnswerProposal(t.Context(), p))
		}
		a1, a2, a3, b := add("a", "a1", today), add("a", "a2", today.AddDays(10)), add("a", "a3", today), add("b", "b", today)
		if a1.ID != "R20251028-0001" || b.ID != "R20251028-0004" {
			t.Fatalf("numbers %s, %s", a1.ID, b.ID)
		}
		answer(a1, release.Approved)
		answer(a2, release.Approved)
		answer(b, release.Refused)
		if err := f.AnswerProposal(t.Context(), a1); !fault.Is(err, fault.Conflict) {
			t.Errorf("answered twice: %v", err)
		}
		texts := func(day catalog.Date) string {
			all, err := f.Released(t.Context(), day)
			f.ok(err)
			out := ""
			for _, p := range all {
				out += p.Text + " "
			}
			return out
		}
		for _, c := range []struct {
			day  catalog.Date
			want string
		}{{today.AddDays(-1), ""}, {today, "a1 "}, {today.AddDays(9), "a1 "}, {today.AddDays(10), "a2 "}} {
			if got := texts(c.day); got != c.want {
				t.Errorf("in force on %s: %q, want %q", c.day, got, c.want)
			}
		}
		f.clock = f.clock.Add(time.Hour)
		answer(a3, release.Approved)
		if got := texts(today); got != "a3 " {
			t.Errorf("of two of one day %q is in force", got)
		}
		open, err := f.Proposals(t.Context(), release.Filter{State: release.Refused, Part: release.Policy})
		f.ok(err)
		if len(open) != 1 || open[0].ID != b.ID || open[0].AnsweredBy != "乙" {
			t.Errorf("refused: %+v", open)
		}
		page, err := f.Proposals(t.Context(), release.Filter{Subject: "a", Most: 1, Before: a3.ID})
		f.ok(err)
		if len(page) != 1 || page[0].ID != a2.ID {
			t.Errorf("a page: %+v", page)
		}
		if _, err := f.Proposal(t.Context(), "R1"); !fault.Is(err, fault.NotFound) {
			t.Errorf("one that is not there: %v", err)
		}
	})
}
