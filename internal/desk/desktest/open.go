// Package desktest makes a small hub for tests of the desk and of what asks it: a lake in a folder, run
// state in a file, and the real steps over the built-in catalogue; empty, or with generated records that
// the real models scored and that were published twice. It refuses to be used outside of tests. What a
// test changes is its own: each gets a hub of its own.
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
	"xinshu/internal/auth"
	"xinshu/internal/chain"
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

// Hub is what a test asks.
type Hub struct {
	Desk  *desk.Desk
	Lake  *lake.Lake
	State *state.State
	Vault *vault.Vault
	Trail *audit.Trail
	Clock time.Time // at which the hub stands; a test may set it on
}

// Clock is the hour at which the hub of Open stands.
var Clock = time.Date(2025, 11, 18, 10, 0, 0, 0, time.FixedZone("Asia/Shanghai", 8*3600))

// Open makes a hub into which nothing came yet, and gives the desk over it. What a test reads of it was
// staged by the real steps.
func Open(t testing.TB) *desk.Desk {
	t.Helper()
	return Empty(t, Clock).Desk
}

// Empty makes a hub into which nothing came yet. It ends with the test.
func Empty(t testing.TB, clock time.Time) *Hub {
	t.Helper()
	h, dir := &Hub{Clock: clock}, t.TempDir()
	now := func() time.Time { return h.Clock }
	cat, faults := catalog.Load(catalog.Files)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	store, err := lake.OpenFolder(filepath.Join(dir, "lake"))
	ok(t, err)
	h.Lake, err = lake.New(store, lake.Options{Node: "test", Engine: chain.Engine{DuckDB: duck.Version(), Xinshu: "test"}, Now: now})
	ok(t, err)
	h.State, err = state.Open(t.Context(), filepath.Join(dir, "state.db"), now)
	ok(t, err)
	key, _ := vault.NewKey()
	h.Vault, err = vault.New(key)
	ok(t, err)
	h.Trail = audit.New(h.State, h.Vault, now)
	o := duck.Options{Threads: 1, MemoryMB: 256, TempDir: dir}
	p := &pipelines.Pipeline{Catalog: cat, Drivers: map[string]connectors.Driver{}, Heads: h.Lake, Runs: h.State, Posts: h.State, Told: h.State, Now: now,
		Stager:    &stage.Stager{Lake: h.Lake, Words: cat, Now: now, HashKey: []byte("the key of a test")},
		Scorer:    &score.Scorer{Lake: h.Lake, Seals: seals(h.Lake), SQL: sql.Files, Duck: o, Platforms: cat.PlatformDatasets(), Xinshu: "test"},
		Publisher: &publish.Publisher{Lake: h.Lake, Duck: o}}
	for _, d := range all.Drivers(now) {
		p.Drivers[d.Kind] = d
	}
	h.State.Log, h.State.Changes = h.Lake, p.Publisher.Changes
	h.Desk = &desk.Desk{Catalog: cat, Files: catalog.Files, Drivers: p.Drivers, Lake: h.Lake, State: h.State, Pipeline: p, SQL: sql.Files, Duck: o, Now: now, Patience: time.Minute,
		Version: "test", Data: dir, Vault: h.Vault, Trail: h.Trail,
		Book: &schedule.Book{Store: h.State, Planner: schedule.Planner{Calendar: cat.Calendars}, Now: now,
			Known: func(context.Context, schedule.Work) error { return nil }, Fresh: func([]string) error { return nil }}}
	p.Made = h.Desk
	t.Cleanup(func() {
		ok(t, h.Desk.Close())
		ok(t, h.State.Close())
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

// As gives the context of somebody with these roles.
func As(t testing.TB, roles ...auth.Role) context.Context {
	return auth.With(t.Context(), auth.Actor{ID: "user:li", Name: "李四", Roles: roles, Way: "session"})
}

// Ingest stages a file of one dataset and gives its ledger.
func Ingest(t testing.TB, d *desk.Desk, dataset, name, body string) chain.Ledger {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	ok(t, os.WriteFile(path, []byte(body), 0o600))
	ds, known := d.Catalog.Dataset(dataset)
	if !known {
		t.Fatalf("there is no dataset %s", dataset)
	}
	result, err := d.Pipeline.Ingest(t.Context(), pipelines.Hand{File: path, Dataset: ds, Job: connectors.Values{}, CollectedOn: catalog.NoDate})
	ok(t, err)
	return result.Ledger
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
