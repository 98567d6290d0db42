package stage

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"xinshu/connectors"
)

// bound is a page with its columns tied to the contract's fields.
type bound struct {
	names   []string        // of all source columns, in source order
	columns []*array.String // beside names
	sources [][]int         // by contract field: the source columns that carry it
	field   []int           // by source column: the contract field, -1 for one the contract does not know
	origin  connectors.Origin
}

// binder ties pages to fields and keeps the last tie, since pages of a source look alike.
type binder struct {
	*contract
	schema *arrow.Schema
	last   bound
}

// bind ties a page. Two source columns may carry one field (a 2015 name beside the 2018 name, uscc
// beside CF_XDR_SHXYM): the first that is not empty counts.
func (b *binder) bind(page connectors.Page) (*bound, error) {
	if b.schema == nil || !b.schema.Equal(page.Batch.Schema()) {
		b.schema = page.Batch.Schema()
		b.last = bound{sources: make([][]int, len(b.fields))}
		for i, f := range b.schema.Fields() {
			b.last.names = append(b.last.names, f.Name)
			place, ok := b.place(f.Name)
			if !ok {
				place = -1
			} else {
				b.last.sources[place] = append(b.last.sources[place], i)
			}
			b.last.field = append(b.last.field, place)
		}
	}
	t := b.last
	t.origin = page.Origin
	t.columns = make([]*array.String, len(t.names))
	for i := range t.columns {
		column, ok := page.Batch.Column(i).(*array.String)
		if !ok {
			return nil, fmt.Errorf("column %s is %s, a connector hands over text", t.names[i], page.Batch.Column(i).DataType())
		}
		t.columns[i] = column
	}
	return &t, nil
}

// row fills raw with what was received for each field.
func (t *bound) row(i int, raw []string) {
	for f := range t.sources {
		raw[f] = t.value(f, i)
	}
}

// value is what was received for one field.
func (t *bound) value(field, row int) (raw string) {
	sources := t.sources[field]
	for _, s := range sources {
		if c := t.columns[s]; c.IsValid(row) {
			if raw = c.Value(row); len(sources) > 1 && trim(raw) != "" {
				break
			}
		}
	}
	return raw
}

// line gives the line of a row in its file, or its number in the page.
func (t *bound) line(i int) int64 {
	if i < len(t.origin.Lines) {
		return t.origin.Lines[i]
	}
	return t.origin.Line + int64(i)
}

// columnOf gives the source column at fault: the one that carries the field, or the field's own name
// when the page has none.
func (t *bound) columnOf(c *contract, field, row int) string {
	if field < 0 {
		return ""
	}
	name := c.fields[field].Name
	for n, s := range t.sources[field] {
		if n == 0 || t.columns[s].IsValid(row) && trim(t.columns[s].Value(row)) != "" {
			name = t.names[s]
		}
	}
	return name
}
