// Package desktest makes a small hub for tests of the desk and of what asks it: a lake in a folder with
// generated records, scored by the real models and published twice, and run state that follows it. It
// refuses to be used outside of tests. What a test changes is its own: each gets a hub of its own.
package desktest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/all"
	"xinshu/internal/audit"
	"xinshu/internal/bench"
	"xinshu/internal/desk"
	"xinshu/internal/duck"
	"xinshu/internal/lake"
	"xinshu/internal/state"
	"xinshu/internal/vault"
	"xinshu/pipelines"
	"xinshu/pipelines/publish"
	"xinshu/pipelines/schedule"
	"xinshu/pipelines/score"
	"xinshu/pipelines/stage"
	"xinshu/sql"
)

// Policy is the one under which results are published, twice.
const Policy = "heilongjiang-2021"

// Entities is how many there are; Code gives the code of each, from 0.
const Entities = 1500

// Target is the one that gets everything.
const Target = "province"

// Hub is what a test asks.
type Hub struct {
	Desk  *desk.Desk
	State *state.State
	Trail *audit.Trail
	Clock time.Time
}

// Code gives the code of an entity.
func Code(n int64) string { return bench.Code(n) }

// New makes the hub.
func New(t testing.TB) *Hub {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h := &Hub{Clock: time.Date(2023, 1, 9, 2, 0, 0, 0, time.UTC)}
	now := func() time.Time { return h.Clock }
	store, err := lake.OpenFolder(t.TempDir())
	ok(err)
	l, err := lake.New(store, lake.Options{Now: time.Now})
	ok(err)
	cat, faults := catalog.Load(catalog.Files)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	o := duck.Options{Threads: 1, MemoryMB: 256, TempDir: t.TempDir()}
	scorer := score.Scorer{Lake: l, Seals: seals(l), SQL: sql.Files, Duck: o, Platforms: cat.PlatformDatasets(), Xinshu: "test"}
	publisher := &publish.Publisher{Lake: l, Duck: o}
	policy, _ := cat.Policy(Policy)
	first, _ := catalog.ParseDate("2021-12-31")
	second, _ := catalog.ParseDate("2022-12-31")
	ok(bench.Publish(t.Context(), bench.Options{Entities: Entities, MemoryMB: 256, Threads: 1, Policy: policy, Scorer: scorer}, *publisher, []catalog.Date{first, second}))

	h.State, err = state.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), now)
	ok(err)
	h.State.Log, h.State.Changes = l, publisher.Changes
	key, _ := vault.NewKey()
	v, err := vault.New(key)
	ok(err)
	h.Trail = audit.New(h.State, v, now)
	h.Desk = &desk.Desk{Catalog: cat, Lake: l, State: h.State, SQL: sql.Files, Duck: o, Now: now, Version: "test", Data: t.TempDir(), Vault: v, Trail: h.Trail, Files: catalog.Files,
		Drivers: map[string]connectors.Driver{},
		Given:   []desk.Given{{Role: desk.TargetRole, ID: Target, Kind: "files", Values: connectors.Values{"place": "folder", "root": t.TempDir()}}},
		Pipeline: &pipelines.Pipeline{Catalog: cat, Heads: l, Runs: h.State, Posts: h.State, Publisher: publisher, Scorer: &scorer, Now: now,
			Stager: &stage.Stager{Lake: l, Words: cat, Now: now, HashKey: []byte("key")}},
		Book: &schedule.Book{Store: h.State, Planner: schedule.Planner{Calendar: cat.Calendars}, Now: now,
			Known: func(context.Context, schedule.Work) error { return nil }, Fresh: func([]string) error { return nil }}}
	for _, d := range all.Drivers(now) {
		h.Desk.Drivers[d.Kind] = d
	}
	ok(h.Desk.SetTargets(t.Context()))
	_, err = h.State.Follow(t.Context())
	ok(err)
	t.Cleanup(func() {
		if err := h.Desk.Close(); err != nil {
			t.Error(err)
		}
		if err := h.State.Close(); err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
	})
	return h
}

func seals(l *lake.Lake) func(context.Context, string) (map[string][]byte, error) {
	return func(ctx context.Context, policy string) (map[string][]byte, error) {
		found, err := l.Seals(ctx, policy)
		bodies := map[string][]byte{}
		for _, s := range found {
			bodies[s.SHA256] = s.Body
		}
		return bodies, err
	}
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
