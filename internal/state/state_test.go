package state

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/pgtest"
)

// onBoth runs a test on SQLite and on PostgreSQL: one SQL text, one suite.
func onBoth(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		test(t, newFixture(t, filepath.Join(t.TempDir(), "a folder", "state%20.db")))
	})
	t.Run("postgres", func(t *testing.T) { test(t, newFixture(t, pgtest.Start(t))) })
}

// fixture is an open database, a clock that stands still until moved, and a log in memory.
type fixture struct {
	*State
	t       *testing.T
	address string
	clock   time.Time
	log     *memoryLog
}

func newFixture(t *testing.T, address string) *fixture {
	f := &fixture{t: t, address: address, clock: time.Date(2025, 10, 28, 9, 0, 0, 0, time.UTC), log: &memoryLog{}}
	f.open()
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func (f *fixture) open() {
	f.t.Helper()
	s, err := Open(f.t.Context(), f.address, func() time.Time { return f.clock })
	if err != nil {
		f.t.Fatal(err)
	}
	s.Log, s.Changes = f.log, f.log.changes
	f.State = s
}

// rebuild throws the database away and follows the log into an empty one.
func (f *fixture) rebuild(targets ...Target) Followed {
	f.t.Helper()
	for _, table := range []string{"receipt", "attempt", "outbox", "delivery", "change", "target_limit", "target", "commit_taken", "run", "chain_head", "feed_hold"} {
		if _, err := f.db.ExecContext(f.t.Context(), "delete from "+table); err != nil {
			f.t.Fatal(err)
		}
	}
	f.targets(targets...)
	got, err := f.Follow(f.t.Context())
	f.ok(err)
	return got
}

func (f *fixture) ok(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) targets(targets ...Target) {
	f.t.Helper()
	f.ok(f.SetTargets(f.t.Context(), targets))
}

// publish appends one entry with changes to published/<policy> and lets run state take it in.
func (f *fixture) publish(policy string, changes ...statement) {
	f.t.Helper()
	e := f.log.publish(policy, changes...)
	f.ok(f.CommitRun(f.t.Context(), chain.Run{ID: e.Run, Step: "publish", Subject: policy, Started: f.clock, Ended: f.clock,
		Status: "done", Chain: e.Chain, N: e.N}))
}

// claim takes the next delivery and gives the ids of its rows with their kinds.
func (f *fixture) claim(target string) (connectors.Delivery, []string) {
	f.t.Helper()
	d, _, found, err := f.Claim(f.t.Context(), target, 100)
	f.ok(err)
	if !found {
		return d, nil
	}
	var rows []string
	for _, r := range d.Rows {
		rows = append(rows, r.Kind+" "+r.ID)
	}
	return d, rows
}

// accept sends everything due to a target and has it accepted.
func (f *fixture) accept(target string) []string {
	f.t.Helper()
	var all []string
	for {
		d, rows := f.claim(target)
		if len(rows) == 0 {
			return all
		}
		all = append(all, rows...)
		f.ok(f.Answered(f.t.Context(), d, connectors.Receipt{Accepted: int64(len(rows))}, accepted(d), time.Time{}))
	}
}

func accepted(d connectors.Delivery) []connectors.RowReceipt {
	var rows []connectors.RowReceipt
	for _, r := range d.Rows {
		rows = append(rows, connectors.RowReceipt{ID: r.ID})
	}
	return rows
}

// statement is what a test says about a change; the rest is filled in.
type statement struct {
	uscc, kind         string
	version            int64
	division, industry string
	trial              bool
}

func grade(uscc string, version int64) statement {
	return statement{uscc: uscc, kind: "grade", version: version}
}

// memoryLog is a log whose published entries carry their changes.
type memoryLog struct {
	names   []string
	entries map[string][]chain.Entry
	stated  map[string][]connectors.Row // by chain and entry
	kept    int64                       // entries below this number are gone by the retention rule
}

func (l *memoryLog) Chains(context.Context) ([]string, error) { return l.names, nil }

func (l *memoryLog) Head(_ context.Context, name string) (chain.Entry, error) {
	all := l.entries[name]
	if len(all) == 0 {
		return chain.Entry{Chain: name}, nil
	}
	return all[len(all)-1], nil
}

func (l *memoryLog) Entry(_ context.Context, name string, n int64) (chain.Entry, error) {
	if n < l.kept || n < 1 || n > int64(len(l.entries[name])) {
		return chain.Entry{}, fault.Newf(fault.NotFound, "read entry", "%s %d is not there", name, n)
	}
	return l.entries[name][n-1], nil
}

func (l *memoryLog) append(e chain.Entry) chain.Entry {
	if l.entries == nil {
		l.entries, l.stated = map[string][]chain.Entry{}, map[string][]connectors.Row{}
	}
	if len(l.entries[e.Chain]) == 0 {
		l.names = append(l.names, e.Chain)
	}
	e.N = int64(len(l.entries[e.Chain])) + 1
	e.WrittenAt, e.CommitID, e.SHA256 = "2025-10-28T01:00:00Z", fmt.Sprintf("%s#%d", e.Chain, e.N), fmt.Sprintf("sha of %s %d", e.Chain, e.N)
	if e.Run == "" {
		e.Run = fmt.Sprintf("run of %s %d", e.Chain, e.N)
	}
	l.entries[e.Chain] = append(l.entries[e.Chain], e)
	return e
}

func (l *memoryLog) publish(policy string, statements ...statement) chain.Entry {
	e := l.append(chain.Entry{Chain: chain.Published(policy)})
	for _, s := range statements {
		id := rowID(policy, s.uscc, s.version)
		body, _ := json.Marshal(map[string]any{"id": id, "policy": policy, "division": s.division, "industry": s.industry, "trial": s.trial, "uscc": s.uscc})
		key := fmt.Sprintf("%s#%d", e.Chain, e.N)
		l.stated[key] = append(l.stated[key], connectors.Row{ID: id, Kind: s.kind, Version: s.version, USCC: s.uscc, Body: body})
	}
	return e
}

func (l *memoryLog) changes(_ context.Context, head chain.Entry, since int64) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		for n := since + 1; n <= head.N; n++ {
			for _, row := range l.stated[fmt.Sprintf("%s#%d", head.Chain, n)] {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}
