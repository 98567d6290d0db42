package backup

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// folder writes files into a backup's folder and makes them durable.
type folder struct {
	dir     string
	touched map[string]bool // folders whose entries are to be made durable
}

// write makes a file whole or not at all, and says how long it is and what its hash is.
func (f *folder) write(path string, fill func(io.Writer) error) (File, error) {
	if err := f.makeDir(filepath.Dir(path)); err != nil {
		return File{}, err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".part-")
	if err != nil {
		return File{}, err
	}
	counted := newCounter(temp)
	err = fill(counted)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return File{}, errors.Join(err, ignoreAbsent(os.Remove(temp.Name())))
	}
	return counted.file(), nil
}

// makeDir makes a folder that only the hub's user may look into.
func (f *folder) makeDir(dir string) error {
	if f.touched[dir] {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for d := dir; len(d) >= len(f.dir); d = filepath.Dir(d) {
		f.touched[d] = true
		if d == f.dir {
			break
		}
	}
	return nil
}

// sync makes every name that was given durable.
func (f *folder) sync() error {
	for dir := range f.touched {
		d, err := os.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return err
		}
	}
	return nil
}

// zipped is write through gzip.
func (f *folder) zipped(path string, fill func(io.Writer) error) (File, error) {
	return f.write(path, func(w io.Writer) error {
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return err
		}
		return errors.Join(fill(z), z.Close())
	})
}

// counter passes bytes on, counts and hashes them.
type counter struct {
	to   io.Writer
	hash hash.Hash
	size int64
}

func newCounter(to io.Writer) *counter { return &counter{to: to, hash: sha256.New()} }

func (c *counter) file() File {
	return File{Size: c.size, SHA256: hex.EncodeToString(c.hash.Sum(nil))}
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	_, _ = c.hash.Write(p[:n]) // a hash never fails
	c.size += int64(n)
	return n, err
}

// reader ends when its context does: a great object is not worth waiting for.
type reader struct {
	ctx context.Context //nolint:containedctx // it lives for one copy
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

func ignoreAbsent(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
