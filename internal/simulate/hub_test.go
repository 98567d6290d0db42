package simulate_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/lake"
	"xinshu/internal/simulate"
	"xinshu/pipelines/settle"
	"xinshu/pipelines/stage"
	"xinshu/sql"
)

// The province says of each row what the hub must make of it, and of each record and mark what the hub
// must know. Here the hub's first steps read all of it, day after day: what staging refuses must be
// what was spoiled, row for row, for the reason and in the column that were spoiled, and nothing else;
// what settling keeps must be the records and marks that the province means.
func TestTheHubReadsTheProvinceAsItIsMeant(t *testing.T) {
	h := newHub(t, 20, 1500)
	var all simulate.Tally
	waited := 0
	for day := 1; day <= len(simulate.Days); day++ {
		for _, id := range h.province.Datasets() {
			all.Add(h.stage(id, day))
		}
		h.settle(day)
		h.compareRecords(day)
		waited += h.compareMarks(day)
	}
	if waited == 0 {
		t.Error("no statement had to wait for its record")
	}
	for _, d := range simulate.Dirt {
		if all.Faults[d.Fault] == 0 {
			t.Errorf("no row with %s in a province of 1,500", d.Fault)
		}
	}
	t.Logf("%d rows: %v, refused for %v", all.Rows, all.Verdicts, all.Reasons)
}

// hub is the part of a hub that this test needs.
type hub struct {
	*testing.T
	catalog  *catalog.Catalog
	province *simulate.Province
	lake     *lake.Lake
	db       *duck.DB
	cursors  map[string]connectors.Cursor
}

func newHub(t *testing.T, seed uint64, entities int) *hub {
	cat, _ := catalog.Load(catalog.Files)
	p, err := simulate.New(seed, entities, cat)
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
	db, err := duck.Open(duck.Options{Threads: 1, MemoryMB: 256, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &hub{T: t, catalog: cat, province: p, lake: l, db: db, cursors: map[string]connectors.Cursor{}}
}

// stage takes one day of a dataset and holds each verdict against the truth.
func (h *hub) stage(id string, day int) simulate.Tally {
	truth := h.province.Truth(id, day)
	if truth.Rows == 0 {
		return truth
	}
	spoiled, line := map[int64]string{}, int64(0) // by line: reason and column
	for r := range h.province.Rows(id, day) {
		if line++; r.Want == simulate.Quarantined {
			spoiled[line] = r.Reason + " " + r.Column
		}
	}
	ds, _ := h.catalog.Dataset(id)
	next := connectors.Cursor(fmt.Sprint(day))
	stager := &stage.Stager{Lake: h.lake, Words: h.catalog, Now: func() time.Time { return simulate.Days[day-1] }}
	result, err := stager.Run(h.Context(), ds, onePage(h.province, id, day, next), stage.Pull{
		Run: fmt.Sprintf("day%d", day), Before: h.cursors[id],
		OnReject: func(r stage.Reject) {
			if got := r.Reason + " " + r.Column; spoiled[r.Line] != got {
				h.Errorf("%s day %d row %d refused for %q (value %q), spoiled with %q", id, day, r.Line, got, r.Value, spoiled[r.Line])
			}
			delete(spoiled, r.Line)
		},
	})
	if err != nil {
		h.Fatalf("%s day %d: %v", id, day, err)
	}
	h.cursors[id] = next
	for line, reason := range spoiled {
		h.Errorf("%s day %d row %d was spoiled (%s) and not refused", id, day, line, reason)
	}
	if len(result.Unknown) > 0 {
		h.Errorf("%s: columns the contract does not know: %v", id, result.Unknown)
	}
	got, want := result.Ledger, truth.Verdicts
	if got.Accepted != want[simulate.Accepted] || got.Duplicate != want[simulate.Duplicated] || got.Quarantined != want[simulate.Quarantined] || got.Skipped != want[simulate.Skipped] {
		h.Errorf("%s day %d: ledger %+v, truth %v", id, day, got, want)
	}
	return truth
}

func (h *hub) settle(day int) {
	s := &settle.Settler{Lake: h.lake, Catalog: h.catalog, SQL: sql.Files, Now: func() time.Time { return simulate.Days[day-1] }, Threads: 1, Memory: 256}
	if _, err := s.Run(h.Context(), fmt.Sprintf("settle%d", day)); err != nil {
		h.Fatalf("settle day %d: %v", day, err)
	}
}

// compareRecords holds the records known against those meant: kind, level and day of the act.
func (h *hub) compareRecords(day int) {
	known := map[string]string{} // record id to what is known
	h.each("select record_id, concat_ws(' ', dataset, kind, level, coalesce(cast(decided_on as varchar), '')) from "+h.table("record")+" where known_to is null",
		func(id, what string) { known[id] = what })
	meant := 0
	for _, id := range h.province.Datasets() {
		for r := range h.province.Records(id, day) {
			if r.Status == "unconfirmed" {
				continue
			}
			meant++
			record := recordID(id, r.Key)
			if got, want := known[record], strings.Join([]string{id, r.Kind, r.Level, r.On.String()}, " "); got != want {
				h.Errorf("day %d, %s: known %q, meant %q", day, r.Record, got, want)
			}
			delete(known, record)
		}
	}
	for _, what := range known {
		h.Errorf("day %d: a record that nobody meant: %s", day, what)
	}
	h.Logf("day %d: %d records", day, meant)
}

// compareMarks holds what is said about records against what was meant: each statement finds its
// record, unless the record has not come yet. It says how many wait.
func (h *hub) compareMarks(day int) (waiting int) {
	known := map[string]bool{}
	h.each("select kind, coalesce(target_record_id, '') from (select mark_id, kind, target_record_id, row_number() over (partition by mark_id order by known_from desc) as newest from "+h.table("mark")+") where newest = 1",
		func(kind, target string) { known[kind+" "+target] = true })
	came := map[string]bool{}
	for _, id := range h.province.Datasets() {
		for r := range h.province.Records(id, day) {
			came[id+" "+r.Record] = true
		}
	}
	for m := range h.province.Marks() {
		if m.Day > day || m.Kind == "objection_open" { // an open objection gives way to its decision
			continue
		}
		record := recordID(m.Dataset, m.Key)
		if !came[m.Dataset+" "+m.Record] {
			if waiting++; known[m.Kind+" "+record] {
				h.Errorf("day %d: a %s of %s found a record that has not come", day, m.Kind, m.Record)
			}
			continue
		}
		if !known[m.Kind+" "+record] {
			h.Errorf("day %d: the %s of %s from %s is not known", day, m.Kind, m.Record, m.From)
		}
	}
	h.Logf("day %d: %d marks, %d wait for their record", day, len(known), waiting)
	return waiting
}

// recordID is the id of a record that the house gives (protocol.md section 2).
func recordID(dataset string, key []string) string {
	sum := sha256.Sum256([]byte(dataset + "\x1f" + strings.Join(key, "\x1f")))
	return hex.EncodeToString(sum[:16])
}

// table reads a settled table as it stands.
func (h *hub) table(name string) string {
	head, err := h.lake.Head(h.Context(), chain.Settled)
	if err != nil {
		h.Fatal(err)
	}
	var paths []string
	for _, f := range head.Files {
		if f.Table == name {
			path, err := h.lake.Local(h.Context(), f)
			if err != nil {
				h.Fatal(err)
			}
			paths = append(paths, path)
		}
	}
	return duck.Parquet(paths)
}

func (h *hub) each(query string, visit func(a, b string)) {
	rows, err := h.db.Query(h.Context(), query)
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			h.Fatal(err)
		}
		visit(a, b)
	}
	if err := rows.Err(); err != nil {
		h.Fatal(err)
	}
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
