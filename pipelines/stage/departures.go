package stage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"xinshu/internal/chain"
)

// Where a contract says that a whole pull is the whole stock, a record that the source brought before
// and that this pull does not have has left. It is staged under GoneTable, with the row it rests on;
// settle ends the record with the day of receipt, and a row that brings it back makes it hold again.
// While the feed is on hold the same list stands under AbsentTable, of which settle takes no notice.

// goneContent stands in the index for a record that has left: no row has this content.
var goneContent = hash16(sha256Half("gone"))

func sha256Half(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:16]
}

// keeps says which files of the head stay listed: an older list of what was absent is replaced by
// what a newer whole pull leaves out.
func (b *batch) keeps(f chain.File) bool {
	return !b.whole || f.Table != AbsentTable || f.Source != b.pull.Source
}

// departures writes what a whole pull leaves out. The chain's ids are read twice: once to learn which
// row is the last about each record, once to name those of this source that the pull does not have.
// Memory holds the indexes' share, whatever the size of the stock.
func (b *batch) departures(ctx context.Context, r *Result, held bool) ([]chain.File, error) {
	if b.present == nil || !b.whole {
		return nil, nil
	}
	table, left := GoneTable, &r.Gone
	if held {
		table, left = AbsentTable, &r.Absent
	}
	r.Unjudged = b.present.rows
	if b.present.blind { // any of the missing may be the row that could not be read
		return nil, nil
	}
	last := newIndex(b.dir)
	defer func() { _ = last.close() }() // its files have no names
	files := b.stock()
	for n, f := range files {
		if err := b.eachRow(ctx, f, func(row int64, record hash16, _ []string) error {
			return last.put(record, position(n, row))
		}); err != nil {
			return nil, err
		}
	}
	gone := b.table(ctx, table, goneSchema)
	for n, f := range files {
		if f.Table != RowsTable || f.Source != b.pull.Source {
			continue
		}
		if err := b.eachRow(ctx, f, func(row int64, record hash16, values []string) error {
			at, _, err := last.get(record)
			if err != nil || at != position(n, row) {
				return err
			}
			if _, there, err := b.present.index.get(record); there || err != nil {
				return err
			}
			if b.present.mayHold(values[1], len(b.key)) {
				return nil
			}
			*left++
			return b.leaves(ctx, gone, values)
		}); err != nil {
			return nil, err
		}
	}
	delete(b.tables, table)
	return gone.close(ctx)
}

// stock are the files that say which records the chain holds, in the order of their commits.
func (b *batch) stock() []chain.File {
	files := slices.Concat(b.head.Table(RowsTable), b.head.Table(GoneTable))
	slices.SortStableFunc(files, func(x, y chain.File) int { return int(x.N - y.N) })
	return files
}

// goneText are the text columns of a departed record, in the order of goneSchema.
var goneText = []string{"record_id", "record_key", "uscc", "row_sha"}

func (b *batch) eachRow(ctx context.Context, f chain.File, row func(n int64, record hash16, values []string) error) error {
	path, err := b.stager.Lake.Local(ctx, f)
	if err != nil {
		return err
	}
	n := int64(0)
	err = readText(ctx, path, goneText, func(values []string) error {
		record, ok := fromHex(values[0])
		if !ok {
			return fmt.Errorf("record_id %q is no hash", values[0])
		}
		n++
		return row(n, record, values)
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", f.Key, err)
	}
	return nil
}

// position names a row of a file as an index value.
func position(file int, row int64) (at hash16) {
	binary.BigEndian.PutUint64(at[:8], uint64(file)) // a place in a list
	binary.BigEndian.PutUint64(at[8:], uint64(row))  // a row's number
	return at
}

func (b *batch) leaves(ctx context.Context, t *table, values []string) error {
	size := 0
	for i, v := range values {
		t.text(i, v)
		size += len(v)
	}
	t.number(len(values), int64(b.today))
	t.number(len(values)+1, b.batchTime)
	return t.added(ctx, size)
}
