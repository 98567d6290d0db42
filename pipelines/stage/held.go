package stage

import (
	"context"

	"github.com/apache/arrow/go/v15/arrow/array"

	"xinshu/connectors"
)

// A pull of no more rows and bytes than this is small: its pages are held until its end.
const (
	smallRows  = 20_000
	smallBytes = 8 << 20
)

// held are the first pages of a pull. Most pulls bring a few rows to a chain that holds many: of what
// the chain has, such a pull needs to know only the records it names. So its rows are looked at
// once for their records before the chain is read, and nothing else of the chain is remembered. A
// pull that turns out large is compared with the whole chain, through the index on disk.
type held struct {
	pages       []connectors.Page
	rows, bytes int64
}

// page takes the next page of the pull.
func (b *batch) page(ctx context.Context, page connectors.Page) error {
	if b.seen != nil {
		return b.line.send(ctx, page)
	}
	b.held.add(page)
	if len(b.head.Table(RowsTable)) > 0 && b.held.rows < smallRows && b.held.bytes < smallBytes {
		return nil
	}
	return b.compare(ctx, nil)
}

func (h *held) add(page connectors.Page) {
	h.pages = append(h.pages, page)
	h.bytes += 256 // of a page without rows
	if page.Batch == nil || page.Batch.NumRows() == 0 {
		return
	}
	h.rows += page.Batch.NumRows()
	for _, column := range page.Batch.Columns() {
		if text, ok := column.(*array.String); ok {
			h.bytes += int64(text.ValueOffset(text.Len()) - text.ValueOffset(0))
		}
	}
}

// release gives back the pages that nobody will take.
func (h *held) release() {
	for _, page := range h.pages {
		if page.Batch != nil {
			page.Batch.Release()
		}
	}
	h.pages = nil
}

// small ends a pull whose pages were all held.
func (b *batch) small(ctx context.Context) error {
	wanted := map[hash16]bool{}
	bind, checker, raw := binder{contract: b.contract}, newRowChecker(b.contract, b.today), make([]string, len(b.fields))
	var id identity
	for _, page := range b.held.pages {
		if len(b.head.Table(RowsTable)) == 0 || page.Batch == nil || page.Batch.NumRows() == 0 {
			continue
		}
		t, err := bind.bind(page)
		if err != nil {
			return err
		}
		for i := range int(page.Batch.NumRows()) {
			t.row(i, raw)
			if checker.check(raw) == accepted {
				id.of(checker)
				wanted[id.record] = true
			}
		}
	}
	return b.compare(ctx, wanted)
}

// compare reads the records wanted from the chain, all with nil, and puts the held pages on the line.
func (b *batch) compare(ctx context.Context, wanted map[hash16]bool) error {
	b.seen = newSeen(b.dir)
	if wanted == nil || len(wanted) > 0 {
		if err := b.seen.seed(ctx, b.stager.Lake, b.head, wanted); err != nil {
			return err
		}
	}
	b.line = b.startLine(ctx)
	for len(b.held.pages) > 0 {
		page := b.held.pages[0]
		b.held.pages = b.held.pages[1:]
		if err := b.line.send(ctx, page); err != nil {
			return err
		}
	}
	return nil
}
