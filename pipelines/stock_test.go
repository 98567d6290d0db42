package pipelines

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/lake"
	"xinshu/pipelines/stage"
)

func TestOnlyRowsThatWereAcceptedAreAFirstLoad(t *testing.T) {
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
	code := ""
	p := &Pipeline{Catalog: cat, Heads: l, Runs: forgetful{}, Now: now, Stager: &stage.Stager{Lake: l, Words: cat, Now: now},
		Sources: []Source{{Name: "a", Kind: "fake", Datasets: map[string]connectors.Values{"amr.reg": nil}, Collected: day(t, "2025-10-28")}}}
	p.Drivers = map[string]connectors.Driver{"fake": {Kind: "fake", Open: func(context.Context, connectors.Values) (connectors.Conn, error) {
		return platform{pulling: new(atomic.Int32), overlap: new(atomic.Bool), codes: []string{code}}, nil
	}}}
	for _, pull := range []struct {
		code string
		want bool // a load of stock
	}{{"91410481200000013X", true}, {"91410481200000013J", true}, {"91410481200000080G", false}} {
		head, err := l.Head(t.Context(), chain.Stage("amr.reg"))
		if err != nil {
			t.Fatal(err)
		}
		if stock := !delivered(head, "a"); stock != pull.want {
			t.Errorf("before %s: stock is %v, want %v", pull.code, stock, pull.want)
		}
		code = pull.code
		if _, err := p.Pull(t.Context(), Choice{}); err != nil {
			t.Fatal(err)
		}
	}
}

func day(t *testing.T, text string) catalog.Date {
	t.Helper()
	d, err := catalog.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
