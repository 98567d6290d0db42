package stage

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// CorrectedTable links what a person decided about refused rows to those rows. A commit that takes
// corrected rows in holds the rows themselves in its other tables and the links in this one, so that
// either all of it is known or nothing.
const CorrectedTable = "corrected"

// What became of a refused row that somebody dealt with.
const (
	OutcomeAccepted  = "accepted"  // the row given in its place is staged
	OutcomeDuplicate = "duplicate" // the row given in its place was staged before
	OutcomeSkipped   = "skipped"   // the row given in its place is about a natural person
	OutcomeAgain     = "again"     // the row given in its place was refused too, and is open in its turn
	OutcomeWithdrawn = "withdrawn" // struck out: nobody will send it
)

var correctedSchema = arrow.NewSchema([]arrow.Field{
	{Name: "original_n", Type: arrow.PrimitiveTypes.Int64},   // the commit that refused the row
	{Name: "original_row", Type: arrow.PrimitiveTypes.Int64}, // its number there
	{Name: "outcome", Type: arrow.BinaryTypes.String},
	{Name: "row_no", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, // in this commit's rows, or its refused rows
	{Name: "corrected_by", Type: arrow.BinaryTypes.String},
	{Name: "corrected_at", Type: wallClock},
	{Name: "way", Type: arrow.BinaryTypes.String},      // workbook, form or retry
	{Name: "workbook", Type: arrow.BinaryTypes.String}, // its SHA-256; empty for a form or a retry
	{Name: "origin_file", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "origin_line", Type: arrow.PrimitiveTypes.Int64},
	{Name: "note", Type: arrow.BinaryTypes.String, Nullable: true}, // why, in the words of who decided; masked like any text
}, nil)

// Mend is what somebody decided about one refused row.
type Mend struct {
	N, Row   int64  // the refused row: the commit that refused it and its number there
	At       int64  // when the row was last received, in microseconds of wall time; 0: not known
	Cells    []Cell // the row as it is to be staged; nil with Withdraw
	Withdraw bool
	File     string // where the decision stands: workbook and sheet, with the line in it
	Line     int64
	Note     string // why, in the words of who decided; may be empty
}

// Correction is a set of decisions about the refused rows that one source brought to a dataset,
// committed together. The rows given in their place count as the source's: should it stop sending
// them, they have left like any other row of it.
type Correction struct {
	Source   string // whose pull brought the refused rows; empty: a person
	Run      string
	Head     int64  // the entry of the chain on which the rows were found open
	By       string // who decided
	Way      string // workbook, form or retry
	Workbook string // its SHA-256
	Mends    iter.Seq2[Mend, error]

	OnReject func(Reject)
}

// mending is a correction at work: the links that wait for the verdicts on their rows.
type mending struct {
	Correction
	at      int64 // microseconds of Shanghai wall time
	mu      sync.Mutex
	waiting []Mend // put in where pages are made, taken out where their rows have their verdicts
}

// Correct stages corrected rows in one commit, with a link from each to the row it stands for. The
// dataset's source keeps its cursor. A chain that has moved on since Head answers Conflict: the rows
// may have been dealt with, so the caller looks again.
func (s *Stager) Correct(ctx context.Context, ds catalog.Dataset, c Correction) (Result, error) {
	if c.By == "" {
		return Result{}, fault.Newf(fault.Invalid, "correct "+ds.ID, "nobody is named who decided")
	}
	m := &mending{Correction: c, at: wallMicros(s.Now())}
	return s.Run(ctx, ds, m.pages(), Pull{Run: c.Run, Source: c.Source, ByHand: true, OnReject: c.OnReject, mending: m})
}

// current answers Conflict unless the chain stands where the rows were found open.
func (m *mending) current(op string, head chain.Entry) error {
	if m == nil || head.N == m.Head {
		return nil
	}
	return &fault.Error{Op: op, Code: fault.Conflict, Err: fmt.Errorf("commit %d came after the refused rows were looked at in commit %d", head.N, m.Head),
		Hint: "do it again: what is open is looked up anew"}
}

// mendRows is how many corrected rows make a page.
const mendRows = 1000

// pages gives the rows of the mends in their order; mends with other columns begin another page.
func (m *mending) pages() iter.Seq2[connectors.Page, error] {
	return func(yield func(connectors.Page, error) bool) {
		var group []Mend
		send := func() bool {
			if len(group) == 0 {
				return true
			}
			page := mendPage(group)
			for _, one := range group {
				one.Cells = nil // the links wait for the verdicts; the values stand in the page
				m.wait(one)
			}
			group = group[:0]
			return yield(page, nil)
		}
		for one, err := range m.Mends {
			if err != nil {
				yield(connectors.Page{}, err)
				return
			}
			if len(group) > 0 && (len(group) == mendRows || one.File != group[0].File || !sameColumns(group[0], one)) && !send() {
				return
			}
			group = append(group, one)
		}
		send()
	}
}

func (m *mending) wait(one Mend) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = append(m.waiting, one)
}

// next takes the decision that comes next; with withdrawn only one that strikes its row out.
func (m *mending) next(withdrawn bool) (one Mend, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.waiting) == 0 || withdrawn && !m.waiting[0].Withdraw {
		return one, false
	}
	one = m.waiting[0]
	m.waiting = m.waiting[1:]
	return one, true
}

func sameColumns(a, b Mend) bool {
	return a.Withdraw == b.Withdraw && slices.EqualFunc(a.Cells, b.Cells, func(a, b Cell) bool { return a.Name == b.Name })
}

// mendPage makes one page of mends that have the same columns. Rows struck out make a page without rows.
func mendPage(group []Mend) connectors.Page {
	page := connectors.Page{Origin: connectors.Origin{File: group[0].File, Line: group[0].Line}}
	if group[0].Withdraw {
		return page
	}
	var fields []arrow.Field
	for _, c := range group[0].Cells {
		fields = append(fields, arrow.Field{Name: c.Name, Type: arrow.BinaryTypes.String, Nullable: true})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for _, one := range group {
		page.Origin.Lines = append(page.Origin.Lines, one.Line)
		for i, c := range one.Cells {
			text := b.Field(i).(*array.StringBuilder) //nolint:forcetypeassert // the schema above says so
			if c.Value == nil {
				text.AppendNull()
			} else {
				text.Append(*c.Value)
			}
		}
	}
	page.Batch = b.NewRecord()
	return page
}

// linked writes the link of the row that just got its verdict.
func (b *batch) linked(ctx context.Context, v verdict, rowNo int64) error {
	m := b.pull.mending
	if m == nil {
		return nil
	}
	if err := b.struckOut(ctx); err != nil {
		return err
	}
	one, ok := m.next(false)
	if !ok {
		return fmt.Errorf("a corrected row has no original")
	}
	switch v {
	case accepted:
		return b.link(ctx, one, OutcomeAccepted, rowNo)
	case quarantined:
		return b.link(ctx, one, OutcomeAgain, b.refusedNo)
	case duplicate:
		return b.link(ctx, one, OutcomeDuplicate, 0)
	case skipped:
		return b.link(ctx, one, OutcomeSkipped, 0)
	}
	return fmt.Errorf("verdict %d has no outcome", v)
}

// struckOut writes the links of the withdrawn rows that stand before the next row.
func (b *batch) struckOut(ctx context.Context) error {
	m := b.pull.mending
	for m != nil {
		one, ok := m.next(true)
		if !ok {
			return nil
		}
		if err := b.link(ctx, one, OutcomeWithdrawn, 0); err != nil {
			return err
		}
	}
	return nil
}

// received gives when the source last told of the row at hand: a correction that comes late must not
// pass for news, or it would stand before what the source said since.
func (m *mending) received() (at int64, known bool) {
	if m == nil {
		return 0, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.waiting {
		if !one.Withdraw {
			return one.At, one.At != 0
		}
	}
	return 0, false
}

func (b *batch) link(ctx context.Context, one Mend, outcome string, rowNo int64) error {
	m := b.pull.mending
	t := b.table(ctx, CorrectedTable, correctedSchema)
	t.number(0, one.N)
	t.number(1, one.Row)
	t.text(2, outcome)
	if rowNo == 0 {
		t.Field(3).AppendNull()
	} else {
		t.number(3, rowNo)
	}
	t.text(4, b.masker.text(m.By))
	t.number(5, m.at)
	t.text(6, m.Way)
	t.text(7, m.Workbook)
	t.optional(8, b.masker.text(one.File))
	t.number(9, one.Line)
	t.optional(10, b.masker.text(one.Note))
	return t.added(ctx, len(m.By)+len(m.Workbook)+len(one.File)+len(one.Note)+64)
}

// wallMicros gives a time as microseconds of Shanghai wall time.
func wallMicros(now time.Time) int64 {
	wall := now.In(shanghai)
	_, offset := wall.Zone()
	return wall.UnixMicro() + int64(offset)*1_000_000
}
