package stage

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// null stands in a text column's places for a value that is not there.
const null = int32(-1)

// most words that a row group's dictionary holds: beyond them values hardly repeat.
const dictionaryWords = 8 << 10

// textColumn collects the texts of one row group: each different text once and by row its place, or,
// where texts do not repeat, one behind the other. Which it is depends on the texts alone.
type textColumn struct {
	place map[string]int32 // of a text in the dictionary
	dict  texts
	at    []int32 // by row: the place in the dictionary, or null
	alone bool    // texts do not repeat: all stands row by row, and at says only which rows have none
	all   texts
	nulls int

	bits    []byte // scratch of array
	offsets []int32
}

// texts are strings one behind the other, as Arrow has them.
type texts struct {
	data []byte
	ends []int32
}

func (t *texts) add(s string) {
	t.data = append(t.data, s...)
	t.ends = append(t.ends, int32(len(t.data))) // a row group ends at 24 MB
}

func (t *texts) get(i int32) []byte {
	from := int32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return t.data[from:t.ends[i]]
}

func (t *texts) reset() { t.data, t.ends = t.data[:0], t.ends[:0] }

func (c *textColumn) reset() {
	if c.place == nil {
		c.place = map[string]int32{}
	}
	clear(c.place)
	c.dict.reset()
	c.all.reset()
	c.at, c.alone, c.nulls = c.at[:0], false, 0
}

// word gives the place of a text in the dictionary; the column may be alone afterwards.
func (c *textColumn) word(s string) int32 {
	if n, ok := c.place[s]; ok {
		return n
	}
	if len(c.dict.ends) == dictionaryWords {
		c.spread()
	}
	if c.alone {
		return null
	}
	n := int32(len(c.dict.ends)) // bounded above
	c.dict.add(s)
	c.place[string(c.dict.get(n))] = n
	return n
}

// add takes the next row's text; an empty one is null where the column may be null.
func (c *textColumn) add(s string, set bool) {
	switch {
	case !set:
		c.at = append(c.at, null)
		c.nulls++
		if c.alone {
			c.all.ends = append(c.all.ends, int32(len(c.all.data))) // a row group ends at 24 MB
		}
		return
	case !c.alone:
		if n := c.word(s); !c.alone {
			c.at = append(c.at, n)
			return
		}
	}
	c.all.add(s)
	c.at = append(c.at, 0)
}

// spread goes over to texts row by row.
func (c *textColumn) spread() {
	if c.alone {
		return
	}
	c.alone = true
	for i, n := range c.at {
		if n == null {
			c.all.ends = append(c.all.ends, int32(len(c.all.data))) // a row group ends at 24 MB
			continue
		}
		c.all.data = append(c.all.data, c.dict.get(n)...)
		c.all.ends = append(c.all.ends, int32(len(c.all.data))) // a row group ends at 24 MB
		c.at[i] = 0
	}
}

// repeats says whether a dictionary pays.
func (c *textColumn) repeats() bool {
	return !c.alone && len(c.dict.ends) > 0 && len(c.dict.ends)*2 <= len(c.at)
}

// array gives the rows as an Arrow array over the column's own memory.
func (c *textColumn) array(dictionary bool) arrow.Array {
	if !dictionary || len(c.dict.ends) == 0 { // Arrow v15 cannot write a dictionary without a word
		c.spread()
	}
	valid := validity(&c.bits, c.at, c.nulls)
	if c.alone {
		return c.all.array(len(c.at), valid, c.nulls, &c.offsets)
	}
	for i, n := range c.at {
		if n == null {
			c.at[i] = 0
		}
	}
	index := array.NewData(arrow.PrimitiveTypes.Int32, len(c.at), []*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.at))}, nil, c.nulls, 0)
	defer index.Release()
	dict := c.dict.array(len(c.dict.ends), nil, 0, &c.offsets)
	defer dict.Release()
	places := array.MakeFromData(index)
	defer places.Release()
	return array.NewDictionaryArray(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}, places, dict)
}

func (t *texts) array(rows int, valid *memory.Buffer, nulls int, offsets *[]int32) arrow.Array {
	*offsets = append(append((*offsets)[:0], 0), t.ends...)
	data := array.NewData(arrow.BinaryTypes.String, rows, []*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(*offsets)), memory.NewBufferBytes(t.data)}, nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// validity gives the bitmap of the rows that are not null; none where all are there.
func validity(bits *[]byte, at []int32, nulls int) *memory.Buffer {
	if nulls == 0 {
		return nil
	}
	*bits = append((*bits)[:0], make([]byte, (len(at)+7)/8)...)
	for i, n := range at {
		if n != null {
			(*bits)[i/8] |= 1 << (i % 8)
		}
	}
	return memory.NewBufferBytes(*bits)
}
