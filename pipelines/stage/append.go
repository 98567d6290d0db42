package stage

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// The columns' types are fixed by the schema that the table was made with, so a value of the wrong
// sort is a fault in this package: the record would come out uneven, and Arrow says so.

// text appends to a text column.
func (t *table) text(column int, s string) {
	if b, ok := t.Field(column).(*array.StringBuilder); ok {
		b.Append(s)
	}
}

// optional is text, with null for an empty one.
func (t *table) optional(column int, s string) {
	if s == "" {
		t.Field(column).AppendNull()
		return
	}
	t.text(column, s)
}

// bytes is text that stands in a reused buffer.
func (t *table) bytes(column int, s []byte) {
	if b, ok := t.Field(column).(*array.StringBuilder); ok {
		b.BinaryBuilder.Append(s)
	}
}

// number appends a whole number, a day, a time or a truth value, as the column has it.
func (t *table) number(column int, n int64) {
	switch b := t.Field(column).(type) {
	case *array.Int64Builder:
		b.Append(n)
	case *array.Date32Builder:
		b.Append(arrow.Date32(n)) // a catalog.Date, which has 32 bits
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(n))
	case *array.BooleanBuilder:
		b.Append(n != 0)
	}
}
