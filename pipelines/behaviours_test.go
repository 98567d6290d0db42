package pipelines

import (
	"fmt"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// The behaviours are numbered as in the list of those that peers test; here they are held at the level
// of the hub, over a source that does what the test says.

// days are debtors published at the hours given, one each.
func days(at ...string) []debtor {
	var rows []debtor
	for i, t := range at {
		rows = append(rows, debtor{at: t, code: i % len(codes), no: fmt.Sprintf("（2025）执%d号", i)})
	}
	return rows
}

func TestBehaviour05AFailedRunLeavesTheCursorWhereItWas(t *testing.T) {
	c := &court{rows: days("2025-09-01", "2025-09-02", "2025-09-03", "2025-09-04")}
	h := newHub(t, c)
	c.rows = c.rows[:2]
	h.pull(Choice{})
	before := h.head()
	c.rows, c.cutAt = days("2025-09-01", "2025-09-02", "2025-09-03", "2025-09-04"), 2
	if _, err := h.try(Choice{}); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("the broken connection gives %v", err)
	}
	h.wants("head after the failure", h.head().SHA256, before.SHA256)
	c.cutAt = 0
	h.wants("the next run", ledger(h.pull(Choice{})), "3=2+1")
	h.wants("place", h.place(), "2025-09-04")
}

func TestBehaviour06ABackfillWithAnEndDoesNotMoveTheCursor(t *testing.T) {
	c := &court{rows: days("2025-09-03", "2025-09-04")}
	h := newHub(t, c)
	h.pull(Choice{})
	before := *h.head().Cursor
	c.rows = append(c.rows, debtor{"2024-01-02", 0, "迟到1号", ""}, debtor{"2025-10-09", 1, "新1号", ""})
	h.wants("the stretch", ledger(h.pull(Choice{Again: &Again{From: "2024-01-01", Until: "2024-02-01", Slice: "744h"}})), "1=1+0")
	after := *h.head().Cursor
	h.wants("cursor of the commit", after.Before == after.After && after.After == before.After, true)
	h.wants("place", h.place(), "2025-09-04")
	h.wants("what follows the cursor comes all the same", ledger(h.pull(Choice{})), "2=1+1")
}

func TestBehaviour07SlicesNeitherOverlapNorLeaveAGap(t *testing.T) {
	c := &court{rows: days("2025-09-01", "2025-09-02", "2025-09-03", "2025-09-04")}
	h := newHub(t, c)
	p := h.pull(Choice{Again: &Again{From: "2025-09-01", Until: "2025-09-04"}})
	h.wants("rows", ledger(p), "3=3+0") // the beginning is in, the end is out
	h.wants("slices", p.Slices, 3)
	h.wants("asked", c.pulls, []string{"2025-09-01..2025-09-02", "2025-09-02..2025-09-03", "2025-09-03..2025-09-04"})
	h.wants("commits", h.head().N, 3)
}

func TestBehaviour10AFullReloadStartsTheCursorAnew(t *testing.T) {
	c := &court{rows: days("2025-09-01", "2025-09-02", "2025-09-09")}
	h := newHub(t, c)
	h.pull(Choice{})
	h.wants("place", h.place(), "2025-09-09")
	c.rows = days("2025-09-01", "2025-09-02") // the source was set back
	c.rows = append(c.rows, debtor{"2025-08-01", 2, "更早1号", ""})
	h.wants("an ordinary pull", ledger(h.pull(Choice{})), "0=0+0")
	h.wants("a reload", ledger(h.pull(Choice{Reload: true})), "3=1+2")
	h.wants("place", h.place(), "2025-09-02")
	c.cutAt = 1
	if _, err := h.try(Choice{Reload: true}); err == nil {
		t.Error("a broken reload went through")
	}
	h.wants("place after a broken reload", h.place(), "2025-09-02")
}

func TestBehaviour14GapsOfFinishedSlicesAreReadAgainAndFinishedSlicesAreNot(t *testing.T) {
	c := &court{rows: days("2025-09-01", "2025-09-02", "2025-09-03", "2025-09-04", "2025-09-05")}
	h := newHub(t, c)
	h.pull(Choice{Again: &Again{From: "2025-09-01", Until: "2025-09-03"}})
	h.pull(Choice{Again: &Again{From: "2025-09-04", Until: "2025-09-05"}})
	c.pulls = nil
	all := &Again{From: "2025-09-01", Until: "2025-09-06"}
	p := h.pull(Choice{Again: all})
	h.wants("asked", c.pulls, []string{"2025-09-03..2025-09-04", "2025-09-05..2025-09-06"})
	h.wants("rows", ledger(p), "2=2+0")
	h.wants("remembered", h.head().Feeds["court"].Done, []chain.Stretch{{From: "2025-09-01 00:00:00", Until: "2025-09-06 00:00:00"}})

	n := h.head().N
	h.wants("a third time", ledger(h.pull(Choice{Again: all})), "0=0+0")
	h.wants("commits of nothing", h.head().N-n, 0)
	c.pulls = nil
	h.wants("with reload", ledger(h.pull(Choice{Again: all, Reload: true})), "5=0+5")
	h.wants("asked", len(c.pulls), 5)
}

func TestAStretchBrokenOffGoesOnWhereItWas(t *testing.T) {
	c := &court{rows: days("2025-09-01", "2025-09-02", "2025-09-03")}
	h := newHub(t, c)
	c.rows = append(c.rows, debtor{"2025-09-03", 1, "同日2号", ""})
	c.cutAt = 2 // of a slice: only the third has more rows than two
	c.rows = append(c.rows, debtor{"2025-09-03", 2, "同日3号", ""})
	all := Choice{Again: &Again{From: "2025-09-01", Until: "2025-09-05"}}
	if _, err := h.try(all); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("got %v", err)
	}
	h.wants("what is kept", h.head().N, 2)
	c.cutAt, c.pulls = 0, nil
	p := h.pull(all)
	h.wants("asked afterwards", c.pulls, []string{"2025-09-03..2025-09-04", "2025-09-04..2025-09-05"})
	h.wants("rows", ledger(p), "3=3+0")
}

func TestASliceThatIsNotOverIsReadAndNotRemembered(t *testing.T) {
	c := &court{rows: days("2025-11-04")}
	h := newHub(t, c) // pulls on 4 November
	h.wants("today so far", ledger(h.pull(Choice{Again: &Again{From: "2025-11-03", Until: "2025-11-05"}})), "1=1+0")
	h.wants("remembered", h.head().Feeds["court"].Done, []chain.Stretch{{From: "2025-11-03 00:00:00", Until: "2025-11-04 00:00:00"}})
	c.rows = append(c.rows, debtor{"2025-11-04", 1, "下午1号", ""})
	h.wants("the same the next day", ledger(h.pull(Choice{Again: &Again{From: "2025-11-03", Until: "2025-11-05"}})), "2=1+1")
}

func TestASourceThatCannotReadAStretchSaysSo(t *testing.T) {
	h := newHub(t, &court{rows: days("2025-09-01"), deaf: true})
	_, err := h.try(Choice{Again: &Again{From: "2025-09-01", Until: "2025-09-02"}})
	if !fault.Is(err, fault.Invalid) || h.head().N != 0 {
		t.Errorf("%v, %d commits", err, h.head().N)
	}
}

func TestBehaviour15ARunWithoutRowsSucceedsAndLeavesTheCursor(t *testing.T) {
	c := &court{rows: days("2025-09-01", "2025-09-02")}
	h := newHub(t, c)
	h.pull(Choice{})
	before := h.head().SHA256
	c.rows = nil
	p := h.pull(Choice{})
	h.wants("quiet", p.Quiet(), true)
	h.wants("head", h.head().SHA256, before)
}

func TestBehaviour16TwoFullReadsGiveTheSameRows(t *testing.T) {
	c := &court{rows: days("2025-09-01", "2025-09-02", "2025-09-03"), whole: true}
	h := newHub(t, c)
	h.wants("first", ledger(h.pull(Choice{})), "3=3+0")
	second := h.pull(Choice{})
	h.wants("second", ledger(second), "3=0+3")
	h.wants("gone", second.Result.Gone, 0)
}

func TestBehaviour17ASecondReadGivesNothingOrWhatStandsAtTheCursor(t *testing.T) {
	c := &court{rows: days("2025-09-01", "2025-09-02", "2025-09-02")}
	h := newHub(t, c)
	h.pull(Choice{})
	c.read = 0
	h.wants("at the cursor", ledger(h.pull(Choice{})), "2=0+2")
	h.wants("rows given", c.read, 2)
}
