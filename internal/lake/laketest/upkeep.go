package laketest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
)

// Upkeep proves garbage collection, verification and epochs on a lake over an empty store.
func Upkeep(t *testing.T, open func(t *testing.T) lake.Store) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s lake.Store)
	}{
		{"verify names what was changed, lost or added", verifyNames},
		{"garbage collection keeps 14 entries, the unsettled ones and all they list", collects},
		{"manifests that no entry lists are collected", oldManifests},
		{"garbage collection that is cut off can be taken up again", cutOff},
		{"a run whose first object is a day old may not commit", abandoned},
		{"an epoch only grows", epochs},
		{"a head that went back by a restore is seen by a running node", restored},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// later opens a lake whose clock is ahead.
func later(t *testing.T, s lake.Store, by time.Duration) *lake.Lake {
	t.Helper()
	l, err := lake.New(s, lake.Options{Cache: t.TempDir(), Now: func() time.Time { return time.Now().Add(by) }})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func replace(t *testing.T, s lake.Store, key, body string) {
	t.Helper()
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	put(t, s, key, body)
}

func verifyNames(t *testing.T, s lake.Store) {
	l := later(t, s, 0)
	name := chain.Stage("amr.severe")
	first := Commit(t, l, name, "r1")
	second := Commit(t, l, name, "r2")
	d := draft(chain.Entry{}, chain.Settled, "s1")
	d.Entry.Inputs = []chain.Input{{Chain: name, N: 2, SHA256: second.SHA256}}
	if _, err := l.Commit(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	seal, err := l.Seal(t.Context(), "henan-2020", "2025-10-31", []byte(`{"known_seq":1}`))
	if err != nil {
		t.Fatal(err)
	}
	report, err := l.Verify(t.Context(), true)
	if want := (lake.Report{Chains: 2, Entries: 3, Objects: 2, Bytes: 20, Read: true, Seals: 1}); err != nil || report != want {
		t.Fatalf("whole store: %+v, %v; want %+v", report, err, want)
	}
	object, sealKey := first.Files[0].Key, "seal/henan-2020/2025-10-31/"+seal+".json"
	entry := func(n int) string { return fmt.Sprintf("log/%s/%012d.json", name, n) }
	for _, c := range []struct {
		what, key    string
		change       func(body string) string // empty: delete
		onlyWithData bool
	}{
		{"an object's bytes", object, strings.ToUpper, true},
		{"an object's size", object, func(b string) string { return b + "!" }, false},
		{"a lost object", object, nil, false},
		{"a log entry's words", entry(1), func(b string) string { return strings.Replace(b, `"node": ""`, `"node": "x"`, 1) }, false},
		{"a log entry under another number", entry(2), func(b string) string { return strings.Replace(b, "\"n\": 2,\n \"node\"", "\"n\": 3,\n \"node\"", 1) }, false},
		{"a log entry that is no JSON", entry(1), func(string) string { return "{" }, false},
		{"a lost first entry", entry(1), nil, false},
		{"a head that inputs do not know", entry(2), func(b string) string { return strings.Replace(b, `"node": ""`, `"node": "x"`, 1) }, false},
		{"a seal's words", sealKey, func(b string) string { return strings.Replace(b, "1", "2", 1) }, false},
	} {
		was := get(t, s, c.key)
		if c.change == nil {
			if err := s.Delete(t.Context(), c.key); err != nil {
				t.Fatal(err)
			}
		} else {
			if c.change(was) == was {
				t.Fatalf("%s: the case changes nothing in\n%s", c.what, was)
			}
			replace(t, s, c.key, c.change(was))
		}
		for _, readData := range []bool{false, true} {
			_, err := later(t, s, 0).Verify(t.Context(), readData)
			found := err != nil && strings.Contains(err.Error(), c.key)
			if want := readData || !c.onlyWithData; found != want {
				t.Errorf("%s, reading data %v: %v; want it found: %v, naming %s", c.what, readData, err, want, c.key)
			}
		}
		replace(t, s, c.key, was)
	}
	if _, err := l.Verify(t.Context(), true); err != nil {
		t.Errorf("all put back: %v", err)
	}
}

// grow makes a settled chain of n commits that each replace all files, a stage chain of n commits
// that each add one, and two objects that no entry lists.
func grow(t *testing.T, l *lake.Lake, n int) {
	t.Helper()
	for i := range n {
		run := fmt.Sprintf("r%02d", i+1)
		Commit(t, l, chain.Stage("tax.grade"), run)
		f, err := l.Put(t.Context(), Object(t, l, chain.Settled, run, "record", "records of "+run))
		if err != nil {
			t.Fatal(err)
		}
		head, err := l.Head(t.Context(), chain.Settled)
		if err != nil {
			t.Fatal(err)
		}
		d := draft(head, chain.Settled, run, f)
		d.Keep = func(chain.File) bool { return false }
		if _, err := l.Commit(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Put(t.Context(), Object(t, l, chain.Settled, "killed", "record", "of a killed run")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Seal(t.Context(), "p", "2025-10-31", []byte("{}")); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s lake.Store) string {
	t.Helper()
	return fmt.Sprintf("settled: %d entries %d objects; stage: %d entries %d objects; seals %d",
		len(keys(t, s, "log/settled/0", "")), len(keys(t, s, "data/settled/", "")),
		len(keys(t, s, "log/stage/tax.grade/0", "")), len(keys(t, s, "data/stage/", "")), len(keys(t, s, "seal/", "")))
}

const grown = "settled: 20 entries 21 objects; stage: 20 entries 20 objects; seals 1"

func collects(t *testing.T, s lake.Store) {
	grow(t, later(t, s, 0), 20)
	settled := func(n int64) lake.Unsettled {
		return func(_ ctx, name string) (int64, error) {
			if name != chain.Stage("tax.grade") {
				t.Errorf("asked about %s", name)
			}
			return n, nil
		}
	}
	for _, step := range []struct {
		what    string
		after   time.Duration
		settled int64
		want    string
	}{
		{"all is younger than 7 days", 6 * 24 * time.Hour, 20, grown},
		{"unsettled stage entries stay", 8 * 24 * time.Hour, 4, "settled: 14 entries 14 objects; stage: 16 entries 20 objects; seals 1"},
		{"again: nothing more", 8 * 24 * time.Hour, 4, "settled: 14 entries 14 objects; stage: 16 entries 20 objects; seals 1"},
		{"settled stage entries beyond 14 go", 8 * 24 * time.Hour, 20, "settled: 14 entries 14 objects; stage: 14 entries 20 objects; seals 1"},
	} {
		l := later(t, s, step.after)
		if _, err := l.Collect(t.Context(), settled(step.settled)); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if got := count(t, s); got != step.want {
			t.Errorf("%s: left %s, want %s", step.what, got, step.want)
		}
		if _, err := l.Verify(t.Context(), true); err != nil {
			t.Errorf("%s: %v", step.what, err)
		}
	}
	if got := keys(t, s, "log/settled/ROOT", ""); fmt.Sprint(got) != "[log/settled/ROOT-000000000007.json]" {
		t.Errorf("roots: %v", got)
	}
	l := later(t, s, 0)
	if e := Commit(t, l, chain.Settled, "after"); e.N != 21 {
		t.Errorf("the next entry is %d", e.N)
	}
	root := "log/settled/ROOT-000000000007.json"
	replace(t, s, root, strings.Replace(get(t, s, root), `"parent_sha256": "`, `"parent_sha256": "0`, 1))
	if _, err := l.Verify(t.Context(), false); err == nil || !strings.Contains(err.Error(), root) {
		t.Errorf("a changed root: %v", err)
	}
}

func oldManifests(t *testing.T, s lake.Store) {
	l := later(t, s, 0)
	var head chain.Entry
	for i := range 16 {
		run := fmt.Sprint("r", i)
		d := draft(head, chain.Settled, run, names(run, 1001)...)
		d.Keep = func(chain.File) bool { return false }
		var err error
		if head, err = l.Commit(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	done, err := later(t, s, 8*24*time.Hour).Collect(t.Context(), nil)
	if want := (lake.Collected{Entries: 2, Manifests: 2}); err != nil || done != want {
		t.Errorf("collected %+v, %v; want %+v", done, err, want)
	}
	if e, err := later(t, s, 0).Head(t.Context(), chain.Settled); err != nil || len(e.Files) != 1001 {
		t.Errorf("the head lists %d files, %v", len(e.Files), err)
	}
}

type ctx = context.Context

// failing is a store whose deletions end with an error, as when the process is killed among them.
type failing struct {
	lake.Store
	left int
}

var errCutOff = errors.New("cut off")

func (f *failing) Delete(c ctx, key string) error {
	if f.left--; f.left < 0 {
		return errCutOff
	}
	return f.Store.Delete(c, key)
}

func cutOff(t *testing.T, s lake.Store) {
	grow(t, later(t, s, 0), 20)
	settled := func(ctx, string) (int64, error) { return 20, nil }
	const week = 8 * 24 * time.Hour
	rounds := 0
	for ; ; rounds++ {
		_, err := later(t, &failing{s, 3}, week).Collect(t.Context(), settled)
		if _, broken := later(t, s, week).Verify(t.Context(), true); broken != nil {
			t.Fatalf("after %d rounds: %v", rounds, broken)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, errCutOff) {
			t.Fatal(err)
		}
	}
	if want := "settled: 14 entries 14 objects; stage: 14 entries 20 objects; seals 1"; rounds < 4 || count(t, s) != want {
		t.Errorf("after %d rounds: %s, want %s", rounds, count(t, s), want)
	}
}

func abandoned(t *testing.T, s lake.Store) {
	var ahead time.Duration
	l, err := lake.New(s, lake.Options{Cache: t.TempDir(), Now: func() time.Time { return time.Now().Add(ahead) }})
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.Put(t.Context(), Object(t, l, chain.Settled, "slow", "record", "x"))
	if err != nil {
		t.Fatal(err)
	}
	ahead = 23 * time.Hour
	g, err := l.Put(t.Context(), Object(t, l, chain.Settled, "slow", "record", "y"))
	if err != nil {
		t.Fatal(err)
	}
	ahead = 25 * time.Hour
	_, err = l.Commit(t.Context(), draft(chain.Entry{}, chain.Settled, "slow", f, g))
	wantConflict(t, err)
	if head, err := l.Head(t.Context(), chain.Settled); err != nil || head.N != 0 {
		t.Errorf("head %d, %v", head.N, err)
	}
	if e := Commit(t, l, chain.Settled, "quick"); e.N != 1 {
		t.Errorf("another run: entry %d", e.N)
	}
	// A process that takes up the old run finds its object in the store and learns its age from there.
	resumed := later(t, s, 26*time.Hour)
	f, err = resumed.Put(t.Context(), Object(t, resumed, chain.Settled, "slow", "record", "x"))
	if err != nil {
		t.Fatal(err)
	}
	head, err := resumed.Head(t.Context(), chain.Settled)
	if err != nil {
		t.Fatal(err)
	}
	_, err = resumed.Commit(t.Context(), draft(head, chain.Settled, "slow", f))
	wantConflict(t, err)
}

func epochs(t *testing.T, s lake.Store) {
	l := later(t, s, 0)
	want := func(n int64) {
		t.Helper()
		if got, err := later(t, s, 0).Epoch(t.Context()); err != nil || got != n {
			t.Errorf("epoch %d, %v; want %d", got, err, n)
		}
	}
	want(0)
	for _, c := range []struct{ seen, want int64 }{{0, 1}, {0, 2}, {7, 8}, {3, 9}} {
		if got, err := l.NewEpoch(t.Context(), c.seen, "restore"); err != nil || got != c.want {
			t.Errorf("new epoch after %d: %d, %v; want %d", c.seen, got, err, c.want)
		}
		want(c.want)
	}
	if _, err := l.NewEpoch(t.Context(), 1<<23, "restore"); !fault.Is(err, fault.Invalid) {
		t.Errorf("an epoch that would not fit: %v", err)
	}
}

func restored(t *testing.T, s lake.Store) {
	l := later(t, s, 0)
	for i := range 5 {
		Commit(t, l, chain.Settled, fmt.Sprint("r", i))
	}
	for left := int64(4); left >= 0; left -= 2 { // one entry gone, then three, then all
		for n := left + 1; n <= 5; n++ {
			if err := s.Delete(t.Context(), fmt.Sprintf("log/settled/%012d.json", n)); err != nil {
				t.Fatal(err)
			}
		}
		if e, err := l.Head(t.Context(), chain.Settled); err != nil || e.N != left {
			t.Errorf("head %d, %v; want %d", e.N, err, left)
		}
	}
	if e := Commit(t, l, chain.Settled, "after"); e.N != 1 || e.ParentSHA256 != "" {
		t.Errorf("the first entry after it: %+v", e)
	}
}
