package restapi

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// inMemory is the longest answer that is held in memory. A longer one goes to a file that has no name,
// so that a killed process leaves nothing behind.
const inMemory = 8 << 20

// A packed answer that opens to more than bombFactor times what came is a bomb, once it is larger
// than bombSize. Real rows pack 10 to 50 times; gzip ends at about 1,000.
const (
	bombFactor = 250
	bombSize   = 64 << 20
)

var (
	errTooLarge = errors.New("the answer is larger than body_limit_mb")
	errBomb     = errors.New("the packed answer opens to hundreds of times its size: a gzip bomb")
	errPacked   = errors.New("the answer is packed in a way that was not asked for")
	errGzip     = errors.New("the packed answer is damaged")
)

// spoolError is a disk that does not take the answer.
type spoolError struct{ err error }

func (e *spoolError) Error() string { return "write the answer to a temporary file: " + e.err.Error() }
func (e *spoolError) Unwrap() error { return e.err }

// content is the body of one answer, whole and within the bounds.
type content struct {
	mem  []byte
	file *os.File // in place of mem
	size int64
	link string            // the Link header
	kept map[string]string // of a content in a file: the members asked for, as JSON
}

func (c *content) reader() io.Reader {
	if c.file == nil {
		return bytes.NewReader(c.mem)
	}
	return io.NewSectionReader(c.file, 0, c.size)
}

func (c *content) close() {
	if c != nil && c.file != nil {
		_ = c.file.Close() // it has no name: with the last handle it is gone
	}
}

// receive reads an answer to its end. count is told of every byte that comes over the line.
func receive(res *http.Response, b bounds, count func(int)) (*content, error) {
	line := &counted{in: res.Body, count: count}
	var body io.Reader = line
	switch res.Header.Get("Content-Encoding") {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(line)
		if err != nil {
			return nil, gzipError(err)
		}
		body = &unpacked{z: z, line: line}
	default:
		return nil, errPacked
	}
	limited := &io.LimitedReader{R: body, N: b.body + 1}
	var head bytes.Buffer
	if n := min(max(res.ContentLength, 0), inMemory); n > 0 {
		head.Grow(int(n) + bytes.MinRead)
	}
	if _, err := io.CopyN(&head, limited, inMemory); errors.Is(err, io.EOF) {
		if limited.N <= 0 {
			return nil, errTooLarge
		}
		return &content{mem: head.Bytes(), size: int64(head.Len())}, nil
	} else if err != nil {
		return nil, err
	}
	if limited.N <= 0 {
		return nil, errTooLarge
	}
	return spool(head.Bytes(), limited, b.tempDir)
}

// spool writes what came and what follows to a file without a name.
func spool(head []byte, rest *io.LimitedReader, dir string) (*content, error) {
	f, err := os.CreateTemp(dir, "xinshu-answer-*")
	if err != nil {
		return nil, &spoolError{err}
	}
	c := &content{file: f, size: int64(len(head))}
	if err := os.Remove(f.Name()); err != nil {
		c.close()
		return nil, &spoolError{err}
	}
	if _, err := f.Write(head); err != nil {
		c.close()
		return nil, &spoolError{err}
	}
	n, err := io.CopyBuffer(spooling{f}, struct{ io.Reader }{rest}, make([]byte, 256<<10))
	c.size += n
	if err == nil && rest.N <= 0 {
		err = errTooLarge
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// spooling tells a disk's error from the line's.
type spooling struct{ f *os.File }

func (s spooling) Write(p []byte) (int, error) {
	n, err := s.f.Write(p)
	if err != nil {
		err = &spoolError{err}
	}
	return n, err
}

type counted struct {
	in    io.Reader
	count func(int)
	n     int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	c.count(n)
	return n, err
}

// unpacked opens gzip and watches how much comes out of how little.
type unpacked struct {
	z    *gzip.Reader
	line *counted
	n    int64
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.z.Read(p)
	u.n += int64(n)
	if u.n > bombSize && u.n > bombFactor*u.line.n {
		return n, errBomb
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = gzipError(err)
	}
	return n, err
}

// gzipError names damage; an error of the line stays what it is.
func gzipError(err error) error {
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || err.Error() == "flate: corrupt input" {
		return fmt.Errorf("%w: %w", errGzip, err)
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
