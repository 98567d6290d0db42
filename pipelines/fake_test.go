package pipelines

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/pipelines/stage"
)

// debtor is a row of the court's list: its watermark, and its case.
type debtor struct {
	at   string
	code int // place in codes
	no   string
	op   string // what the court wrote instead of a debtor's performance; empty: 全部未履行
}

var codes = []string{"91410481200000013J", "91410481200000080G", "914104812000001529"}

// court is a source that behaves as its fields say.
type court struct {
	rows  []debtor
	whole bool // every pull gives everything and says so
	page  int  // rows of a page; 0: 2
	cutAt int  // the connection breaks after so many rows; 0: never
	deaf  bool // it cannot read a window

	pulls []string // what was asked for
	read  int      // rows given
}

func (*court) Test(context.Context) (connectors.Finding, error) { return connectors.Finding{}, nil }
func (*court) Close() error                                     { return nil }

func (c *court) Pull(_ context.Context, job connectors.Job, after connectors.Cursor) iter.Seq2[connectors.Page, error] {
	return func(yield func(connectors.Page, error) bool) {
		asked := "after " + string(after)
		if w := job.Window; w != nil {
			asked = w.From + ".." + w.Until
			if c.deaf {
				yield(connectors.Page{}, fault.Newf(fault.Invalid, "pull court.debtor", "this mode cannot read a window"))
				return
			}
		}
		c.pulls = append(c.pulls, asked)
		var wanted []debtor
		for _, r := range c.rows {
			switch w := job.Window; {
			case c.whole && w == nil:
			case w != nil && (r.at < w.From || r.at >= w.Until):
				continue
			case w == nil && r.at < string(after): // a row at the cursor comes again: it may have brothers
				continue
			}
			wanted = append(wanted, r)
		}
		next := string(after)
		for i, rows := range slices.Collect(slices.Chunk(wanted, max(c.page, 2))) {
			b := connectors.NewBatch(0, "uscc", "entity_name", "case_no", "court", "publish_date", "performance")
			for n, r := range rows {
				if c.cutAt > 0 && i*2+n >= c.cutAt {
					yield(connectors.Page{}, fault.Newf(fault.Unavailable, "pull court.debtor", "the connection broke"))
					return
				}
				performance := r.op
				if performance == "" {
					performance = "全部未履行"
				}
				for column, v := range []string{codes[r.code], "样例有限公司", r.no, "某市人民法院", "2025-09-01", performance} {
					b.Set(column, v)
				}
				b.EndRow(int64(i*2 + n + 1))
				next = max(next, r.at)
				c.read++
			}
			record, first, lines := b.Take()
			page := connectors.Page{Batch: record, Origin: connectors.Origin{File: "court", Line: first, Lines: lines}, Next: connectors.Cursor(next)}
			page.Whole = c.whole && job.Window == nil && (i+1)*max(c.page, 2) >= len(wanted)
			if c.whole {
				page.Next = ""
			}
			if !yield(page, nil) {
				return
			}
		}
		if len(wanted) == 0 && c.whole && job.Window == nil {
			yield(connectors.Page{Whole: true}, nil)
		}
	}
}

// hub is a pipeline over the court alone, on a clock that a test sets.
type hub struct {
	*Pipeline
	t     *testing.T
	lake  *lake.Lake
	court *court
	clock time.Time
	ds    string
}

func newHub(t *testing.T, c *court) *hub {
	t.Helper()
	store, err := lake.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.New(store, lake.Options{Node: "test"})
	if err != nil {
		t.Fatal(err)
	}
	cat, _ := catalog.Load(catalog.Files)
	h := &hub{t: t, lake: l, court: c, clock: time.Date(2025, 11, 3, 1, 0, 0, 0, time.UTC), ds: "court.debtor"}
	now := func() time.Time { return h.clock }
	for i := range cat.Datasets {
		if cat.Datasets[i].ID == h.ds {
			cat.Datasets[i].Stock = "whole"
		}
	}
	h.Pipeline = &Pipeline{Catalog: cat, Heads: l, Runs: forgetful{}, Now: now, Stager: &stage.Stager{Lake: l, Words: cat, Now: now},
		Drivers: map[string]connectors.Driver{"fake": {Kind: "fake", Open: func(context.Context, connectors.Values) (connectors.Conn, error) { return c, nil }}},
		Sources: []Source{{Name: "court", Kind: "fake", Datasets: map[string]connectors.Values{h.ds: nil}, Collected: catalog.NoDate}}}
	return h
}

// pull pulls once; a day passes before.
func (h *hub) pull(c Choice) Pulled {
	h.t.Helper()
	pulled, err := h.try(c)
	if err != nil {
		h.t.Fatal(err)
	}
	return pulled
}

func (h *hub) try(c Choice) (Pulled, error) {
	h.t.Helper()
	h.clock = h.clock.AddDate(0, 0, 1)
	c.Source, c.Datasets = "court", []string{h.ds}
	pulls, err := h.Pull(h.t.Context(), c)
	if len(pulls) != 1 {
		h.t.Fatalf("%d pulls, %v", len(pulls), err)
	}
	return pulls[0], errors.Join(err, pulls[0].Err)
}

func (h *hub) head() chain.Entry {
	h.t.Helper()
	head, err := h.lake.Head(h.t.Context(), chain.Stage(h.ds))
	if err != nil {
		h.t.Fatal(err)
	}
	return head
}

// place is where the source's cursor stands.
func (h *hub) place() string {
	h.t.Helper()
	places, err := readCursors(h.head())
	if err != nil {
		h.t.Fatal(err)
	}
	return string(places["court"])
}

// ledger is a ledger in short: read, accepted, duplicate.
func ledger(p Pulled) string {
	l := p.Result.Ledger
	return fmt.Sprintf("%d=%d+%d", l.Read, l.Accepted, l.Duplicate)
}

func (h *hub) wants(what string, got, want any) {
	h.t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		h.t.Errorf("%s: %s, want %s", what, g, w)
	}
}
