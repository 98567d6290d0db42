package push

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/state"
)

// hub is run state in SQLite that follows one published chain in memory, a clock, and a sender.
type hub struct {
	t     *testing.T
	file  string
	clock time.Time
	rows  [][]connectors.Row // of each entry
	head  chain.Entry
	state *state.State
	Sender
}

const policy = "henan-2020"

func newHub(t *testing.T, targets ...string) *hub {
	h := &hub{t: t, file: filepath.Join(t.TempDir(), "state.db"), clock: time.Date(2025, 10, 28, 9, 0, 0, 0, time.UTC),
		head: chain.Entry{Chain: chain.Published(policy), WrittenAt: "2025-10-28T09:00:00Z"}}
	h.open()
	t.Cleanup(func() { _ = h.state.Close() })
	var all []state.Target
	for _, id := range targets {
		all = append(all, state.Target{ID: id})
	}
	h.ok(h.state.SetTargets(t.Context(), all))
	return h
}

func (h *hub) open() {
	h.t.Helper()
	s, err := state.Open(h.t.Context(), h.file, h.now)
	h.ok(err)
	s.Log, s.Changes = h, h.changes
	h.state, h.Sender = s, Sender{Outbox: s, Now: h.now, Retry: Retry{Attempts: 4}}
}

func (h *hub) now() time.Time { return h.clock }

func (h *hub) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// publish states grades: a code to its grade, under one new version.
func (h *hub) publish(kind string, version int64, grades map[string]string) {
	h.t.Helper()
	var rows []connectors.Row
	for uscc, grade := range grades {
		id := fmt.Sprintf("%s/%s/%d", policy, uscc, version)
		body, err := json.Marshal(map[string]any{"id": id, "kind": kind, "policy": policy, "uscc": uscc, "version": version, "grade": grade, "trial": true, "wording": "不作为背书。"})
		h.ok(err)
		rows = append(rows, connectors.Row{ID: id, Kind: kind, Version: version, USCC: uscc, Body: body})
	}
	h.rows = append(h.rows, rows)
	h.head.N++
	h.head.Run = fmt.Sprintf("publish-%d", h.head.N)
	_, err := h.state.Follow(h.t.Context())
	h.ok(err)
}

func (h *hub) Chains(context.Context) ([]string, error) { return []string{h.head.Chain}, nil }

func (h *hub) Head(context.Context, string) (chain.Entry, error) { return h.head, nil }

func (h *hub) Entry(context.Context, string, int64) (chain.Entry, error) {
	return chain.Entry{}, fault.Newf(fault.NotFound, "read entry", "run state is never behind by more than the head")
}

func (h *hub) changes(_ context.Context, _ chain.Entry, since int64) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		for _, rows := range h.rows[since:] {
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// receiver keeps of each entity the row with the greatest version, once per row id. What it does
// with an attempt, and with answers, is the test's.
type receiver struct {
	arrived []string // row ids in the order in which they first came
	times   map[string]int
	kept    map[string]connectors.Row
	told    map[string]string // delivery id to its row ids
	mixed   []string          // deliveries that came again with other rows

	before  func(d connectors.Delivery) error                       // refuses before anything arrives
	after   func(d connectors.Delivery) (connectors.Receipt, error) // answers; nil: accepts all
	answers []connectors.Answer
}

func newReceiver() *receiver {
	return &receiver{times: map[string]int{}, kept: map[string]connectors.Row{}, told: map[string]string{}}
}

func (r *receiver) Push(_ context.Context, d connectors.Delivery) (connectors.Receipt, error) {
	if r.before != nil {
		if err := r.before(d); err != nil {
			return connectors.Receipt{}, err
		}
	}
	ids := strings.Join(rowIDs(d), " ")
	if before, again := r.told[d.ID]; again && before != ids {
		r.mixed = append(r.mixed, d.ID)
	}
	r.told[d.ID] = ids
	for _, row := range d.Rows {
		if r.times[row.ID]++; r.times[row.ID] == 1 {
			r.arrived = append(r.arrived, row.ID)
		}
		if row.Version > r.kept[row.USCC].Version {
			r.kept[row.USCC] = row
		}
	}
	if r.after != nil {
		return r.after(d)
	}
	return connectors.Receipt{Code: "0", Accepted: int64(len(d.Rows))}, nil
}

// grade gives what a receiver now believes of an entity.
func (r *receiver) grade(t *testing.T, uscc string) string {
	t.Helper()
	row, found := r.kept[uscc]
	if !found {
		return "nothing"
	}
	if row.Kind == "retraction" {
		return "retracted"
	}
	var body struct{ Grade string }
	if err := json.Unmarshal(row.Body, &body); err != nil {
		t.Fatal(err)
	}
	return body.Grade
}

// later is a receiver that answers later.
type later struct{ *receiver }

func (l later) Answers(context.Context) iter.Seq2[connectors.Answer, error] {
	return func(yield func(connectors.Answer, error) bool) {
		for _, a := range l.answers {
			if !yield(a, nil) {
				return
			}
		}
	}
}

func (l later) Taken(_ context.Context, a connectors.Answer) error {
	for i, have := range l.answers {
		if have.Handle == a.Handle {
			l.answers = append(l.answers[:i:i], l.answers[i+1:]...)
			break
		}
	}
	return nil
}
