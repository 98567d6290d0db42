package restapi

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"xinshu/connectors"
	"xinshu/connectors/jsonrows"
	"xinshu/internal/fault"
)

// part is as many rows of an answer as one page takes.
type part struct {
	record  arrow.Record
	first   int64
	lines   []int64
	rejects []connectors.Reject
	row     int64  // rows of the answer up to here, rejected ones included
	sum     string // of those rows
	last    bool
	left    int64 // rows that were left out of the record
}

var errChanged = errors.New("the answer is not the one whose rows were given")

// parts cuts an answer into pages. The first skip rows were given before; sum is their hash. The
// part before the last is held until it is known whether another follows.
func (jb job) parts(c *content, skip int64, sum string) iter.Seq2[part, error] {
	return func(yield func(part, error) bool) {
		scan := &rowScan{jb: jb, in: jsonrows.NewScanner(c.reader(), jb.rowsPath), sum: sha256.New(), empty: c.isNull(jb.rowsPath) || c.text(jb.totalPath) == "0"}
		if err := scan.skip(skip, sum); err != nil {
			yield(part{}, err)
			return
		}
		batch := connectors.NewBatch(0)
		held, holding := part{}, false
		for {
			next, end, err := scan.part(batch)
			if err != nil {
				if holding {
					held.record.Release()
				}
				yield(part{}, err)
				return
			}
			if holding {
				if end && next.row == held.row { // nothing came after it
					next.record.Release()
					held.last = true
					yield(held, nil)
					return
				}
				if !yield(held, nil) {
					next.record.Release()
					return
				}
			}
			held, holding = next, true
			if end {
				held.last = true
				yield(held, nil)
				return
			}
		}
	}
}

type rowScan struct {
	jb    job
	in    *jsonrows.Scanner
	sum   hash.Hash
	row   int64
	empty bool // the platform says that there are no rows; some then send no array
}

func (s *rowScan) next() ([]byte, error) {
	row, _, err := s.in.Next()
	if errors.Is(err, jsonrows.ErrNoRows) && s.empty {
		return nil, io.EOF
	}
	if err != nil {
		return nil, err
	}
	s.row++
	s.sum.Write(row)
	return row, nil
}

func (s *rowScan) digest() string { return hex.EncodeToString(s.sum.Sum(nil)[:8]) }

func (s *rowScan) skip(rows int64, sum string) error {
	for s.row < rows {
		if _, err := s.next(); errors.Is(err, io.EOF) {
			return errChanged
		} else if err != nil {
			return s.failed(err)
		}
	}
	if rows > 0 && s.digest() != sum {
		return errChanged
	}
	return nil
}

// part fills one page; end says that the rows are over.
func (s *rowScan) part(batch *connectors.Batch) (p part, end bool, err error) {
	for !batch.Full() {
		row, err := s.next()
		if errors.Is(err, io.EOF) {
			end = true
			break
		}
		if err != nil {
			return p, false, s.failed(err)
		}
		if reject := jsonrows.Row(batch, row, s.row); reject != nil {
			p.rejects = append(p.rejects, *reject)
			if len(p.rejects) >= connectors.PageRows {
				break
			}
		}
	}
	p.record, p.first, p.lines = batch.Take()
	p.row, p.sum = s.row, s.digest()
	return p, end, nil
}

func (s *rowScan) failed(err error) error {
	if _, ok := errors.AsType[*jsonrows.SyntaxError](err); ok || errors.Is(err, jsonrows.ErrNoRows) {
		return &fault.Error{Op: s.jb.op, Code: fault.Invalid, Hint: "check rows_path " + s.jb.rowsPath, Err: err}
	}
	return &fault.Error{Op: s.jb.op, Code: fault.Internal, Hint: "the answer could not be read back from disk", Err: err}
}

// watermarks notes the greatest watermark of a part, and leaves out the rows that the window or the
// rule about empty watermarks leaves out.
func (jb job) watermarks(p *part, at *place) error {
	if jb.sinceParam == "" && jb.window == nil || p.record.NumRows() == 0 {
		return nil
	}
	indices := p.record.Schema().FieldIndices(jb.field)
	if len(indices) == 0 {
		return &fault.Error{Op: jb.op, Code: fault.Invalid, Err: fmt.Errorf("the rows have no column %s", jb.field),
			Hint: "name the watermark's column in cursor_field, or empty since_param to take everything each time"}
	}
	column := p.record.Column(indices[0]).(*array.String) //nolint:forcetypeassert // a batch holds text only
	keep := make([]bool, column.Len())
	for row := range column.Len() {
		mark := ""
		if !column.IsNull(row) {
			mark = column.Value(row)
		}
		switch {
		case mark == "" && jb.nulls == "refuse":
			return &fault.Error{Op: jb.op, Code: fault.Invalid, Err: fmt.Errorf("row %d has no %s", p.line(row), jb.field),
				Hint: "the platform should fill it; or set null_cursor to take or leave"}
		case mark == "":
			keep[row] = jb.nulls == "take"
		default:
			keep[row] = jb.window == nil || inside(*jb.window, mark)
			at.Max = connectors.Later(at.Max, mark)
		}
	}
	p.choose(keep)
	return nil
}

// inside holds a watermark against a window, its beginning included and its end left out.
func inside(w connectors.Window, mark string) bool {
	return (w.From == "" || !before(mark, w.From)) && (w.Until == "" || before(mark, w.Until))
}

// before says that one watermark lies before another; two spellings of one instant lie nowhere apart.
func before(a, b string) bool { return a != b && connectors.Later(a, b) == b }

func (p *part) line(row int) int64 {
	if p.lines != nil {
		return p.lines[row]
	}
	return p.first + int64(row)
}

// choose takes the rows out of the record that are not kept.
func (p *part) choose(keep []bool) {
	for _, k := range keep {
		if !k {
			p.left++
		}
	}
	if p.left == 0 {
		return
	}
	old := p.record
	defer old.Release()
	names := make([]string, old.NumCols())
	for i, f := range old.Schema().Fields() {
		names[i] = f.Name
	}
	chosen := connectors.NewBatch(len(keep), names...)
	for row, k := range keep {
		if !k {
			continue
		}
		for i := range names {
			if column := old.Column(i).(*array.String); !column.IsNull(row) { //nolint:forcetypeassert // a batch holds text only
				chosen.Set(i, column.Value(row))
			}
		}
		chosen.EndRow(p.line(row))
	}
	p.record, p.first, p.lines = chosen.Take()
}
