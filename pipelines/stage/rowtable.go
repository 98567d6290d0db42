package stage

import (
	"context"
	"encoding/hex"
	"slices"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"

	"xinshu/internal/chain"
)

// rowTable collects accepted rows, block by block, into row groups of the rows table.
type rowTable struct {
	contract *contract
	out      *writer
	now      *gathered
	spare    chan *gathered // row groups that the writer gave back
	inFile   int64
	repeats  []bool  // by column: the open file has a dictionary for it
	places   []int32 // scratch: a block's words to the row group's
}

// gathered is a row group in the making: a column is of texts or of numbers.
type gathered struct {
	texts   []*textColumn
	numbers []*numberColumn
	rows    int
	weight  int
}

func newRowTable(c *contract, out *writer) *rowTable {
	t := &rowTable{contract: c, out: out, spare: make(chan *gathered, 2), repeats: make([]bool, out.schema.NumFields())}
	for range cap(t.spare) {
		g := &gathered{texts: make([]*textColumn, len(t.repeats)), numbers: make([]*numberColumn, len(t.repeats))}
		for i, f := range out.schema.Fields() {
			if f.Type.ID() == arrow.STRING {
				g.texts[i] = &textColumn{}
			} else {
				g.numbers[i] = &numberColumn{of: f.Type}
			}
		}
		t.spare <- g
	}
	t.next()
	return t
}

// next begins a row group, once one is given back.
func (t *rowTable) next() {
	t.now = <-t.spare
	t.now.rows, t.now.weight = 0, 0
	for i := range t.repeats {
		if c := t.now.texts[i]; c != nil {
			c.reset()
		} else {
			t.now.numbers[i].reset()
		}
	}
}

// add takes the block's fresh rows, numbered on from after, and gives their number.
func (t *rowTable) add(ctx context.Context, k *block, fresh []int32, after int64) (int64, error) {
	for from := 0; from < len(fresh); {
		to := from
		for g := t.now; to < len(fresh) && g.rows+to-from < groupRows && g.weight < groupBytes; to++ {
			g.weight += int(k.good[fresh[to]].size)
		}
		t.gather(k, fresh[from:to], after+int64(from))
		from = to
		if t.now.rows >= groupRows || t.now.weight >= groupBytes {
			if err := t.flush(ctx); err != nil {
				return 0, err
			}
		}
	}
	return int64(len(fresh)), nil
}

// gather appends rows column by column.
func (t *rowTable) gather(k *block, fresh []int32, after int64) {
	g := t.now
	g.rows += len(fresh)
	text, number := g.texts, g.numbers
	c := t.contract
	file := k.page.origin.File
	for n, i := range fresh {
		good := &k.good[i]
		number[colRowNo].add(after+int64(n)+1, true)
		number[colSourceTime].add(good.time, true)
		number[colReceivedOn].add(int64(good.received), true)
		number[colOriginLine].add(k.page.line(k.from+int(good.row)), true)
		t.hex(text[colRecordID], good.record[:])
		t.hex(text[colRowSHA], good.content[:])
		text[colRecordKey].spread()
		text[colRecordKey].add(k.key(i), true)
		text[colOp].add(good.op, true)
		text[colOriginFile].add(file, file != "")
		text[colKind].add(good.kind, true)
	}
	t.field(text[colUSCC], k, c.uscc, fresh, false)
	if c.name >= 0 {
		t.field(text[colEntityName], k, c.name, fresh, true)
	} else {
		for range fresh {
			text[colEntityName].add("", false)
		}
	}
	for n := range c.columns {
		at := commonColumns + n
		switch col := &c.columns[n]; {
		case col.direct >= 0 && text[at] != nil:
			t.field(text[at], k, col.direct, fresh, false)
		case col.direct >= 0:
			w := &k.fields[col.direct]
			for _, i := range fresh {
				v := w.of(int(k.good[i].row))
				number[at].add(v.num, v.set)
			}
		case text[at] != nil:
			for _, i := range fresh {
				v := &k.computed[n][i]
				text[at].add(v.text, v.set)
			}
		default:
			for _, i := range fresh {
				v := &k.computed[n][i]
				number[at].add(v.num, v.set)
			}
		}
	}
}

// field appends one field's words as they may be stored.
func (t *rowTable) field(into *textColumn, k *block, f int, fresh []int32, emptyIsNull bool) {
	w := &k.fields[f]
	there := func(v *word) bool { return v.set && (v.kept != "" || !emptyIsNull) }
	if w.alone {
		into.spread()
	}
	if into.alone || len(w.at) == 0 {
		for _, i := range fresh {
			v := w.of(int(k.good[i].row))
			into.add(v.kept, there(v))
		}
		return
	}
	const unknown = int32(-2)
	t.places = slices.Grow(t.places[:0], len(w.list))[:len(w.list)]
	for i := range t.places {
		t.places[i] = unknown
	}
	for _, i := range fresh {
		at := w.at[k.good[i].row]
		place := t.places[at]
		if place == unknown || into.alone {
			v := &w.list[at]
			into.add(v.kept, there(v))
			t.places[at] = into.at[len(into.at)-1]
			continue
		}
		into.at = append(into.at, place)
		if place == null {
			into.nulls++
		}
	}
}

// hex appends a hash; no two rows have the same.
func (t *rowTable) hex(into *textColumn, sum []byte) {
	into.spread()
	into.all.data = hex.AppendEncode(into.all.data, sum)
	into.all.ends = append(into.all.ends, int32(len(into.all.data))) // a row group ends at 24 MB
	into.at = append(into.at, 0)
}

// key is the record key of a good row; it holds until the block is used again.
func (k *block) key(good int32) string {
	from := int32(0)
	if good > 0 {
		from = k.good[good-1].key
	}
	b := k.keys[from:k.good[good].key]
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // the column copies it
}

// of gives the word of a row.
func (w *wordList) of(row int) *word {
	if len(w.at) == 0 {
		return &w.list[0]
	}
	return &w.list[w.at[row]]
}

// flush hands the row group to the writer and begins the next.
func (t *rowTable) flush(ctx context.Context) error {
	g := t.now
	if g.rows == 0 {
		return nil
	}
	group := rowGroup{rows: int64(g.rows)}
	for i, f := range t.out.schema.Fields() {
		c := g.texts[i]
		if c == nil {
			group.columns = append(group.columns, g.numbers[i].array())
			continue
		}
		if t.inFile == 0 {
			t.repeats[i] = c.repeats()
			if !t.repeats[i] {
				group.plain = append(group.plain, f.Name)
			}
		}
		group.columns = append(group.columns, c.array(t.repeats[i]))
	}
	group.done = func() {
		for _, c := range group.columns {
			c.Release()
		}
		t.spare <- g
	}
	if t.inFile += group.rows; t.inFile >= objectRows {
		t.inFile = 0
	}
	if err := t.out.send(ctx, group); err != nil {
		return err
	}
	t.next()
	return nil
}

// close writes what is left and gives the objects. Either close or drop must be called, once.
func (t *rowTable) close(ctx context.Context) ([]chain.File, error) { return t.out.close(t.flush(ctx)) }

// drop ends the table without making what is left of it an object.
func (t *rowTable) drop() { t.out.drop() }
