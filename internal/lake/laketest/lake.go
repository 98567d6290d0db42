package laketest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
)

// Lake proves the commit protocol on lakes that open gives over one empty store: called twice with
// the same store, open stands for two hub nodes.
func Lake(t *testing.T, openStore func(t *testing.T) lake.Store) {
	t.Helper()
	open := func(t *testing.T, s lake.Store) *lake.Lake {
		l, err := lake.New(s, lake.Options{Cache: t.TempDir(), Node: "n1", Engine: chain.Engine{DuckDB: "1", Xinshu: "t"}})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for _, c := range []struct {
		name string
		run  func(t *testing.T, l, other *lake.Lake)
	}{
		{"a commit is read back whole by another node", commitIsRead},
		{"the same intent is committed once", sameIntent},
		{"work on an old head is a conflict", oldHead},
		{"of several nodes one takes the number", nodesRace},
		{"who lost its lease commits nothing", fenced},
		{"a stage commit begins where the head ended", cursors},
		{"a draft that does not add up is refused", badDrafts},
		{"kept files stay, dropped files go", keep},
		{"a long list moves into manifests", manifests},
		{"a seal is kept under its hash", seals},
		{"an object local to a reader has the bytes of its hash", local},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openStore(t)
			c.run(t, open(t, s), open(t, s))
		})
	}
}

// Object writes a local file in the lake's own folder, as a step does.
func Object(t testing.TB, l *lake.Lake, name, run, table, body string) chain.Object {
	t.Helper()
	f, err := os.CreateTemp(l.TempDir(), "part-")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(body)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return chain.Object{Chain: name, Run: run, Table: table, Range: chain.NoRange, Path: f.Name(), Rows: 1}
}

// Commit puts one object of table rows and commits it on the chain's head.
func Commit(t testing.TB, l *lake.Lake, name, run string) chain.Entry {
	t.Helper()
	e, err := commit(t, l, name, run)
	if err != nil {
		t.Fatalf("commit %s to %s: %v", run, name, err)
	}
	return e
}

func commit(t testing.TB, l *lake.Lake, name, run string) (chain.Entry, error) {
	t.Helper()
	head, err := l.Head(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.Put(t.Context(), Object(t, l, name, run, "rows", "rows of "+run))
	if err != nil {
		t.Fatal(err)
	}
	return l.Commit(t.Context(), draft(head, name, run, f))
}

func draft(head chain.Entry, name, run string, files ...chain.File) chain.Draft {
	return chain.Draft{Base: head, Entry: chain.Entry{Chain: name, Run: run, Intent: chain.Intent("test", run)}, Files: files}
}

func wantConflict(t *testing.T, err error) {
	t.Helper()
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want %s", err, fault.Conflict)
	}
}

func commitIsRead(t *testing.T, l, other *lake.Lake) {
	name := chain.Stage("amr.severe")
	if e, err := other.Head(t.Context(), name); err != nil || e.N != 0 || e.SHA256 != "" {
		t.Fatalf("head of an empty chain: %+v, %v", e, err)
	}
	o := Object(t, l, name, "r1", "rows", "some rows")
	o.Part, o.Range, o.MinID, o.MaxID = 3, 7, 458752, 458760
	f, err := l.Put(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if want := "data/stage/amr.severe/r1/rows/range=00007/00003-" + f.SHA256[:16] + ".parquet"; f.Key != want {
		t.Errorf("key %s, want %s", f.Key, want)
	}
	if _, err := os.Stat(o.Path); !os.IsNotExist(err) {
		t.Errorf("the local file is still there: %v", err)
	}
	d := draft(chain.Entry{}, name, "r1", f)
	d.Entry.Ledger = &chain.Ledger{Read: 2, Accepted: 1, Quarantined: 1}
	e, err := l.Commit(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if e.N != 1 || e.ParentSHA256 != "" || e.Node != "n1" || len(e.CommitID) != 36 || e.Files[0].N != 1 {
		t.Errorf("entry: %+v", e)
	}
	second := Commit(t, l, name, "r2")
	if second.N != 2 || second.ParentSHA256 != e.SHA256 || len(second.Files) != 2 {
		t.Errorf("second entry: %+v", second)
	}
	head, err := other.Head(t.Context(), name)
	if err != nil || !reflect.DeepEqual(head, second) {
		t.Errorf("another node reads %+v, %v; want %+v", head, err, second)
	}
	first, err := other.Entry(t.Context(), name, 1)
	if err != nil || first.SHA256 != e.SHA256 || first.Ledger.Quarantined != 1 {
		t.Errorf("entry 1: %+v, %v", first, err)
	}
	if _, err := other.Entry(t.Context(), name, 3); !fault.Is(err, fault.NotFound) {
		t.Errorf("entry 3: %v, want not_found", err)
	}
	var ns []int64
	for e, err := range other.Entries(t.Context(), name, 1) {
		if err != nil {
			t.Fatal(err)
		}
		ns = append(ns, e.N)
	}
	if fmt.Sprint(ns) != "[2]" {
		t.Errorf("entries after 1: %v", ns)
	}
	Commit(t, l, chain.Settled, "s1")
	if got, err := other.Chains(t.Context()); err != nil || fmt.Sprint(got) != "[settled stage/amr.severe]" {
		t.Errorf("chains: %v, %v", got, err)
	}
}

func sameIntent(t *testing.T, l, other *lake.Lake) {
	first := Commit(t, l, chain.Settled, "r1")
	for i := range 13 {
		Commit(t, l, chain.Settled, fmt.Sprint("later", i))
	}
	again, err := commit(t, other, chain.Settled, "r1")
	if err != nil || again.N != first.N || again.SHA256 != first.SHA256 {
		t.Errorf("the 14th newest: got %d, %v; want %d", again.N, err, first.N)
	}
	if head, err := other.Head(t.Context(), chain.Settled); err != nil || head.N != 14 {
		t.Errorf("head %d, %v: a second commit was made", head.N, err)
	}
	if e, ok, err := other.Find(t.Context(), chain.Settled, first.Intent); err != nil || !ok || e.N != 1 {
		t.Errorf("find: %d %v %v", e.N, ok, err)
	}
	if _, ok, err := other.Find(t.Context(), chain.Settled, "never"); err != nil || ok {
		t.Errorf("find an unknown intent: %v %v", ok, err)
	}
}

func oldHead(t *testing.T, l, other *lake.Lake) {
	base := Commit(t, l, chain.Settled, "r1")
	Commit(t, other, chain.Settled, "r2")
	_, err := l.Commit(t.Context(), draft(base, chain.Settled, "r3"))
	wantConflict(t, err)
	_, err = l.Commit(t.Context(), draft(chain.Entry{}, chain.Settled, "r3"))
	wantConflict(t, err)
	if head, err := l.Head(t.Context(), chain.Settled); err != nil || head.N != 2 {
		t.Errorf("head %d, %v", head.N, err)
	}
}

func fenced(t *testing.T, l, other *lake.Lake) {
	commit := func(l *lake.Lake, run string, h chain.Holder) (chain.Entry, error) {
		head, err := l.Head(t.Context(), chain.Settled)
		if err != nil {
			t.Fatal(err)
		}
		return l.Commit(chain.Held(t.Context(), h), draft(head, chain.Settled, run))
	}
	want := func(e chain.Entry, err error, n, fence int64) {
		t.Helper()
		if err != nil || e.N != n || e.Fence != fence {
			t.Errorf("entry %d with fence %d, %v; want entry %d with fence %d", e.N, e.Fence, err, n, fence)
		}
	}
	e, err := commit(l, "r1", chain.Holder{Task: "a", Fence: 5})
	want(e, err, 1, 5)
	lost := errors.New("the lease was lost")
	if _, err := commit(l, "r2", chain.Holder{Task: "a", Fence: 6, Held: func(context.Context) error { return lost }}); !errors.Is(err, lost) {
		t.Errorf("a holder that lost its lease was answered %v", err)
	}
	e, err = commit(other, "r3", chain.Holder{Task: "b", Fence: 9})
	want(e, err, 2, 9)
	_, err = commit(l, "r4", chain.Holder{Task: "a", Fence: 6})
	wantConflict(t, err)
	e, err = commit(l, "r5", chain.Holder{}) // a person's command, which nobody leased
	want(e, err, 3, 9)
	_, err = commit(l, "r6", chain.Holder{Task: "a", Fence: 8})
	wantConflict(t, err)
}

func nodesRace(t *testing.T, l, other *lake.Lake) {
	type answer struct {
		e   chain.Entry
		err error
	}
	for round := range int64(5) {
		head, err := l.Head(t.Context(), chain.Settled)
		if err != nil {
			t.Fatal(err)
		}
		answers := make(chan answer)
		for w := range 8 {
			node := []*lake.Lake{l, other}[w%2]
			go func() {
				e, err := node.Commit(t.Context(), draft(head, chain.Settled, fmt.Sprintf("round%d-%d", round, w)))
				answers <- answer{e, err}
			}()
		}
		won := 0
		for range 8 {
			a := <-answers
			if a.err == nil {
				won++
			} else {
				wantConflict(t, a.err)
			}
		}
		if head, err := other.Head(t.Context(), chain.Settled); won != 1 || err != nil || head.N != round+1 {
			t.Fatalf("round %d: %d winners, head %d, %v", round, won, head.N, err)
		}
	}
}

func cursors(t *testing.T, l, _ *lake.Lake) {
	name := chain.Stage("tax.grade")
	step := func(run, before, after string) (chain.Entry, error) {
		head, err := l.Head(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		d := draft(head, name, run)
		d.Entry.Cursor = &chain.Cursor{Before: before, After: after}
		return l.Commit(t.Context(), d)
	}
	if _, err := step("r1", "", "page 9"); err != nil {
		t.Fatal(err)
	}
	_, err := step("r2", "page 8", "page 10")
	wantConflict(t, err)
	byHand := Commit(t, l, name, "by-hand")
	if byHand.Cursor == nil || byHand.Cursor.After != "page 9" {
		t.Errorf("a file by hand left the cursor at %+v", byHand.Cursor)
	}
	if e, err := step("r3", "page 9", "page 12"); err != nil || e.Cursor.After != "page 12" {
		t.Errorf("got %+v, %v", e.Cursor, err)
	}
}

func badDrafts(t *testing.T, l, _ *lake.Lake) {
	f, err := l.Put(t.Context(), Object(t, l, chain.Settled, "r1", "record", "x"))
	if err != nil {
		t.Fatal(err)
	}
	three := int64(3)
	for name, change := range map[string]func(*chain.Draft){
		"no intent":               func(d *chain.Draft) { d.Entry.Intent = "" },
		"ledger does not balance": func(d *chain.Draft) { d.Entry.Ledger = &chain.Ledger{Read: 2, Accepted: 1} },
		"fewer than declared":     func(d *chain.Draft) { d.Entry.Ledger = &chain.Ledger{Read: 2, Accepted: 2, Declared: &three} },
		"another chain's object":  func(d *chain.Draft) { d.Files[0].Key = "data/scored/x/r1/grade/a.parquet" },
		"a file twice":            func(d *chain.Draft) { d.Files = []chain.File{f, f} },
		"another chain's base":    func(d *chain.Draft) { d.Base.Chain = chain.Stage("x") },
	} {
		d := draft(chain.Entry{}, chain.Settled, "r1", f)
		change(&d)
		if _, err := l.Commit(t.Context(), d); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

func keep(t *testing.T, l, other *lake.Lake) {
	one := Commit(t, l, chain.Settled, "r1")
	two := Commit(t, l, chain.Settled, "r2")
	d := draft(two, chain.Settled, "r3")
	d.Keep = func(f chain.File) bool { return f.N != 1 }
	if _, err := l.Commit(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	head, err := other.Head(t.Context(), chain.Settled)
	if err != nil || len(head.Files) != 1 || head.Files[0].Key == one.Files[0].Key || head.Files[0].N != 2 {
		t.Errorf("files: %+v, %v", head.Files, err)
	}
}

// names are files that were never put: enough to fill lists.
func names(run string, n int) []chain.File {
	var files []chain.File
	for i := range n {
		files = append(files, chain.File{Table: "record", Key: fmt.Sprintf("data/settled/%s/record/range=%05d/00000-0.parquet", run, i),
			SHA256: strings.Repeat("0", 64), Range: int64(i)})
	}
	return files
}

func manifests(t *testing.T, l, other *lake.Lake) {
	first, err := l.Commit(t.Context(), draft(chain.Entry{}, chain.Settled, "r1", names("r1", 2345)...))
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Manifests) != 2 || len(first.Files) != 2345 {
		t.Errorf("%d manifests, %d files", len(first.Manifests), len(first.Files))
	}
	second := Commit(t, l, chain.Settled, "r2")
	if len(second.Manifests) != 2 || second.Manifests[0] != first.Manifests[0] {
		t.Errorf("the front of the list moved: %v, %v", first.Manifests, second.Manifests)
	}
	head, err := other.Head(t.Context(), chain.Settled)
	if err != nil || len(head.Files) != 2346 || fmt.Sprint(head.Files) != fmt.Sprint(second.Files) {
		t.Errorf("another node reads %d files, %v", len(head.Files), err)
	}
	d := draft(head, chain.Settled, "r3")
	d.Keep = func(f chain.File) bool { return f.Range != 1500 } // from the second thousand
	third, err := other.Commit(t.Context(), d)
	if err != nil || len(third.Manifests) != 2 || third.Manifests[0] != first.Manifests[0] || third.Manifests[1] == first.Manifests[1] {
		t.Errorf("after a file of the second manifest went: %v, %v", third.Manifests, err)
	}
	d = draft(third, chain.Settled, "r4")
	d.Keep = func(f chain.File) bool { return f.Range < 1000 && f.N == 1 }
	if fourth, err := other.Commit(t.Context(), d); err != nil || len(fourth.Manifests) != 0 || len(fourth.Files) != 1000 {
		t.Errorf("a list of 1,000 is listed whole: %v %d, %v", fourth.Manifests, len(fourth.Files), err)
	}
}

func seals(t *testing.T, l, other *lake.Lake) {
	one, err := l.Seal(t.Context(), "henan-2020", "2025-10-31", []byte(`{"known_seq": 3, "as_of": "2025-10-31"}`))
	if err != nil {
		t.Fatal(err)
	}
	again, err := other.Seal(t.Context(), "henan-2020", "2025-10-31", []byte("{\"as_of\":\"2025-10-31\",\n\"known_seq\":3}"))
	if err != nil || again != one {
		t.Errorf("the same seal in another spelling: %s, %v; want %s", again, err, one)
	}
	if _, err := l.Seal(t.Context(), "henan-2020", "2025-10-31", []byte(`{"known_seq": 3.5}`)); !fault.Is(err, fault.Invalid) {
		t.Errorf("a fraction in a seal: %v", err)
	}
	if _, err := l.Seal(t.Context(), "jiangyin-2020", "2025-11-01", []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	got, err := other.Seals(t.Context(), "henan-2020")
	if err != nil || len(got) != 1 || got[0].SHA256 != one || got[0].AsOf != "2025-10-31" ||
		string(got[0].Body) != "{\n \"as_of\": \"2025-10-31\",\n \"known_seq\": 3\n}\n" {
		t.Errorf("seals: %+v, %v", got, err)
	}
	if all, err := other.Seals(t.Context(), ""); err != nil || len(all) != 2 {
		t.Errorf("all seals: %+v, %v", all, err)
	}
}

func local(t *testing.T, l, other *lake.Lake) {
	e := Commit(t, l, chain.Settled, "r1")
	for _, node := range []*lake.Lake{l, other} {
		path, err := node.Local(t.Context(), e.Files[0])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "rows of r1" {
			t.Errorf("read %q, %v", got, err)
		}
		if filepath.Ext(path) != ".parquet" {
			t.Errorf("path %s", path)
		}
	}
	wrong := e.Files[0]
	wrong.SHA256 = strings.Repeat("0", 64)
	if _, err := other.Local(t.Context(), wrong); !fault.Is(err, fault.Invalid) {
		t.Errorf("bytes with another hash: %v, want invalid", err)
	}
	wrong.Key = "data/settled/r1/rows/none.parquet"
	if _, err := other.Local(t.Context(), wrong); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such object: %v, want not_found", err)
	}
}
