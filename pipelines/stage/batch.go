package stage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
)

// shanghai has had no summer time since 1991; batch times are later.
var shanghai = time.FixedZone("CST", 8*3600)

// batch is one pull at work: everything that is dropped when it fails.
type batch struct {
	*rowChecker
	stager   *Stager
	pull     Pull
	head     chain.Entry
	dir      string
	schema   *arrow.Schema // of the rows table
	binder   binder
	masker   masker
	drifts   drifts
	stranger int // the source column at fault of a row refused for COLUMN_UNKNOWN
	tables   map[string]*table
	held     held
	seen     *seen // nil while pages are held
	count    counts
	next     connectors.Cursor
	declared *int64
	whole    bool     // the pull gave everything that the source holds now
	present  *present // the records that the pull names; nil where absence means nothing

	received  catalog.Date
	batchTime int64 // microseconds of Shanghai wall time
	raw       []string
	id        identity
	read      int64 // rows that came in at the door
	rowNo     int64 // the last row written
	refusedNo int64 // the last refused row written
}

func (s *Stager) begin(c *contract, p Pull, head chain.Entry) (*batch, error) {
	dir, err := os.MkdirTemp(s.Lake.TempDir(), "stage-*")
	if err != nil {
		return nil, err
	}
	wall := s.Now().In(shanghai)
	today := catalog.DateOf(wall)
	_, offset := wall.Zone()
	b := &batch{
		rowChecker: newRowChecker(c, today), stager: s, pull: p, head: head, dir: dir, schema: rowsSchema(c.family),
		binder: binder{contract: c}, masker: masker{contract: c, key: s.HashKey},
		tables: map[string]*table{}, count: newCounts(), next: p.Before,
		received: today, batchTime: wall.UnixMicro() + int64(offset)*1_000_000,
		raw: make([]string, len(c.fields)),
	}
	if c.stockWhole() && p.Source != "" && !p.ByHand && p.Window == nil {
		b.present = newPresent(dir)
	}
	if p.CollectedOn != 0 && p.CollectedOn != catalog.NoDate {
		b.received = p.CollectedOn
	}
	b.drifts = newDrifts(c, b.masker)
	return b, nil
}

// take stages one page: its rows, its unreadable rows, the handles it completes.
func (b *batch) take(ctx context.Context, page connectors.Page) error {
	if page.Batch != nil {
		defer page.Batch.Release()
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	page.Origin.File = b.masker.text(page.Origin.File) // a file's name may be in any encoding
	if page.Origin.File != "" {
		b.count.open(page.Origin.File)
	}
	if page.Declared != nil {
		declared := *page.Declared // the connector may go on counting in its own
		b.declared = &declared
	}
	b.next = page.Next
	b.whole = b.whole || page.Whole
	b.read += int64(len(page.Rejects))
	if page.Batch != nil && page.Batch.NumRows() > 0 {
		b.read += page.Batch.NumRows()
		if err := b.rows(ctx, page); err != nil {
			return err
		}
	}
	for _, r := range page.Rejects {
		if err := b.unread(ctx, page.Origin, r); err != nil {
			return err
		}
	}
	if b.pull.ByHand {
		return nil // the handles are a person's file, of which the dataset's source must not be told
	}
	for _, handle := range page.Taken {
		t := b.table(ctx, TakenTable, takenSchema)
		t.text(0, handle)
		if err := t.added(ctx, len(handle)); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) rows(ctx context.Context, page connectors.Page) error {
	t, err := b.binder.bind(page)
	if err != nil {
		return err
	}
	b.count.know(t)
	drifted, err := b.drifts.page(t, int(page.Batch.NumRows()))
	if err != nil {
		return err
	}
	for i := range int(page.Batch.NumRows()) {
		t.row(i, b.raw)
		verdict := b.check(b.raw)
		if verdict == accepted && drifted.refuses(t, i) {
			verdict = quarantined
			b.reason, b.fault, b.stranger = drifted.reason, drifted.field, drifted.at
		}
		switch verdict {
		case accepted:
			verdict, err = b.accept(ctx, t, i)
		case quarantined:
			if err = b.namedAnyway(); err == nil {
				err = b.quarantine(ctx, t, i)
			}
		}
		if err != nil {
			return err
		}
		b.count.add(t.origin.File, verdict)
		if err := b.linked(ctx, verdict); err != nil {
			return err
		}
	}
	return nil
}

// accept writes a good row unless the chain has it.
func (b *batch) accept(ctx context.Context, t *bound, i int) (verdict, error) {
	b.id.of(b.rowChecker)
	if err := b.named(b.id.record); err != nil {
		return accepted, err
	}
	repeated, err := b.seen.row(b.id.record, hash16(b.id.content[:16]), b.timed())
	if err != nil {
		return accepted, err
	}
	if repeated {
		return duplicate, nil
	}
	b.rowNo++
	for _, warning := range b.warnings {
		b.count.warned[warning]++
	}
	rows := b.table(ctx, RowsTable, b.schema)
	b.append(rows, t, i)
	return accepted, rows.added(ctx, b.id.size)
}

// timed says whether the row carries a source time of its own.
func (b *batch) timed() bool { return b.opTime >= 0 && b.row[b.opTime].set }

func (b *batch) append(t *table, src *bound, i int) {
	var hexed [2 * sha256.Size]byte
	t.number(colRowNo, b.rowNo)
	t.bytes(colRecordID, hex.AppendEncode(hexed[:0], b.id.record[:]))
	t.bytes(colRecordKey, b.id.key)
	t.text(colUSCC, b.code)
	t.optional(colEntityName, b.entityName())
	t.text(colOp, b.operation())
	t.number(colSourceTime, b.sourceTime())
	t.number(colReceivedOn, int64(b.receivedOn()))
	t.bytes(colRowSHA, hex.AppendEncode(hexed[:0], b.id.content[:]))
	t.optional(colOriginFile, src.origin.File)
	t.number(colOriginLine, src.line(i))
	t.text(colKind, b.kind)
	for n := range b.out {
		t.value(commonColumns+n, &b.out[n])
	}
}

// sourceTime gives the row's own time, or that of the batch, in microseconds of wall time. A record
// that was gone and is back was last told of now, whatever time it carries.
func (b *batch) sourceTime() int64 {
	if b.seen.back {
		return max(b.batchTime, b.ownTime()+1)
	}
	return b.ownTime()
}

func (b *batch) ownTime() int64 {
	switch {
	case !b.timed():
		if at, known := b.pull.mending.received(); known {
			return at
		}
		return b.batchTime
	case b.fields[b.opTime].Type == "date":
		return b.row[b.opTime].num * microsPerDay
	}
	return b.row[b.opTime].num
}

// table opens a table when its first row comes.
func (b *batch) table(ctx context.Context, name string, schema *arrow.Schema) *table {
	t, ok := b.tables[name]
	if !ok {
		t = newTable(name, b.dir, schema, func(o chain.Object) (chain.File, error) {
			o.Chain, o.Run = chain.Stage(b.ID), b.pull.Run
			f, err := b.stager.Lake.Put(ctx, o)
			f.Source = b.pull.Source
			return f, err
		})
		b.tables[name] = t
	}
	return t
}

// finish writes what stands in memory and gives the objects of the commit, rows first.
func (b *batch) finish(ctx context.Context) ([]chain.File, error) {
	if b.seen == nil {
		if err := b.small(ctx); err != nil {
			return nil, err
		}
	}
	if err := b.struckOut(ctx); err != nil {
		return nil, err
	}
	var files []chain.File
	for _, name := range []string{RowsTable, QuarantineTable, TakenTable, CorrectedTable} {
		t, ok := b.tables[name]
		if !ok {
			continue
		}
		delete(b.tables, name)
		put, err := t.close(ctx)
		if err != nil {
			return nil, err
		}
		files = append(files, put...)
	}
	return files, context.Cause(ctx)
}

// discard takes away what a finished or dropped pull leaves on the local disk. Objects that were put
// and are in no log entry are for the lake's garbage collection.
func (b *batch) discard() {
	for _, t := range b.tables {
		t.drop()
	}
	b.held.release()
	if b.present != nil {
		_ = b.present.index.close()
	}
	if b.seen != nil {
		_ = b.seen.close()
	}
	_ = os.RemoveAll(b.dir)
}

// receivedOn is the day that decides yearly cut-offs: the declared day of collection for stock. A row
// that tells of a later day is no stock, whatever it came with, and was received today.
func (b *batch) receivedOn() catalog.Date {
	if b.received < b.today && !b.happenedBy(b.received) {
		return b.today
	}
	return b.received
}
