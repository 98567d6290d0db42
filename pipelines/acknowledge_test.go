package pipelines

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/pipelines/stage"
)

// flagged is a platform that wants to be told what was taken.
type flagged struct {
	platform
	name  string
	told  map[string][]string // by source
	fails *bool
}

func (f flagged) Pull(ctx context.Context, job connectors.Job, after connectors.Cursor) iter.Seq2[connectors.Page, error] {
	return func(yield func(connectors.Page, error) bool) {
		if after != "" {
			return
		}
		for page, err := range f.platform.Pull(ctx, job, after) {
			page.Taken = []string{f.name + " item"}
			if !yield(page, err) {
				return
			}
		}
	}
}

func (f flagged) Ack(_ context.Context, _ connectors.Job, handles iter.Seq2[string, error]) error {
	for handle, err := range handles {
		if err != nil {
			return err
		}
		if *f.fails {
			return errors.New("the line is down")
		}
		f.told[f.name] = append(f.told[f.name], handle)
	}
	return nil
}

// remembered keeps which runs are done.
type remembered map[string]bool

func (r remembered) SaveRun(_ context.Context, run chain.Run) error {
	r[run.ID] = run.Status == "done"
	return nil
}
func (r remembered) CommitRun(ctx context.Context, run chain.Run) error { return r.SaveRun(ctx, run) }
func (r remembered) Run(_ context.Context, id string) (chain.Run, error) {
	if !r[id] {
		return chain.Run{}, fault.Newf(fault.NotFound, "run", "none")
	}
	return chain.Run{ID: id, Status: "done"}, nil
}

// One source's acknowledgement fails; the other source of the dataset commits above it. Neither is told
// what the other's commit took, and the first is told as soon as it can be.
func TestASourceIsToldWhatItsOwnCommitTook(t *testing.T) {
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
	fails, told := true, map[string][]string{}
	p := &Pipeline{Catalog: cat, Heads: l, Runs: remembered{}, Now: now, Stager: &stage.Stager{Lake: l, Words: cat, Now: now}, Drivers: map[string]connectors.Driver{}}
	for name, code := range map[string]string{"a": "91410481200000013J", "b": "91410481200000080G"} {
		p.Drivers[name] = connectors.Driver{Kind: name, Open: func(context.Context, connectors.Values) (connectors.Conn, error) {
			return flagged{platform: platform{pulling: new(atomic.Int32), overlap: new(atomic.Bool), codes: []string{code}}, name: name, told: told, fails: &fails}, nil
		}}
	}
	for _, name := range []string{"a", "b"} {
		p.Sources = append(p.Sources, Source{Name: name, Kind: name, Datasets: map[string]connectors.Values{"amr.reg": nil}, Collected: catalog.NoDate})
	}
	for _, name := range []string{"a", "b"} {
		if _, err := p.Pull(t.Context(), Choice{Source: name}); err == nil {
			t.Fatalf("source %s: the failed acknowledgement is not told", name)
		}
	}
	fails = false
	for range 2 {
		if _, err := p.Pull(t.Context(), Choice{}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(told["a"], []string{"a item"}) || !slices.Equal(told["b"], []string{"b item"}) {
		t.Errorf("the sources were told %v", told)
	}
}
