package desktest

import (
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/bench"
	"xinshu/internal/desk"
)

// Policy is the one under which results are published, twice.
const Policy = "heilongjiang-2021"

// Entities is how many there are; Code gives the code of each, from 0.
const Entities = 1500

// Target is the one that gets everything.
const Target = "province"

// Code gives the code of an entity.
func Code(n int64) string { return bench.Code(n) }

// New makes a hub with results.
func New(t testing.TB) *Hub {
	t.Helper()
	h := Empty(t, time.Date(2023, 1, 9, 2, 0, 0, 0, time.UTC))
	policy, _ := h.Desk.Catalog.Policy(Policy)
	first, _ := catalog.ParseDate("2021-12-31")
	second, _ := catalog.ParseDate("2022-12-31")
	p := h.Desk.Pipeline
	ok(t, bench.Publish(t.Context(), bench.Options{Entities: Entities, MemoryMB: 256, Threads: 1, Policy: policy, Scorer: *p.Scorer}, *p.Publisher, []catalog.Date{first, second}))
	h.Desk.Given = []desk.Given{{Role: desk.TargetRole, ID: Target, Kind: "files", Values: connectors.Values{"place": "folder", "root": t.TempDir()}}}
	ok(t, h.Desk.SetTargets(t.Context()))
	_, err := h.State.Follow(t.Context())
	ok(t, err)
	return h
}

// Answer has the target answer everything that is due: it rejects every so many-th row, none for 0.
func (h *Hub) Answer(t testing.TB, rejectEvery int) {
	t.Helper()
	for {
		d, _, found, err := h.State.Claim(t.Context(), Target, 500)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			return
		}
		var receipt connectors.Receipt
		for i, r := range d.Rows {
			answer := connectors.RowReceipt{ID: r.ID}
			if rejectEvery > 0 && i%rejectEvery == 0 {
				answer.Code, answer.Message = "R-404", "本平台无此主体"
				receipt.Rejected++
			} else {
				receipt.Accepted++
			}
			receipt.Rows = append(receipt.Rows, answer)
		}
		if err := h.State.Answered(t.Context(), d, receipt, receipt.Rows, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
}
