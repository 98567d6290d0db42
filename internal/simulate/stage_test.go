package simulate_test

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/lake"
	"xinshu/internal/simulate"
	"xinshu/pipelines/stage"
)

// The province says of each row what the hub must make of it. Here the hub's own first step reads all
// of it: what it refuses must be what was spoiled, row for row, for the reason and the column that were
// spoiled, and nothing else.
func TestStageRefusesWhatWasSpoiledAndNothingElse(t *testing.T) {
	cat, _ := catalog.Load(catalog.Files)
	p, err := simulate.New(11, 1500, cat)
	if err != nil {
		t.Fatal(err)
	}
	store, err := lake.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.New(store, lake.Options{Node: "test"})
	if err != nil {
		t.Fatal(err)
	}
	var all simulate.Tally
	for _, id := range p.Datasets() {
		ds, _ := cat.Dataset(id)
		cursor := connectors.Cursor("")
		for day := 1; day <= len(simulate.Days); day++ {
			truth := p.Truth(id, day)
			all.Add(truth)
			if truth.Rows == 0 {
				continue
			}
			want := map[int64]string{} // line to reason and column
			line := int64(0)
			for r := range p.Rows(id, day) {
				if line++; r.Want == simulate.Quarantined {
					want[line] = r.Reason + " " + r.Column
				}
			}
			next := connectors.Cursor(fmt.Sprint(day))
			stager := &stage.Stager{Lake: l, Words: cat, Now: func() time.Time { return simulate.Days[day-1] }}
			result, err := stager.Run(t.Context(), ds, onePage(p, id, day, next), stage.Pull{
				Run: fmt.Sprintf("day%d", day), Before: cursor,
				OnReject: func(r stage.Reject) {
					if got := r.Reason + " " + r.Column; want[r.Line] != got {
						t.Errorf("%s day %d row %d refused for %q (value %q), spoiled with %q", id, day, r.Line, got, r.Value, want[r.Line])
					}
					delete(want, r.Line)
				},
			})
			if err != nil {
				t.Fatalf("%s day %d: %v", id, day, err)
			}
			cursor = next
			for line, reason := range want {
				t.Errorf("%s day %d row %d was spoiled (%s) and not refused", id, day, line, reason)
			}
			if len(result.Unknown) > 0 {
				t.Errorf("%s: columns the contract does not know: %v", id, result.Unknown)
			}
			got := result.Ledger
			if v := truth.Verdicts; got.Accepted != v[simulate.Accepted] || got.Duplicate != v[simulate.Duplicated] || got.Quarantined != v[simulate.Quarantined] || got.Skipped != v[simulate.Skipped] {
				t.Errorf("%s day %d: ledger %+v, truth %v", id, day, got, v)
			}
		}
	}
	for _, d := range simulate.Dirt {
		if all.Faults[d.Fault] == 0 {
			t.Errorf("no row with %s in a province of 1,500", d.Fault)
		}
	}
	t.Logf("%d rows: %v, refused for %v", all.Rows, all.Verdicts, all.Reasons)
}

// onePage hands a day's rows over as a connector would.
func onePage(p *simulate.Province, dataset string, day int, next connectors.Cursor) iter.Seq2[connectors.Page, error] {
	return func(yield func(connectors.Page, error) bool) {
		var fields []arrow.Field
		for _, name := range p.Columns(dataset) {
			fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true})
		}
		b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
		for r := range p.Rows(dataset, day) {
			for i, v := range r.Values {
				if v == "" {
					b.Field(i).AppendNull()
				} else {
					b.Field(i).(*array.StringBuilder).Append(v)
				}
			}
		}
		yield(connectors.Page{Batch: b.NewRecord(), Origin: connectors.Origin{File: dataset, Line: 1}, Next: next}, nil)
	}
}
