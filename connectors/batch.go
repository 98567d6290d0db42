package connectors

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// A page is cut when it holds this many rows or bytes, whichever comes first.
const (
	PageRows  = 10_000
	PageBytes = 8 << 20
)

// Batch collects rows of text into the columns of a page. A column that a row does not name is null
// there; a column first named by a later row is null in the earlier ones. The zero value is not
// usable; a Batch serves one goroutine.
type Batch struct {
	limit   int
	names   []string
	index   map[string]int
	columns []*array.StringBuilder
	row     []cell // of the row being filled
	seen    []int  // columns of the current row, in the order set
	rows    int
	bytes   int
	lines   []int64
	last    int   // rows of the page before
	sizes   []int // bytes of its columns
}

// cell is a value as text or as bytes; nil bytes with set mean the text.
type cell struct {
	text  string
	bytes []byte
	set   bool
}

// NewBatch begins a page of at most limit rows (0: PageRows) whose first columns are names.
func NewBatch(limit int, names ...string) *Batch {
	if limit <= 0 {
		limit = PageRows
	}
	b := &Batch{limit: limit, index: make(map[string]int)}
	for _, name := range names {
		b.Column(name)
	}
	return b
}

// Column gives the index of a column and adds it when it is new.
func (b *Batch) Column(name string) int {
	if i, ok := b.index[name]; ok {
		return i
	}
	i := len(b.names)
	column := array.NewStringBuilder(memory.DefaultAllocator)
	column.AppendNulls(b.rows)
	b.index[name] = i
	b.names = append(b.names, name)
	b.columns = append(b.columns, column)
	b.row = append(b.row, cell{})
	return i
}

// Set gives the current row a value; set twice, the later one holds.
func (b *Batch) Set(column int, value string) { b.set(column, cell{text: value, set: true}) }

// SetBytes is Set for text that lies in a buffer. The bytes must hold until EndRow copies them.
func (b *Batch) SetBytes(column int, value []byte) { b.set(column, cell{bytes: value, set: true}) }

func (b *Batch) set(column int, c cell) {
	if !b.row[column].set {
		b.seen = append(b.seen, column)
	}
	b.row[column] = c
}

// Clear makes a column of the current row null again.
func (b *Batch) Clear(column int) {
	if b.row[column].set {
		b.row[column] = cell{}
		b.seen = slices.DeleteFunc(b.seen, func(i int) bool { return i == column })
	}
}

// EndRow closes the current row, found at line.
func (b *Batch) EndRow(line int64) {
	for _, i := range b.seen {
		b.columns[i].AppendNulls(b.rows - b.columns[i].Len())
		c := b.row[i]
		if c.bytes != nil {
			b.columns[i].BinaryBuilder.Append(c.bytes)
		} else {
			b.columns[i].Append(c.text)
		}
		b.bytes += len(c.text) + len(c.bytes)
		b.row[i] = cell{}
	}
	b.seen = b.seen[:0]
	b.rows++
	b.lines = append(b.lines, line)
}

// AppendRow adds a whole row whose values stand in the order of the columns, nil for null. It is the
// short way for a source whose rows all have the same columns; the bytes are copied.
func (b *Batch) AppendRow(values [][]byte, line int64) {
	if b.rows == 0 {
		b.reserve()
	}
	for i, value := range values {
		if value == nil {
			b.columns[i].AppendNull()
			continue
		}
		b.columns[i].BinaryBuilder.Append(value)
		b.bytes += len(value)
	}
	b.rows++
	b.lines = append(b.lines, line)
}

// reserve makes room for a page like the last one, so that columns do not grow step by step.
func (b *Batch) reserve() {
	for i, size := range b.sizes {
		b.columns[i].Reserve(b.last)
		b.columns[i].ReserveData(size + size/16)
	}
	if b.last > 0 {
		b.lines = make([]int64, 0, b.last)
	}
}

// DropRow forgets the current row.
func (b *Batch) DropRow() {
	for _, i := range b.seen {
		b.row[i] = cell{}
	}
	b.seen = b.seen[:0]
}

// Rows is the number of closed rows.
func (b *Batch) Rows() int { return b.rows }

// Full reports whether the page should be cut now.
func (b *Batch) Full() bool { return b.rows >= b.limit || b.bytes >= PageBytes }

// Take gives the rows as a record with the line of each, nil when the lines follow one another, and
// empties the batch. The columns stay.
func (b *Batch) Take() (record arrow.Record, first int64, lines []int64) {
	fields := make([]arrow.Field, len(b.names))
	arrays := make([]arrow.Array, len(b.names))
	b.last, b.sizes = b.rows, slices.Grow(b.sizes[:0], len(b.names))
	for i, name := range b.names {
		b.columns[i].AppendNulls(b.rows - b.columns[i].Len())
		b.sizes = append(b.sizes, b.columns[i].DataLen())
		fields[i] = arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
		arrays[i] = b.columns[i].NewArray()
	}
	record = array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(b.rows))
	for _, a := range arrays {
		a.Release()
	}
	if len(b.lines) > 0 {
		first = b.lines[0]
	}
	for i, line := range b.lines {
		if line != first+int64(i) {
			lines = b.lines
			break
		}
	}
	b.rows, b.bytes, b.lines = 0, 0, nil
	return record, first, lines
}

// Columns is the number of columns.
func (b *Batch) Columns() int { return len(b.names) }

// Name is the name of a column.
func (b *Batch) Name(column int) string { return b.names[column] }
