package stage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

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
	binder   binder
	masker   masker
	tables   map[string]*table
	seen     *seen // nil until the first row comes
	count    counts
	next     connectors.Cursor
	declared *int64

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
		rowChecker: newRowChecker(c, today), stager: s, pull: p, head: head, dir: dir,
		binder: binder{contract: c}, masker: masker{contract: c, key: s.HashKey},
		tables: map[string]*table{}, count: newCounts(), next: p.Before,
		received: today, batchTime: wall.UnixMicro() + int64(offset)*1_000_000,
		raw: make([]string, len(c.fields)),
	}
	if p.CollectedOn != 0 && p.CollectedOn != catalog.NoDate {
		b.received = p.CollectedOn
	}
	return b, nil
}

// page stages one page: its rows, its unreadable rows, the handles it completes.
func (b *batch) page(ctx context.Context, page connectors.Page) error {
	if page.Batch != nil {
		defer page.Batch.Release()
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if page.Declared != nil {
		b.declared = page.Declared
	}
	b.next = page.Next
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
	for _, handle := range page.Taken {
		t := b.table(ctx, TakenTable, takenSchema)
		t.Field(0).(*array.StringBuilder).Append(handle)
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
	if b.seen == nil {
		b.seen = newSeen(b.dir)
		if err := b.seen.seed(ctx, b.stager.Lake, b.head); err != nil {
			return err
		}
	}
	for i := range int(page.Batch.NumRows()) {
		t.row(i, b.raw)
		verdict := b.check(b.raw)
		switch verdict {
		case accepted:
			if verdict, err = b.accept(ctx, t, i); err != nil {
				return err
			}
		case quarantined:
			if err := b.quarantine(ctx, t, i); err != nil {
				return err
			}
		}
		b.count.add(t.origin.File, verdict)
	}
	return nil
}

// accept writes a good row unless the chain has it.
func (b *batch) accept(ctx context.Context, t *bound, i int) (verdict, error) {
	b.id.of(b.rowChecker)
	repeated, err := b.seen.row(b.id.record, hash16(b.id.content[:16]), b.timed())
	if err != nil {
		return accepted, err
	}
	if repeated {
		return duplicate, nil
	}
	b.rowNo++
	rows := b.table(ctx, RowsTable, nil)
	b.append(rows, t, i)
	return accepted, rows.added(ctx, b.id.size)
}

// timed says whether the row carries a source time of its own.
func (b *batch) timed() bool { return b.opTime >= 0 && b.row[b.opTime].set }

func (b *batch) append(t *table, src *bound, i int) {
	text := func(column int, s string) { t.Field(column).(*array.StringBuilder).Append(s) }
	bytes := func(column int, b []byte) { t.Field(column).(*array.StringBuilder).BinaryBuilder.Append(b) }
	optional := func(column int, s string) {
		if s == "" {
			t.Field(column).AppendNull()
			return
		}
		text(column, s)
	}
	var hexed [2 * sha256.Size]byte
	t.Field(colRowNo).(*array.Int64Builder).Append(b.rowNo)
	bytes(colRecordID, hex.AppendEncode(hexed[:0], b.id.record[:]))
	bytes(colRecordKey, b.id.key)
	text(colUSCC, b.code)
	optional(colEntityName, b.entityName())
	text(colOp, b.operation())
	at := b.batchTime
	if b.timed() {
		at = b.row[b.opTime].num
		if b.fields[b.opTime].Type == "date" {
			at *= microsPerDay
		}
	}
	t.Field(colSourceTime).(*array.TimestampBuilder).Append(arrow.Timestamp(at))
	t.Field(colReceivedOn).(*array.Date32Builder).Append(arrow.Date32(b.received))
	bytes(colRowSHA, hex.AppendEncode(hexed[:0], b.id.content[:]))
	optional(colOriginFile, src.origin.File)
	t.Field(colOriginLine).(*array.Int64Builder).Append(src.line(i))
	text(colKind, b.kind)
	for n := range b.out {
		appendValue(t.Field(commonColumns+n), b.out[n])
	}
}

func appendValue(column array.Builder, v value) {
	if !v.set {
		column.AppendNull()
		return
	}
	switch c := column.(type) {
	case *array.StringBuilder:
		c.Append(v.text)
	case *array.Date32Builder:
		c.Append(arrow.Date32(v.num))
	case *array.TimestampBuilder:
		c.Append(arrow.Timestamp(v.num))
	case *array.Int64Builder:
		c.Append(v.num)
	case *array.BooleanBuilder:
		c.Append(v.num != 0)
	}
}

// table opens a table when its first row comes.
func (b *batch) table(ctx context.Context, name string, schema *arrow.Schema) *table {
	t, ok := b.tables[name]
	if !ok {
		if name == RowsTable {
			schema = rowsSchema(b.family)
		}
		t = newTable(name, b.dir, schema, func(o chain.Object) (chain.File, error) {
			o.Chain, o.Run = chain.Stage(b.ID), b.pull.Run
			return b.stager.Lake.Put(ctx, o)
		})
		b.tables[name] = t
	}
	return t
}

// finish writes what stands in memory and gives the objects of the commit, rows first.
func (b *batch) finish(ctx context.Context) ([]chain.File, error) {
	var files []chain.File
	for _, name := range []string{RowsTable, QuarantineTable, TakenTable} {
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
	if b.seen != nil {
		_ = b.seen.close()
	}
	_ = os.RemoveAll(b.dir)
}
