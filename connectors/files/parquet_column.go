package files

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/schema"

	"xinshu/connectors/jsonrows"
)

// parquetBatch is how many values of a column are decoded at once.
const parquetBatch = 1024

// parquetColumn gives one leaf of the schema, row by row, as text.
type parquetColumn struct {
	name   string
	write  parquetWriter
	bare   bool  // JSON writes its values without quotes
	maxDef int16 // level of a value that is there
	list   int16 // level of an element of the list, 0 when the column is none

	read       func() (levels int64, values int, err error)
	in         parquetValues
	defs, reps []int16
	levels     int // in defs and reps
	at         int // the next of them
	value      int // the next value

	text []byte // of the current row
	null bool
}

// parquetValues are the values decoded last; only the slice of the column's type is there.
type parquetValues struct {
	booleans []bool
	int32s   []int32
	int64s   []int64
	int96s   []parquet.Int96
	floats   []float32
	doubles  []float64
	binaries []parquet.ByteArray
	fixed    []parquet.FixedLenByteArray
}

func newParquetColumn(descr *schema.Column, int96Local bool) (*parquetColumn, error) {
	c := &parquetColumn{maxDef: descr.MaxDefinitionLevel(), defs: make([]int16, parquetBatch), reps: make([]int16, parquetBatch)}
	if descr.MaxRepetitionLevel() > 1 {
		return nil, &refusal{parquetType, 0, "column " + descr.Path() + " holds lists of lists; write it as JSON text"}
	}
	c.place(descr)
	if c.write, c.bare = parquetText(descr, int96Local); c.write == nil {
		return nil, &refusal{parquetType, 0, fmt.Sprintf("column %s is %s, which has no text; write it as text", descr.Path(), descr.LogicalType())}
	}
	return c, nil
}

// place reads, from the way to the leaf, the column's name and the level of its list. The groups that
// only make a list, list.element and the older bag.array_element, are no part of the name.
func (c *parquetColumn) place(descr *schema.Column) {
	var way []schema.Node
	for n := descr.SchemaNode(); n != nil && n.Parent() != nil; n = n.Parent() {
		way = append([]schema.Node{n}, way...)
	}
	var names []string
	level := int16(0)
	for i, n := range way {
		if n.RepetitionType() != parquet.Repetitions.Required {
			level++
		}
		inList := i > 0 && isList(way[i-1]) || i > 1 && isList(way[i-2]) && way[i-1].RepetitionType() == parquet.Repetitions.Repeated && i == len(way)-1
		if n.RepetitionType() == parquet.Repetitions.Repeated {
			c.list = level
		}
		if !inList {
			names = append(names, n.Name())
		}
	}
	c.name = strings.Join(names, ".")
}

func isList(n schema.Node) bool {
	_, logical := n.LogicalType().(schema.ListLogicalType)
	return logical || n.ConvertedType() == schema.ConvertedTypes.List
}

// begin goes on in another row group.
func (c *parquetColumn) begin(chunk file.ColumnChunkReader) {
	c.levels, c.at, c.value = 0, 0, 0
	switch r := chunk.(type) {
	case *file.BooleanColumnChunkReader:
		c.in.booleans = make([]bool, parquetBatch)
		c.read = func() (int64, int, error) { return r.ReadBatch(parquetBatch, c.in.booleans, c.defs, c.reps) }
	case *file.Int32ColumnChunkReader:
		c.in.int32s = make([]int32, parquetBatch)
		c.read = func() (int64, int, error) { return r.ReadBatch(parquetBatch, c.in.int32s, c.defs, c.reps) }
	case *file.Int64ColumnChunkReader:
		c.in.int64s = make([]int64, parquetBatch)
		c.read = func() (int64, int, error) { return r.ReadBatch(parquetBatch, c.in.int64s, c.defs, c.reps) }
	case *file.Int96ColumnChunkReader:
		c.in.int96s = make([]parquet.Int96, parquetBatch)
		c.read = func() (int64, int, error) { return r.ReadBatch(parquetBatch, c.in.int96s, c.defs, c.reps) }
	case *file.Float32ColumnChunkReader:
		c.in.floats = make([]float32, parquetBatch)
		c.read = func() (int64, int, error) { return r.ReadBatch(parquetBatch, c.in.floats, c.defs, c.reps) }
	case *file.Float64ColumnChunkReader:
		c.in.doubles = make([]float64, parquetBatch)
		c.read = func() (int64, int, error) { return r.ReadBatch(parquetBatch, c.in.doubles, c.defs, c.reps) }
	case *file.ByteArrayColumnChunkReader:
		c.in.binaries = make([]parquet.ByteArray, parquetBatch)
		c.read = func() (int64, int, error) { return r.ReadBatch(parquetBatch, c.in.binaries, c.defs, c.reps) }
	case *file.FixedLenByteArrayColumnChunkReader:
		c.in.fixed = make([]parquet.FixedLenByteArray, parquetBatch)
		c.read = func() (int64, int, error) { return r.ReadBatch(parquetBatch, c.in.fixed, c.defs, c.reps) }
	}
	chunkErr := c.read
	c.read = func() (int64, int, error) {
		levels, values, err := chunkErr()
		if err == nil {
			err = chunk.Err()
		}
		return levels, values, err
	}
}

// more makes sure that a level lies ahead; false at the end of the row group.
func (c *parquetColumn) more() (bool, error) {
	if c.at < c.levels {
		return true, nil
	}
	levels, values, err := c.read()
	if err != nil {
		return false, err
	}
	c.levels, c.at, c.value = int(levels), 0, 0
	if c.maxDef > 0 {
		there := 0
		for _, def := range c.defs[:levels] {
			if def == c.maxDef {
				there++
			}
		}
		if there != values {
			return false, fmt.Errorf("%d values are there, %d were to be", values, there)
		}
	}
	return levels > 0, nil
}

// next moves to the next row.
func (c *parquetColumn) next() error {
	more, err := c.more()
	if err == nil && !more {
		err = errors.New("the column ends before its rows do")
	}
	if err != nil {
		return err
	}
	c.text, c.null = c.text[:0], false
	if c.list > 0 {
		return c.nextList()
	}
	c.null = c.element() == nil
	return nil
}

// element appends the value at hand to text; nil when there is none.
func (c *parquetColumn) element() []byte {
	there := c.maxDef == 0 || c.defs[c.at] == c.maxDef
	c.at++
	if !there {
		return nil
	}
	from := len(c.text)
	c.text = c.write(c.text, &c.in, c.value)
	c.value++
	return c.text[from:len(c.text):len(c.text)]
}

// nextList writes the row's list as a JSON array.
func (c *parquetColumn) nextList() error {
	if c.reps[c.at] != 0 {
		return errors.New("a list goes on where a row begins")
	}
	if def := c.defs[c.at]; def < c.list {
		c.at++
		if c.null = def < c.list-1; !c.null {
			c.text = append(c.text, "[]"...)
		}
		return nil
	}
	list := []byte{'['}
	for {
		c.text = c.text[:0]
		if value := c.element(); value == nil {
			list = append(list, "null"...)
		} else if c.bare {
			list = append(list, value...)
		} else if list = appendJSON(list, value); list == nil {
			return errors.New("a list holds bytes that are no UTF-8")
		}
		if len(list) > jsonrows.MaxElement {
			return errors.New("a list is longer than 8 MB")
		}
		if more, err := c.more(); err != nil {
			return err
		} else if !more || c.reps[c.at] == 0 {
			list = append(list, ']')
			c.text = list
			return nil
		}
		list = append(list, ',')
	}
}

func appendJSON(dst, text []byte) []byte {
	if !utf8.Valid(text) {
		return nil
	}
	var quoted bytes.Buffer
	enc := json.NewEncoder(&quoted)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(string(text)); err != nil {
		return nil
	}
	return append(dst, bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))...)
}

// clean says that the row's value is text.
func (c *parquetColumn) clean() bool { return utf8.Valid(c.text) && bytes.IndexByte(c.text, 0) < 0 }
