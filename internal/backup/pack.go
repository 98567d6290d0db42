package backup

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// IsFile says whether a place means one file that holds a whole backup instead of a folder.
func IsFile(place string) bool { return strings.HasSuffix(place, ".tar") }

// MakeFile makes a backup in one file, which holds everything and shares nothing. What is being written
// has another name until it is whole. It needs twice the room for a while.
func (m *Maker) MakeFile(ctx context.Context, path string) (s Set, err error) {
	const op = "make a backup"
	if _, err := os.Stat(path); err == nil {
		return s, failed(op, &fs.PathError{Op: "make", Path: path, Err: fs.ErrExist})
	}
	parts := path + ".parts"
	defer func() { err = errors.Join(err, os.RemoveAll(parts)) }()
	if err := os.RemoveAll(parts); err != nil { // of a backup that was killed
		return s, failed(op, err)
	}
	if s, err = m.Make(ctx, parts); err != nil {
		return s, err
	}
	f := &folder{dir: filepath.Dir(path), touched: map[string]bool{}}
	_, err = f.write(path, func(w io.Writer) error { return pack(ctx, w, parts) })
	return s, failed(op, errors.Join(err, f.sync()))
}

func pack(ctx context.Context, w io.Writer, dir string) error {
	out := tar.NewWriter(w)
	err := out.AddFS(dirFS{os.DirFS(dir), ctx})
	return errors.Join(err, out.Close())
}

// dirFS is a folder whose reading ends with a context.
type dirFS struct {
	fs.FS
	ctx context.Context //nolint:containedctx // it lives for one packing
}

func (d dirFS) Open(name string) (fs.File, error) {
	if err := d.ctx.Err(); err != nil {
		return nil, err
	}
	return d.FS.Open(name)
}

// Unpack lays the backup of one file into a folder.
func Unpack(ctx context.Context, path, dir string) error {
	const op = "unpack the backup"
	file, err := os.Open(path)
	if err != nil {
		return failed(op, err)
	}
	defer func() { _ = file.Close() }() // read only
	root, err := os.OpenRoot(dir)
	if err != nil {
		return failed(op, err)
	}
	defer func() { _ = root.Close() }() // a folder
	in := tar.NewReader(reader{ctx, file})
	for {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return damaged(path, "%w", err)
		}
		name := filepath.FromSlash(strings.TrimSuffix(head.Name, "/"))
		switch head.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o700)
		case tar.TypeReg:
			err = unpackOne(root, name, in)
		}
		if err != nil {
			return failed(op, err)
		}
	}
}

func unpackOne(root *os.Root, name string, from io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}
