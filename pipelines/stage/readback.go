package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"xinshu/internal/chain"
)

// readText reads columns of text and whole numbers of a Parquet file row by row in small batches. The strings are only
// good until the callback returns.
func readText(ctx context.Context, path string, columns []string, row func(values []string) error) error {
	in, err := file.OpenParquetFile(path, false, file.WithReadProps(&parquet.ReaderProperties{BufferSize: 64 << 10, BufferedStreamEnabled: true}))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	indices := make([]int, len(columns))
	for i, name := range columns {
		if indices[i] = in.MetaData().Schema.ColumnIndexByName(name); indices[i] < 0 {
			return fmt.Errorf("no column %s", name)
		}
	}
	reader, err := pqarrow.NewFileReader(in, pqarrow.ArrowReadProperties{BatchSize: 8192}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	batches, err := reader.GetRecordReader(ctx, indices, nil)
	if err != nil {
		return err
	}
	defer batches.Release()
	read := int64(0)
	values := make([]string, len(columns))
	texts := make([]func(row int) string, len(columns))
	for batches.Next() {
		record := batches.Record()
		read += record.NumRows()
		for i := range columns {
			switch column := record.Column(i).(type) {
			case *array.String:
				texts[i] = column.Value
			case *array.Int64:
				texts[i] = func(row int) string { return strconv.FormatInt(column.Value(row), 10) }
			default:
				return fmt.Errorf("column %s is %s, neither text nor a whole number", columns[i], column.DataType())
			}
		}
		for n := range int(record.NumRows()) {
			for i, text := range texts {
				values[i] = text(n)
			}
			if err := row(values); err != nil {
				return err
			}
		}
	}
	// Arrow v15 ends with io.EOF, also where a file ends early: the rows are counted.
	if err := batches.Err(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if read != in.NumRows() {
		return fmt.Errorf("%d of %d rows could be read", read, in.NumRows())
	}
	return context.Cause(ctx)
}

// NewestTaken gives the files that name what the newest commit of one source completed, none when the
// chain holds no such commit: commits of other sources of the dataset may stand above it.
func NewestTaken(head chain.Entry, source string) []chain.File {
	var files []chain.File
	for _, f := range head.Table(TakenTable) {
		switch {
		case f.Source != source && f.Source != "": // an older hub did not note whose it was
		case len(files) > 0 && f.N < files[0].N:
		case len(files) > 0 && f.N == files[0].N:
			files = append(files, f)
		default:
			files = []chain.File{f}
		}
	}
	return files
}

// Taken gives back the handles of the source items that one commit completed, from the committed
// rows: what connectors.Acker is told, as often as needed.
func (s *Stager) Taken(ctx context.Context, files []chain.File) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, f := range files {
			stop := false
			path, err := s.Lake.Local(ctx, f)
			if err == nil {
				err = readText(ctx, path, []string{"handle"}, func(values []string) error {
					if stop = !yield(string([]byte(values[0])), nil); stop {
						return errStop
					}
					return nil
				})
			}
			if stop {
				return
			}
			if err != nil {
				yield("", err)
				return
			}
		}
	}
}

var errStop = errors.New("no more wanted")

// RefusedRow is a refused row as its sender is told of it. Its value is masked.
type RefusedRow struct {
	Line                         int64
	RecID, Column, Reason, Value string
}

// Refused gives the rows that one commit refused, in their order, as far as the chain's head still
// has them.
func (s *Stager) Refused(ctx context.Context, head chain.Entry, n int64) iter.Seq2[RefusedRow, error] {
	return func(yield func(RefusedRow, error) bool) {
		for _, f := range head.Table(QuarantineTable) {
			if f.N != n {
				continue
			}
			stop := false
			path, err := s.Lake.Local(ctx, f)
			if err == nil {
				err = readText(ctx, path, []string{"origin_line", "column_name", "reason", "value", "original"}, func(v []string) error {
					line, _ := strconv.ParseInt(v[0], 10, 64)
					row := RefusedRow{Line: line, Column: strings.Clone(v[1]), Reason: strings.Clone(v[2]), Value: strings.Clone(v[3]), RecID: recID(v[4])}
					if stop = !yield(row, nil); stop {
						return errStop
					}
					return nil
				})
			}
			if stop {
				return
			}
			if err != nil {
				yield(RefusedRow{}, err)
				return
			}
		}
	}
}

// recID is the sender's own id of a row, where it gave one.
func recID(original string) string {
	var row struct {
		RecID string `json:"rec_id"`
	}
	_ = json.Unmarshal([]byte(original), &row) // a row that is no object has no id
	return row.RecID
}
