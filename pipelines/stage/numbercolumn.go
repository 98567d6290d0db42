package stage

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// numberColumn collects the whole numbers, days, times or truth values of one row group.
type numberColumn struct {
	of    arrow.DataType
	all   []int64
	at    []int32 // by row: null or 0; empty while no row is null
	nulls int

	bits, truth []byte // scratch of array
	days        []int32
}

func (c *numberColumn) reset() { c.all, c.at, c.nulls = c.all[:0], c.at[:0], 0 }

func (c *numberColumn) add(n int64, set bool) {
	if !set || c.nulls > 0 {
		if c.nulls == 0 {
			c.at = append(c.at[:0], make([]int32, len(c.all))...)
		}
		c.at = append(c.at, 0)
		if !set {
			c.at[len(c.all)] = null
			c.nulls++
		}
	}
	c.all = append(c.all, n)
}

// array gives the rows as an Arrow array over the column's own memory.
func (c *numberColumn) array() arrow.Array {
	var values []byte
	switch c.of.ID() {
	case arrow.DATE32:
		c.days = c.days[:0]
		for _, n := range c.all {
			c.days = append(c.days, int32(n)) // a catalog.Date, which has 32 bits
		}
		values = arrow.Int32Traits.CastToBytes(c.days)
	case arrow.BOOL:
		c.truth = append(c.truth[:0], make([]byte, (len(c.all)+7)/8)...)
		for i, n := range c.all {
			if n != 0 {
				c.truth[i/8] |= 1 << (i % 8)
			}
		}
		values = c.truth
	default:
		values = arrow.Int64Traits.CastToBytes(c.all)
	}
	data := array.NewData(c.of, len(c.all), []*memory.Buffer{validity(&c.bits, c.at, c.nulls), memory.NewBufferBytes(values)}, nil, c.nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}
