// Package connectortest owns the promises of the connector interfaces as tests that every kind runs.
// It refuses to know any kind: a kind's test brings a source or a target it has set up.
package connectortest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"xinshu/connectors"
)

// Source is what a kind brings: a connection with one dataset of at least three pages.
type Source struct {
	Conn   connectors.Conn
	Job    connectors.Job
	Column string   // the column that tells rows apart
	Rows   []string // its values in source order
	Secret string   // a secret of the connection that must show nowhere; empty when it has none
	// Flagged sources remember themselves what was taken: a pull goes on after Ack, not after a cursor.
	Flagged bool
}

// Pull proves what Puller promises. open gives a fresh source in the same state each time.
func Pull(t *testing.T, open func(t *testing.T) Source) {
	t.Helper()
	t.Run("all rows come, in source order, in several pages, and as many as declared", func(t *testing.T) { wholePull(t, open(t)) })
	t.Run("a pull that goes on after any page brings exactly what was missing", func(t *testing.T) { resume(t, open) })
	t.Run("the same pull again brings the same pages", func(t *testing.T) { repeat(t, open(t)) })
	t.Run("a pull after the last cursor brings no row that is new", func(t *testing.T) { caughtUp(t, open(t)) })
	t.Run("a cancelled pull ends with the context's error and no half page", func(t *testing.T) { cancelled(t, open(t)) })
	t.Run("a reader may stop at any page and pull again", func(t *testing.T) { stopEarly(t, open(t)) })
	t.Run("an unknown setting of the job is refused by name", func(t *testing.T) { brokenJob(t, open(t)) })
}

type pulled struct {
	rows    []string
	pages   []connectors.Page // their batches released
	widths  []int64
	rejects []connectors.Reject
}

// Collect reads a whole pull, checks each page's form, and gives the values of one column.
func Collect(t *testing.T, s Source, after connectors.Cursor) []string {
	t.Helper()
	return collect(t, s, after).rows
}

func puller(t *testing.T, s Source) connectors.Puller {
	t.Helper()
	p, ok := s.Conn.(connectors.Puller)
	if !ok {
		t.Fatalf("%T does not pull", s.Conn)
	}
	return p
}

func collect(t *testing.T, s Source, after connectors.Cursor) pulled {
	t.Helper()
	var all pulled
	for page, err := range puller(t, s).Pull(t.Context(), s.Job, after) {
		if err != nil {
			t.Fatalf("pull: %v", err)
		}
		all.add(t, s, page)
	}
	return all
}

func (p *pulled) add(t *testing.T, s Source, page connectors.Page) {
	t.Helper()
	if page.Batch == nil {
		if !page.Whole && len(page.Rejects) == 0 {
			t.Fatal("a page has neither rows nor rejects and does not say that the source holds nothing")
		}
		p.rejects, p.widths, p.pages = append(p.rejects, page.Rejects...), append(p.widths, 0), append(p.pages, page)
		return
	}
	defer page.Batch.Release()
	if s.Secret != "" {
		for _, text := range []string{string(page.Next), page.Origin.File, strings.Join(page.Taken, " ")} {
			if strings.Contains(text, s.Secret) {
				t.Fatalf("a page shows the secret: %q", text)
			}
		}
	}
	if n := page.Batch.NumRows(); n > connectors.PageRows {
		t.Fatalf("a page has %d rows, more than %d", n, connectors.PageRows)
	}
	if page.Origin.Lines != nil && int64(len(page.Origin.Lines)) != page.Batch.NumRows() {
		t.Fatalf("%d lines for %d rows", len(page.Origin.Lines), page.Batch.NumRows())
	}
	for _, f := range page.Batch.Schema().Fields() {
		if f.Type.ID() != arrow.STRING {
			t.Fatalf("column %s is %s, not utf8", f.Name, f.Type)
		}
	}
	p.rows = append(p.rows, Column(page.Batch, s.Column)...)
	p.rejects = append(p.rejects, page.Rejects...)
	p.widths = append(p.widths, page.Batch.NumRows())
	p.pages = append(p.pages, page)
}

// Column gives the values of a column; null is "<null>", and a column that is not there is none.
func Column(batch arrow.Record, name string) []string {
	var values []string
	for _, i := range batch.Schema().FieldIndices(name) {
		column, ok := batch.Column(i).(*array.String)
		if !ok {
			continue
		}
		for row := range column.Len() {
			if column.IsNull(row) {
				values = append(values, "<null>")
				continue
			}
			values = append(values, strings.Clone(column.Value(row)))
		}
	}
	return values
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got %d rows %.300v, want %d rows %.300v", what, len(got), got, len(want), want)
	}
}

func wholePull(t *testing.T, s Source) {
	t.Helper()
	all := collect(t, s, "")
	same(t, "a whole pull", all.rows, s.Rows)
	if len(all.pages) < 3 {
		t.Fatalf("the source came in %d pages; the suite needs three or more", len(all.pages))
	}
	for _, page := range all.pages {
		if page.Declared != nil && *page.Declared != int64(len(all.rows)+len(all.rejects)) {
			t.Fatalf("declared %d, read %d", *page.Declared, len(all.rows)+len(all.rejects))
		}
	}
}

// resume pulls on after each page. Rows equal to the cursor may come again, nothing else may, and
// nothing may be missing.
func resume(t *testing.T, open func(t *testing.T) Source) {
	t.Helper()
	first := collect(t, open(t), "")
	done := 0
	for n, page := range first.pages[:len(first.pages)-1] {
		done += int(first.widths[n])
		s := open(t)
		if s.Flagged {
			acknowledge(t, s, first.pages[:n+1])
		}
		rest := collect(t, s, page.Next)
		want := s.Rows[done:]
		if len(rest.rows) < len(want) {
			t.Fatalf("after page %d: got %d rows, %d were missing", n+1, len(rest.rows), len(want))
		}
		again := rest.rows[:len(rest.rows)-len(want)]
		same(t, fmt.Sprintf("after page %d", n+1), rest.rows[len(again):], want)
		same(t, fmt.Sprintf("again after page %d", n+1), again, s.Rows[done-len(again):done])
		if len(again) > int(first.widths[n]) {
			t.Fatalf("after page %d %d rows came again", n+1, len(again))
		}
		for _, p := range rest.pages {
			if p.Declared != nil && *p.Declared != int64(len(rest.rows)+len(rest.rejects)) {
				t.Fatalf("after page %d: declared %d, read %d", n+1, *p.Declared, len(rest.rows)+len(rest.rejects))
			}
		}
	}
}

func acknowledge(t *testing.T, s Source, pages []connectors.Page) {
	t.Helper()
	acker, ok := s.Conn.(connectors.Acker)
	if !ok {
		t.Fatalf("%T takes no acknowledgement", s.Conn)
	}
	for range 2 { // repeating it is harmless
		if err := acker.Ack(t.Context(), s.Job, Handles(pages...)); err != nil {
			t.Fatalf("acknowledge: %v", err)
		}
	}
}

// Handles gives the handles of pages as Ack takes them.
func Handles(pages ...connectors.Page) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, p := range pages {
			for _, h := range p.Taken {
				if !yield(h, nil) {
					return
				}
			}
		}
	}
}

func repeat(t *testing.T, s Source) {
	t.Helper()
	one, two := collect(t, s, ""), collect(t, s, "")
	same(t, "the second pull", two.rows, one.rows)
	for i := range one.pages {
		if one.pages[i].Next != two.pages[i].Next || one.widths[i] != two.widths[i] {
			t.Fatalf("page %d differs: %d rows to %s, then %d rows to %s", i+1, one.widths[i], one.pages[i].Next, two.widths[i], two.pages[i].Next)
		}
	}
}

func caughtUp(t *testing.T, s Source) {
	t.Helper()
	all := collect(t, s, "")
	if s.Flagged {
		acknowledge(t, s, all.pages)
	}
	last := all.pages[len(all.pages)-1].Next
	if last == "" && !s.Flagged {
		same(t, "a full pull again", collect(t, s, last).rows, s.Rows)
		return
	}
	for _, row := range collect(t, s, last).rows {
		if !slices.Contains(s.Rows, row) {
			t.Fatalf("row %s was never there", row)
		}
		if row != s.Rows[len(s.Rows)-1] {
			t.Fatalf("row %s came again after the last cursor", row)
		}
	}
}

func cancelled(t *testing.T, s Source) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string
	var last error
	for page, err := range puller(t, s).Pull(ctx, s.Job, "") {
		if last != nil {
			t.Fatal("the sequence went on after an error")
		}
		if last = err; err != nil {
			continue
		}
		got = append(got, Column(page.Batch, s.Column)...)
		page.Batch.Release()
		cancel()
	}
	if last != nil && !errors.Is(last, context.Canceled) {
		t.Fatalf("a cancelled pull ended with %v", last)
	}
	if last == nil && len(got) != len(s.Rows) {
		t.Fatalf("a cancelled pull ended without an error after %d of %d rows", len(got), len(s.Rows))
	}
	same(t, "before it was cancelled", got, s.Rows[:len(got)])
}

func stopEarly(t *testing.T, s Source) {
	t.Helper()
	for page, err := range puller(t, s).Pull(t.Context(), s.Job, "") {
		if err != nil {
			t.Fatal(err)
		}
		page.Batch.Release()
		break
	}
	same(t, "after a reader stopped", collect(t, s, "").rows, s.Rows)
}

func brokenJob(t *testing.T, s Source) {
	t.Helper()
	job := s.Job
	job.Values = connectors.Values{"no_such_setting": "x"}
	for _, err := range puller(t, s).Pull(t.Context(), job, "") {
		if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
			t.Fatalf("an unknown setting gave %v", err)
		}
	}
}

// Settings checks that a driver declares its settings whole.
func Settings(t *testing.T, d connectors.Driver) {
	t.Helper()
	seen := map[string]bool{}
	for i, s := range slices.Concat(d.Settings, d.Job) {
		scope := "connection"
		if i >= len(d.Settings) {
			scope = "job"
		}
		if seen[scope+s.Name] {
			t.Errorf("%s declares %s twice", d.Kind, s.Name)
		}
		seen[scope+s.Name] = true
		if s.Title.ZH == "" || s.Title.EN == "" || s.Help.ZH == "" || s.Help.EN == "" {
			t.Errorf("%s: setting %s lacks a title or help in one language", d.Kind, s.Name)
		}
		if s.Default != "" && len(s.Choices) > 0 && !slices.Contains(s.Choices, s.Default) {
			t.Errorf("%s: the default of %s is none of its choices", d.Kind, s.Name)
		}
	}
}
