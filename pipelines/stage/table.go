package stage

import (
	"context"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"xinshu/internal/chain"
)

// table collects the rows of one of the smaller tables of a commit, one by one.
type table struct {
	*array.RecordBuilder
	out    *writer
	rows   int // in the builders
	weight int // about how many bytes they hold
}

func newTable(out *writer) *table {
	return &table{RecordBuilder: array.NewRecordBuilder(memory.DefaultAllocator, out.schema), out: out}
}

// added tells the table that a row of about so many bytes stands in the builders.
func (t *table) added(ctx context.Context, bytes int) error {
	t.rows++
	t.weight += bytes
	if t.rows < groupRows && t.weight < groupBytes {
		return nil
	}
	return t.flush(ctx)
}

func (t *table) flush(ctx context.Context) error {
	if t.rows == 0 {
		return nil
	}
	t.rows, t.weight = 0, 0
	record := t.NewRecord()
	return t.out.send(ctx, rowGroup{columns: record.Columns(), rows: record.NumRows(), done: record.Release})
}

// close writes what is left and gives the objects. Either close or drop must be called, once.
func (t *table) close(ctx context.Context) ([]chain.File, error) {
	flushed := t.flush(ctx)
	t.Release()
	return t.out.close(flushed)
}

// drop ends the table without making what is left of it an object.
func (t *table) drop() {
	t.Release()
	t.out.drop()
}
