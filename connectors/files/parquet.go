package files

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"

	"xinshu/connectors"
	"xinshu/connectors/jsonrows"
)

// Reason codes of Parquet files that are refused whole.
const (
	parquetBroken = "PARQUET_BROKEN" // not Parquet, cut, a wrong checksum, or pages that do not decode
	parquetType   = "PARQUET_TYPE"   // a column that cannot be written as one text
	parquetLimit  = "PARQUET_LIMIT"  // sizes that no data file has
)

// maxFooter bounds the directory of a Parquet file, which is read whole.
const maxFooter = 64 << 20

// parquetRows reads a Parquet file, one row group after the other, a thousand values of a column at a
// time. Members of a struct are columns with the struct's name and a dot before theirs; a list is a JSON
// array; what is nested deeper in lists is refused. The line of a row is its number in the file.
//
// The file is read through before its rows count, because one that breaks in the middle gives none.
func parquetRows(ctx context.Context, in *os.File, out *sheet) error {
	info, err := in.Stat()
	if err != nil {
		return err
	}
	p := &parquetFile{in: &fileAt{file: in}, size: info.Size(), int96Local: out.job.int96Local}
	for _, step := range []func() error{
		p.open,
		func() error { return p.check(ctx) },
		func() error { return p.walk(ctx, func(*parquetRow) error { return nil }) },
		func() error { return p.walk(ctx, func(r *parquetRow) error { return r.into(out) }) },
	} {
		err := step()
		if p.in.err != nil { // the disk, not the file
			return p.in.err
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parquetFile is a file that is open, and where in it we are.
type parquetFile struct {
	in         *fileAt
	size       int64
	int96Local bool
	rdr        *file.Reader
	where      string
}

// guard turns what the library finds, panics among it, into a refusal that says where.
func (p *parquetFile) guard(err *error) {
	if crash := recover(); crash != nil {
		*err = &refusal{parquetBroken, 0, fmt.Sprintf("%s: %v", p.where, crash)}
	}
}

func (p *parquetFile) open() (err error) {
	defer p.guard(&err)
	p.where = "the footer"
	if p.size < 12 {
		return &refusal{parquetBroken, 0, "too short to be Parquet"}
	}
	tail := make([]byte, 8)
	if _, err := p.in.ReadAt(tail, p.size-8); err != nil {
		return err
	}
	switch magic := string(tail[4:]); {
	case magic == "PARE":
		return &refusal{parquetBroken, 0, "encrypted; send it without encryption"}
	case magic != "PAR1":
		return &refusal{parquetBroken, 0, "its end is not that of a Parquet file: cut, or another format"}
	}
	if n := binary.LittleEndian.Uint32(tail); n > maxFooter {
		return &refusal{parquetLimit, 0, fmt.Sprintf("a footer of %d bytes", n)}
	}
	props := parquet.NewReaderProperties(memory.NewGoAllocator()) // values point into pages: these must stay until collected
	props.BufferedStreamEnabled = true
	if p.rdr, err = file.NewParquetReader(io.NewSectionReader(p.in, 0, p.size), file.WithReadProps(props)); err != nil {
		return &refusal{parquetBroken, 0, err.Error()}
	}
	return nil
}

// parquetRow is the row that the columns stand at.
type parquetRow struct {
	number  int64
	columns []*parquetColumn
}

func (r *parquetRow) into(out *sheet) error {
	due, err := out.due()
	if err != nil || !due {
		return err
	}
	for _, c := range r.columns {
		switch {
		case c.null || len(c.text) == 0:
		case !c.clean():
			out.batch.DropRow()
			out.reject(connectors.Reject{Line: r.number, Column: c.name, Reason: encodingBad, Value: jsonrows.Excerpt(c.text)})
			return nil
		default:
			out.batch.SetBytes(out.batch.Column(c.name), c.text)
		}
	}
	out.batch.EndRow(r.number)
	return nil
}

// takerError carries an error of whoever takes the rows: it is none of the file's.
type takerError struct{ error }

// walk calls row for each row.
func (p *parquetFile) walk(ctx context.Context, row func(*parquetRow) error) (err error) {
	err = p.rows(ctx, row)
	if taker, ok := errors.AsType[takerError](err); ok {
		return taker.error
	}
	return err
}

func (p *parquetFile) rows(ctx context.Context, row func(*parquetRow) error) (err error) {
	defer p.guard(&err)
	r := &parquetRow{}
	leaves := p.rdr.MetaData().Schema
	for i := range leaves.NumColumns() {
		c, err := newParquetColumn(leaves.Column(i), p.int96Local)
		if err != nil {
			return err
		}
		r.columns = append(r.columns, c)
	}
	for g := range p.rdr.NumRowGroups() {
		group := p.rdr.RowGroup(g)
		for i, c := range r.columns {
			p.where = fmt.Sprintf("row group %d, column %s", g+1, c.name)
			chunk, err := group.Column(i)
			if err != nil {
				return p.broken(r.number, err)
			}
			c.begin(chunk)
		}
		for range group.NumRows() {
			r.number++
			if r.number%1024 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			for _, c := range r.columns {
				p.where = c.name
				if err := c.next(); err != nil {
					return p.broken(r.number, err)
				}
			}
			if err := row(r); err != nil {
				return takerError{err}
			}
		}
	}
	return nil
}

func (p *parquetFile) broken(line int64, err error) error {
	return &refusal{parquetBroken, line, p.where + ": " + err.Error()}
}
