package results

import (
	"bufio"
	"io"
	"os"

	"xinshu/internal/fault"
)

// nameless opens a file of a folder that has no name any more: it is gone with the process.
func nameless(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "entities-")
	if err == nil {
		err = os.Remove(f.Name())
	}
	if err != nil {
		return nil, &fault.Error{Op: "make the search index", Code: fault.Internal, Err: err, Hint: "check that the temporary folder exists and can be written"}
	}
	return f, nil
}

// window reads a file forward in pieces, so that what lies near one another costs one call.
type window struct {
	of    io.ReaderAt
	end   int64 // nothing of ours lies behind it
	piece int
	buf   []byte
	at    int64 // where buf begins
}

// bytes gives some bytes of the file; they are good until the next call.
func (w *window) bytes(at int64, n int) ([]byte, error) {
	if at < w.at || at+int64(n) > w.at+int64(len(w.buf)) {
		size := max(min(int64(w.piece), w.end-at), int64(n))
		if int64(cap(w.buf)) < size {
			w.buf = make([]byte, size)
		}
		w.buf, w.at = w.buf[:size], at
		if _, err := w.of.ReadAt(w.buf, at); err != nil {
			w.buf = nil
			return nil, fault.Newf(fault.Internal, "read the search index", "%w", err)
		}
	}
	return w.buf[at-w.at:][:n], nil
}

// appender writes at the end of a file and counts.
type appender struct {
	*bufio.Writer
	at int64
}

func (a *appender) append(b []byte) error {
	n, err := a.Write(b)
	a.at += int64(n)
	return full(err)
}

func (a *appender) flush() error { return full(a.Flush()) }

func full(err error) error {
	if err != nil {
		return &fault.Error{Op: "make the search index", Code: fault.Internal, Err: err, Hint: "the temporary folder may be full: a million entities take about 150 MB"}
	}
	return nil
}
