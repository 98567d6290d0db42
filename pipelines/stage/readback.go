package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"xinshu/internal/chain"
)

// readText reads text columns of a Parquet file row by row in small batches. The strings are only
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
	texts := make([]*array.String, len(columns))
	for batches.Next() {
		record := batches.Record()
		read += record.NumRows()
		for i := range columns {
			text, ok := record.Column(i).(*array.String)
			if !ok {
				return fmt.Errorf("column %s is %s, not text", columns[i], record.Column(i).DataType())
			}
			texts[i] = text
		}
		for n := range int(record.NumRows()) {
			for i, text := range texts {
				values[i] = text.Value(n)
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

// Taken gives back the handles of the source items that one commit completed, from the committed
// rows: what connectors.Acker is told, as often as needed.
func (s *Stager) Taken(ctx context.Context, e chain.Entry) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, f := range e.Since(TakenTable, e.N-1) {
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
