package desk

import (
	"path/filepath"
	"testing"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/lake"
	"xinshu/internal/state"
)

func TestAPageAsksTheStoreOnlyForEntriesItHasNotSeen(t *testing.T) {
	ctx, dir, asked := t.Context(), t.TempDir(), 0
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	open := func() *lake.Lake {
		store, err := lake.OpenFolder(dir)
		ok(err)
		l, err := lake.New(lake.Watch(store, func(string, string, time.Duration) { asked++ }), lake.Options{})
		ok(err)
		return l
	}
	commit := func(l *lake.Lake, name, run string) {
		t.Helper()
		base, err := l.Head(ctx, name)
		ok(err)
		_, err = l.Commit(ctx, chain.Draft{Base: base, Entry: chain.Entry{Chain: name, Run: run, Intent: chain.Intent(run)}})
		ok(err)
	}
	ours, theirs := open(), open()
	names := []string{chain.Stage("a.one"), chain.Stage("a.two"), chain.Stage("a.three")}
	s, err := state.Open(ctx, filepath.Join(t.TempDir(), "state.db"), time.Now)
	ok(err)
	defer func() { ok(s.Close()) }()
	s.Log = theirs
	for _, name := range names {
		commit(theirs, name, "first-"+name)
	}
	_, err = s.Follow(ctx)
	ok(err)
	d := &Desk{Lake: ours, State: s}
	page := func(want ...int64) (requests int) {
		t.Helper()
		asked = 0
		head, err := d.headsNow(ctx)
		ok(err)
		for i, name := range append(names, chain.Stage("a.never")) {
			e, err := head(name)
			ok(err)
			alone, err := d.head(ctx, name)
			ok(err)
			if e.N != want[i] || alone.N != want[i] || e.Chain != name {
				t.Errorf("%s: %d and %d, want %d", name, e.N, alone.N, want[i])
			}
		}
		return asked
	}
	if n := page(1, 1, 1, 0); n != 3 {
		t.Errorf("the first page made %d requests for three entries", n)
	}
	if n := page(1, 1, 1, 0); n != 0 {
		t.Errorf("the second page made %d requests", n)
	}
	commit(ours, names[0], "second") // run state is told a moment later
	if n := page(2, 1, 1, 0); n != 1 {
		t.Errorf("after a commit of this process: %d requests", n)
	}
	commit(theirs, names[1], "second")
	_, err = s.Follow(ctx)
	ok(err)
	if n := page(2, 2, 1, 0); n != 1 {
		t.Errorf("after another node's commit: %d requests", n)
	}
	if e, err := ours.Head(ctx, names[1]); err != nil || e.N != 2 {
		t.Errorf("the log itself: %d, %v", e.N, err)
	}
}
