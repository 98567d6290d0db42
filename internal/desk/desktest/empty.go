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
	"xinshu/pipelines/schedule"
	"xinshu/pipelines/stage"
	"xinshu/sql"
)

// Clock is the hour at which the hub of a test stands.
var Clock = time.Date(2025, 11, 18, 10, 0, 0, 0, time.FixedZone("Asia/Shanghai", 8*3600))

// Open makes a hub into which nothing came yet, and the desk over it. Both end with the test. What a
// test reads of it was staged by the real steps.
func Open(t testing.TB) *desk.Desk {
	t.Helper()
	dir := t.TempDir()
	now := func() time.Time { return Clock }
	cat, _ := catalog.Load(catalog.Files)
	store, err := lake.OpenFolder(filepath.Join(dir, "lake"))
	ok(t, err)
	l, err := lake.New(store, lake.Options{Cache: filepath.Join(dir, "cache"), CacheBytes: 64 << 20, Node: "test", Engine: chain.Engine{DuckDB: duck.Version(), Xinshu: "test"}, Now: now})
	ok(t, err)
	s, err := state.Open(t.Context(), filepath.Join(dir, "state.db"), now)
	ok(t, err)
	s.Log = l
	key, _ := vault.NewKey()
	v, err := vault.New(key)
	ok(t, err)
	drivers := map[string]connectors.Driver{}
	for _, d := range all.Drivers(now) {
		drivers[d.Kind] = d
	}
	p := &pipelines.Pipeline{Catalog: cat, Drivers: drivers, Heads: l, Runs: s, Posts: s, Now: now,
		Stager: &stage.Stager{Lake: l, Words: cat, Now: now, HashKey: []byte("the key of a test")}}
	d := &desk.Desk{Catalog: cat, Drivers: drivers, Lake: l, State: s, Pipeline: p, SQL: sql.Files, Duck: duck.Options{Threads: 1, MemoryMB: 128, TempDir: dir},
		Now: now, Version: "test", Data: dir, Vault: v, Trail: audit.New(s, v, now),
		Book: &schedule.Book{Store: s, Planner: schedule.Planner{Calendar: cat.Calendars}, Now: now,
			Known: func(context.Context, schedule.Work) error { return nil }, Fresh: func([]string) error { return nil }}}
	p.Made = d
	t.Cleanup(func() {
		ok(t, d.Close())
		ok(t, s.Close())
	})
	return d
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
