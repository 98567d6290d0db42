package stage

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"xinshu/internal/chain"
)

// Sizes that bound memory. A row group is built in memory, so it ends at whichever comes first; an
// object is four full row groups.
const (
	groupRows  = 64 << 10
	groupBytes = 24 << 20
	objectRows = 4 * groupRows
	// compressRows is the size from which a file is worth compressing.
	compressRows = 1000
)

// table writes one table of a commit: rows are appended to the builders, full builders become a row
// group on a goroutine of their own (writing Parquet is the dearer half of staging), and full files
// become objects.
type table struct {
	*array.RecordBuilder
	name    string
	dir     string
	rows    int // in the builders
	weight  int // about how many bytes they hold
	batch   chan arrow.Record
	done    chan struct{}
	dropped atomic.Bool
	schema  *arrow.Schema

	// Owned by the writing goroutine until done is closed.
	put   func(chain.Object) (chain.File, error)
	files []chain.File
	err   error
	file  *os.File
	buf   *bufio.Writer
	out   *pqarrow.FileWriter
	count int64
}

func newTable(name, dir string, schema *arrow.Schema, put func(chain.Object) (chain.File, error)) *table {
	t := &table{
		RecordBuilder: array.NewRecordBuilder(memory.DefaultAllocator, schema),
		name:          name, dir: dir, schema: schema, put: put,
		batch: make(chan arrow.Record), done: make(chan struct{}),
	}
	go t.write()
	return t
}

// added tells the table that a row of about so many bytes stands in the builders.
func (t *table) added(ctx context.Context, bytes int) error {
	t.rows++
	t.weight += bytes
	if t.rows < groupRows && t.weight < groupBytes {
		return nil
	}
	return t.flush(ctx)
}

func (t *table) flush(ctx context.Context) error {
	if t.rows == 0 {
		return nil
	}
	full := t.rows == groupRows
	t.rows, t.weight = 0, 0
	record := t.NewRecord()
	if full {
		t.reserve(record)
	}
	select {
	case t.batch <- record:
		return nil
	case <-t.done: // the writer gave up
		record.Release()
		return t.err
	case <-ctx.Done():
		record.Release()
		return context.Cause(ctx)
	}
}

// reserve gives the builders at once the room that the last row group needed, instead of letting them
// double towards it.
func (t *table) reserve(last arrow.Record) {
	for i, column := range last.Columns() {
		t.Field(i).Reserve(groupRows)
		if text, ok := column.(*array.String); ok {
			used := text.ValueOffset(text.Len()) - text.ValueOffset(0)
			t.Field(i).(*array.StringBuilder).ReserveData(used + used/16) //nolint:forcetypeassert // the builder that made the column
		}
	}
}

// close writes what is left and gives the objects. Either close or drop must be called, once: it ends
// the goroutine.
func (t *table) close(ctx context.Context) ([]chain.File, error) {
	flushed := t.flush(ctx)
	close(t.batch)
	<-t.done
	t.Release()
	if t.err != nil {
		return nil, t.err
	}
	return t.files, flushed
}

// drop ends the table without making what is left of it an object.
func (t *table) drop() {
	t.dropped.Store(true)
	close(t.batch)
	<-t.done
	t.Release()
}

func (t *table) write() {
	defer close(t.done)
	defer func() { // the libraries below panic on some faults; a pull may fail of it, the hub may not
		if fault := recover(); fault != nil {
			t.err = fmt.Errorf("write table %s: %v", t.name, fault)
		}
	}()
	for record := range t.batch {
		t.err = t.group(record)
		record.Release()
		if t.err != nil {
			break
		}
	}
	if err := t.object(t.err == nil && !t.dropped.Load()); t.err == nil {
		t.err = err
	}
}

// group writes one row group, and the object when that fills it.
func (t *table) group(record arrow.Record) error {
	if t.out == nil {
		if err := t.open(record.NumRows() >= compressRows); err != nil {
			return err
		}
	}
	if err := t.out.Write(record); err != nil {
		return fmt.Errorf("write %s: %w", t.file.Name(), err)
	}
	if t.count += record.NumRows(); t.count < objectRows {
		return nil
	}
	return t.object(true)
}

// open begins a file. Arrow v15 makes a new compressor for each page, half a megabyte of tables that
// a daily pull of a few rows would make for each of its columns: a small file is written plain.
func (t *table) open(compressed bool) error {
	file, err := os.Create(filepath.Join(t.dir, fmt.Sprintf("%s-%d.parquet", t.name, len(t.files))))
	if err != nil {
		return err
	}
	t.file, t.buf, t.count = file, bufio.NewWriterSize(file, 64<<10), 0
	options := []parquet.WriterProperty{parquet.WithVersion(parquet.V2_LATEST), parquet.WithCreatedBy("xinshu")}
	if compressed {
		options = append(options, parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCompressionLevel(1))
	}
	for _, name := range []string{"row_no", "record_id", "record_key", "row_sha", "origin_line", "original"} {
		options = append(options, parquet.WithDictionaryFor(name, false)) // all values differ: a dictionary would only be thrown away
	}
	t.out, err = pqarrow.NewFileWriter(t.schema, t.buf, parquet.NewWriterProperties(options...), pqarrow.DefaultWriterProps())
	return err
}

// object ends the open file, if there is one, and puts it into the lake; with keep false the file is
// only closed and goes with its folder.
func (t *table) object(keep bool) error {
	if t.file == nil {
		return nil
	}
	file := t.file
	defer func() { t.file, t.out, t.buf = nil, nil, nil }()
	if t.out != nil {
		if err := t.out.Close(); err != nil && keep {
			_ = file.Close()
			return fmt.Errorf("write %s: %w", file.Name(), err)
		}
	}
	err := t.buf.Flush()
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil || !keep {
		return err
	}
	stored, err := t.put(chain.Object{Table: t.name, Part: len(t.files), Range: chain.NoRange, Path: file.Name(), Rows: t.count})
	if err != nil {
		return err
	}
	t.files = append(t.files, stored)
	return nil
}
