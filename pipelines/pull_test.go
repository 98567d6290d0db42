package pipelines

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/lake"
	"xinshu/pipelines/stage"
)

// platform hands over registrations, and notices when two pulls of it run at once.
type platform struct {
	pulling *atomic.Int32
	overlap *atomic.Bool
	codes   []string
}

func (p platform) Test(context.Context) (connectors.Finding, error) { return connectors.Finding{}, nil }
func (p platform) Close() error                                     { return nil }

func (p platform) Pull(_ context.Context, _ connectors.Job, _ connectors.Cursor) iter.Seq2[connectors.Page, error] {
	return func(yield func(connectors.Page, error) bool) {
		if p.pulling.Add(1) > 1 {
			p.overlap.Store(true)
		}
		defer p.pulling.Add(-1)
		for i, code := range p.codes {
			b := connectors.NewBatch(0, "uscc", "entity_name", "est_date")
			for column, value := range []string{code, "样例有限公司", "2019-01-02"} {
				b.Set(column, value)
			}
			b.EndRow(int64(i + 1))
			record, first, lines := b.Take()
			runtime.Gosched() // give the other source every chance
			if !yield(connectors.Page{Batch: record, Origin: connectors.Origin{File: "register", Line: first, Lines: lines}, Next: connectors.Cursor(fmt.Sprint(i + 1))}, nil) {
				return
			}
		}
	}
}

// forgetful keeps no record of runs.
type forgetful struct{}

func (forgetful) SaveRun(context.Context, chain.Run) error   { return nil }
func (forgetful) CommitRun(context.Context, chain.Run) error { return nil }
func (forgetful) Run(_ context.Context, id string) (chain.Run, error) {
	return chain.Run{ID: id, Status: "done"}, nil
}

func TestSourcesOfOneDatasetTakeTurnsAndEachKeepsItsPlace(t *testing.T) {
	store, err := lake.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.New(store, lake.Options{Node: "test"})
	if err != nil {
		t.Fatal(err)
	}
	cat, _ := catalog.Load(catalog.Files)
	now := func() time.Time { return time.Date(2025, 11, 3, 9, 0, 0, 0, time.UTC) }
	source := platform{pulling: new(atomic.Int32), overlap: new(atomic.Bool), codes: []string{"91410481200000013J", "91410481200000080G", "914104812000001529"}}
	p := &Pipeline{Catalog: cat, Heads: l, Runs: forgetful{}, Now: now, Parallel: 4,
		Stager: &stage.Stager{Lake: l, Words: cat, Now: now},
		Drivers: map[string]connectors.Driver{"fake": {Kind: "fake", Open: func(context.Context, connectors.Values) (connectors.Conn, error) {
			return source, nil
		}}}}
	for _, name := range []string{"a", "b", "c", "d"} {
		p.Sources = append(p.Sources, Source{Name: name, Kind: "fake", Datasets: map[string]connectors.Values{"amr.reg": nil}, Collected: catalog.NoDate})
	}
	pulls, err := p.Pull(t.Context(), Choice{})
	if err != nil {
		t.Fatal(err)
	}
	var sum chain.Ledger
	for _, pulled := range pulls {
		sum = sum.Add(pulled.Result.Ledger)
	}
	if sum.Read != 12 || sum.Accepted != 3 || sum.Duplicate != 9 {
		t.Errorf("four sources of the same three rows come to %+v", sum)
	}
	if source.overlap.Load() {
		t.Error("two pulls of one dataset ran at once")
	}
	head, err := l.Head(t.Context(), chain.Stage("amr.reg"))
	if err != nil {
		t.Fatal(err)
	}
	places, err := readCursors(head)
	if err != nil || head.N != 4 || len(places) != 4 || places["a"] != "3" || places["d"] != "3" {
		t.Errorf("after %d commits the places are %v, %v", head.N, places, err)
	}
}
