package stage

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"
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

// rowGroup is what a writer is given at once.
type rowGroup struct {
	columns []arrow.Array
	rows    int64
	plain   []string // where the group begins a file: its columns whose values hardly repeat
	done    func()   // gives the memory back
}

// writer writes one table of a commit on a goroutine of its own (writing Parquet is the dearer half of
// staging): row groups go into files, and full files become objects.
type writer struct {
	name    string
	dir     string
	groups  chan rowGroup
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

func newWriter(name, dir string, schema *arrow.Schema, put func(chain.Object) (chain.File, error)) *writer {
	w := &writer{name: name, dir: dir, schema: schema, put: put, groups: make(chan rowGroup), done: make(chan struct{})}
	go w.write()
	return w
}

// send hands a row group over.
func (w *writer) send(ctx context.Context, g rowGroup) error {
	select {
	case w.groups <- g:
		return nil
	case <-w.done: // the writer gave up
		g.done()
		return w.err
	case <-ctx.Done():
		g.done()
		return context.Cause(ctx)
	}
}

// close gives the objects. Either close or drop must be called, once: it ends the goroutine. flushed
// is the error of the last send; with one there are no objects.
func (w *writer) close(flushed error) ([]chain.File, error) {
	close(w.groups)
	<-w.done
	if w.err != nil {
		return nil, w.err
	}
	return w.files, flushed
}

// drop ends the writer without making what is left of the file an object.
func (w *writer) drop() {
	w.dropped.Store(true)
	close(w.groups)
	<-w.done
}

func (w *writer) write() {
	defer close(w.done)
	defer func() { // the libraries below panic on some faults; a pull may fail of it, the hub may not
		if fault := recover(); fault != nil {
			w.err = fmt.Errorf("write table %s: %v", w.name, fault)
		}
	}()
	for g := range w.groups {
		w.err = w.group(g)
		g.done()
		if w.err != nil {
			break
		}
	}
	if err := w.object(w.err == nil && !w.dropped.Load()); w.err == nil {
		w.err = err
	}
}

// group writes one row group, and the object when that fills it.
func (w *writer) group(g rowGroup) error {
	if w.out == nil {
		if err := w.open(g); err != nil {
			return err
		}
	}
	w.out.NewRowGroup()
	for _, column := range g.columns {
		if err := w.out.WriteColumnData(column); err != nil {
			return fmt.Errorf("write %s: %w", w.file.Name(), err)
		}
	}
	if w.count += g.rows; w.count < objectRows {
		return nil
	}
	return w.object(true)
}

// open begins a file. Arrow v15 makes a new compressor for each page, half a megabyte of tables that
// a daily pull of a few rows would make for each of its columns: a small file is written plain.
// Nothing reads these files by their statistics. A column of a row group is handed to its encoder in
// one batch and becomes one page: in a second batch Arrow v15 takes the wrong places of a dictionary
// (file/column_writer.go, maybeReplaceValidity).
func (w *writer) open(g rowGroup) error {
	file, err := os.Create(filepath.Join(w.dir, fmt.Sprintf("%s-%d.parquet", w.name, len(w.files))))
	if err != nil {
		return err
	}
	w.file, w.buf, w.count = file, bufio.NewWriterSize(file, 64<<10), 0
	options := []parquet.WriterProperty{parquet.WithVersion(parquet.V2_LATEST), parquet.WithCreatedBy("xinshu"), parquet.WithStats(false),
		parquet.WithBatchSize(groupRows), parquet.WithDataPageSize(groupBytes)}
	if g.rows >= compressRows {
		options = append(options, parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCompressionLevel(1))
	}
	for _, name := range append(g.plain, "row_no", "source_time", "origin_line", "original") {
		options = append(options, parquet.WithDictionaryFor(name, false)) // a dictionary of values that all differ would only be thrown away
	}
	w.out, err = pqarrow.NewFileWriter(w.schema, w.buf, parquet.NewWriterProperties(options...), pqarrow.DefaultWriterProps())
	return err
}

// object ends the open file, if there is one, and puts it into the lake; with keep false the file is
// only closed and goes with its folder.
func (w *writer) object(keep bool) error {
	if w.file == nil {
		return nil
	}
	file := w.file
	defer func() { w.file, w.out, w.buf = nil, nil, nil }()
	if w.out != nil {
		if err := w.out.Close(); err != nil && keep {
			_ = file.Close()
			return fmt.Errorf("write %s: %w", file.Name(), err)
		}
	}
	err := w.buf.Flush()
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil || !keep {
		return err
	}
	stored, err := w.put(chain.Object{Table: w.name, Part: len(w.files), Range: chain.NoRange, Path: file.Name(), Rows: w.count})
	if err != nil {
		return err
	}
	w.files = append(w.files, stored)
	return nil
}
