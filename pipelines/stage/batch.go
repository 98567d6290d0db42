package stage

import (
	"context"
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
	*contract
	stager   *Stager
	pull     Pull
	head     chain.Entry
	dir      string
	schema   *arrow.Schema // of the rows table
	masker   masker
	drifts   drifts
	drifted  drifted // of the page at hand
	today    catalog.Date
	line     *line // nil while pages are held
	rows     *rowTable
	tops     *tops
	tables   map[string]*table
	held     held
	seen     *seen // nil while pages are held
	count    counts
	next     connectors.Cursor
	declared *int64
	whole    bool     // the pull gave everything that the source holds now
	present  *present // the records that the pull names; nil where absence means nothing

	received  catalog.Date
	batchTime int64    // microseconds of Shanghai wall time
	raw       []string // of the refused row at hand
	fresh     []int32  // of a block's good rows those that the chain does not have
	read      int64    // rows that came in at the door
	rowNo     int64    // the last row written
	refusedNo int64    // the last refused row written
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
		contract: c, today: today, stager: s, pull: p, head: head, dir: dir, schema: rowsSchema(c.family),
		masker: masker{contract: c, key: s.HashKey},
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
	b.tops = newTops(c)
	b.drifts = newDrifts(c, b.masker)
	return b, nil
}

// open takes in what a page says beside its rows.
func (b *batch) open(page *connectors.Page, t *bound) (err error) {
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
	if t != nil {
		t.origin.File = page.Origin.File
		b.read += page.Batch.NumRows()
		b.count.know(t)
		b.drifted, err = b.drifts.page(t, int(page.Batch.NumRows()))
	}
	return err
}

// take brings one block's rows to where they end: good ones into the table unless the chain has them,
// refused ones into quarantine.
func (b *batch) take(ctx context.Context, k *block) error {
	good, refused := 0, 0
	b.fresh = b.fresh[:0]
	for i, verdict := range k.verdicts {
		var f refusal
		switch verdict {
		case accepted:
			if b.drifted.refuses(k.page, k.from+i) {
				verdict, f = quarantined, refusal{row: i, reason: b.drifted.reason, fault: b.drifted.field, stranger: b.drifted.at}
			} else if fresh, err := b.accept(&k.good[good]); err != nil {
				return err
			} else if fresh {
				b.fresh = append(b.fresh, int32(good)) // a block is small
			} else {
				verdict = duplicate
			}
			good++
		case quarantined:
			f = k.refusals[refused]
			refused++
		}
		if verdict == quarantined {
			if err := b.quarantine(ctx, k.page, k.from+i, f); err != nil {
				return err
			}
		}
		b.count.add(k.page.origin.File, verdict)
		if err := b.linked(ctx, verdict, b.rowNo+int64(len(b.fresh))); err != nil {
			return err
		}
	}
	b.tops.add(k, b.masker)
	b.warn(k)
	return b.write(ctx, k)
}

// accept says whether a good row is new, and gives it the time it counts from. A record that was gone
// and is back was last told of now, whatever time it carries.
func (b *batch) accept(g *goodRow) (fresh bool, err error) {
	if err := b.named(g.record); err != nil {
		return false, err
	}
	repeated, err := b.seen.row(g.record, hash16(g.content[:16]), g.timed)
	if err != nil || repeated {
		return false, err
	}
	if !g.timed {
		if at, known := b.pull.mending.received(); known {
			g.time = at
		}
	}
	if b.seen.back {
		g.time = max(b.batchTime, g.time+1)
	}
	return true, nil
}

// warn counts the warnings of the rows that are new.
func (b *batch) warn(k *block) {
	at := 0
	for _, w := range k.warned {
		for at < len(b.fresh) && int(b.fresh[at]) < w.good {
			at++
		}
		if at < len(b.fresh) && int(b.fresh[at]) == w.good {
			for _, code := range w.codes {
				b.count.warned[code]++
			}
		}
	}
}

// write hands the block's new rows to the table.
func (b *batch) write(ctx context.Context, k *block) error {
	if len(b.fresh) == 0 {
		return nil
	}
	if b.rows == nil {
		b.rows = newRowTable(b.contract, b.writer(ctx, RowsTable, b.schema))
	}
	n, err := b.rows.add(ctx, k, b.fresh, b.rowNo)
	b.rowNo += n
	return err
}

// close takes in what stands behind a page's rows: its unreadable rows, the handles it completes.
func (b *batch) close(ctx context.Context, page *connectors.Page) error {
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

// sourceTime gives the own time of a row that has one, in microseconds of wall time.
func (r *rowChecker) sourceTime() int64 {
	if r.fields[r.opTime].Type == "date" {
		return r.row[r.opTime].num * microsPerDay
	}
	return r.row[r.opTime].num
}

// timed says whether the row carries a source time of its own.
func (r *rowChecker) timed() bool { return r.opTime >= 0 && r.row[r.opTime].set }

// table opens a table when its first row comes.
func (b *batch) table(ctx context.Context, name string, schema *arrow.Schema) *table {
	t, ok := b.tables[name]
	if !ok {
		t = newTable(b.writer(ctx, name, schema))
		b.tables[name] = t
	}
	return t
}

// writer begins the objects of a table.
func (b *batch) writer(ctx context.Context, name string, schema *arrow.Schema) *writer {
	return newWriter(name, b.dir, schema, func(o chain.Object) (chain.File, error) {
		o.Chain, o.Run = chain.Stage(b.ID), b.pull.Run
		f, err := b.stager.Lake.Put(ctx, o)
		f.Source = b.pull.Source
		return f, err
	})
}

// finish writes what stands in memory and gives the objects of the commit, rows first.
func (b *batch) finish(ctx context.Context) ([]chain.File, error) {
	if b.seen == nil {
		if err := b.small(ctx); err != nil {
			return nil, err
		}
	}
	if err := b.line.end(); err != nil {
		return nil, err
	}
	if err := b.struckOut(ctx); err != nil {
		return nil, err
	}
	if err := b.profiled(ctx); err != nil {
		return nil, err
	}
	var files []chain.File
	if rows := b.rows; rows != nil {
		b.rows = nil
		put, err := rows.close(ctx)
		if err != nil {
			return nil, err
		}
		files = put
	}
	for _, name := range []string{QuarantineTable, TakenTable, CorrectedTable, ProfileTable} {
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
	if b.line != nil {
		_ = b.line.end() // the pull failed of this or of another error
	}
	if b.rows != nil {
		b.rows.drop()
	}
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
func (b *batch) receivedOn(r *rowChecker) catalog.Date {
	if b.received < b.today && !r.happenedBy(b.received) {
		return b.today
	}
	return b.received
}
