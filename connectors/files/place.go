package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"xinshu/internal/fault"
)

// place is where files lie. Paths are below its root, with slashes.
type place interface {
	// list gives the regular files of a folder in any order; a folder that is not there is fs.ErrNotExist.
	list(ctx context.Context, dir string) ([]entry, error)
	stat(ctx context.Context, path string) (entry, error)
	open(ctx context.Context, path string) (io.ReadCloser, error)
	// create makes a file whose Close has brought it to the disk.
	create(ctx context.Context, path string) (io.WriteCloser, error)
	// rename puts a file in the place of what may be there, and makes the folder.
	rename(ctx context.Context, from, to string) error
	// name is how an operator knows a path; it holds no secret.
	name(path string) string
	close() error
}

type entry struct {
	name     string
	size     int64
	modified time.Time
}

func entryOf(info fs.FileInfo) entry {
	return entry{info.Name(), info.Size(), info.ModTime()}
}

// failed gives an error of a place its code; a cancelled context stays what it is.
func failed(ctx context.Context, op string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", op, ctx.Err())
	case fault.CodeOf(err) != fault.Internal:
		return err
	case errors.Is(err, fs.ErrNotExist):
		return &fault.Error{Op: op, Code: fault.NotFound, Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &fault.Error{Op: op, Code: fault.Unauthorized, Hint: "the account may not do this there", Err: err}
	default:
		return &fault.Error{Op: op, Code: fault.Unavailable, Err: err}
	}
}

// folder is a folder of this machine. os.Root keeps every path inside it, symbolic links included.
type folder struct{ root *os.Root }

func openFolder(dir string) (place, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &fault.Error{Op: "open folder", Code: fault.NotFound, Hint: "the root folder must exist", Err: err}
	}
	return &folder{root}, nil
}

func (f *folder) list(_ context.Context, dir string) ([]entry, error) {
	d, err := f.root.Open(filepath.FromSlash(dir))
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	infos, err := d.Readdir(-1)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, info := range infos {
		if info.Mode()&fs.ModeSymlink != 0 {
			name := info.Name()
			if info, err = f.root.Stat(filepath.Join(filepath.FromSlash(dir), name)); err != nil {
				continue // it leads nowhere, or out of the root
			}
			if info.Mode().IsRegular() {
				entries = append(entries, entry{name, info.Size(), info.ModTime()})
			}
			continue
		}
		if info.Mode().IsRegular() {
			entries = append(entries, entryOf(info))
		}
	}
	return entries, nil
}

func (f *folder) stat(_ context.Context, path string) (entry, error) {
	info, err := f.root.Stat(filepath.FromSlash(path))
	if err != nil {
		return entry{}, err
	}
	return entryOf(info), nil
}

func (f *folder) open(_ context.Context, path string) (io.ReadCloser, error) {
	return f.root.Open(filepath.FromSlash(path))
}

func (f *folder) create(_ context.Context, path string) (io.WriteCloser, error) {
	path = filepath.FromSlash(path)
	if err := f.root.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	file, err := f.root.Create(path)
	if err != nil {
		return nil, err
	}
	return synced{file}, nil
}

func (f *folder) rename(_ context.Context, from, to string) error {
	from, to = filepath.FromSlash(from), filepath.FromSlash(to)
	if err := f.root.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	if err := f.root.Rename(from, to); err != nil {
		return err
	}
	dir, err := f.root.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (f *folder) name(path string) string {
	return filepath.Join(f.root.Name(), filepath.FromSlash(path))
}

func (f *folder) close() error { return f.root.Close() }

// synced is a file that is on the disk when it is closed.
type synced struct{ *os.File }

func (s synced) Close() error { return errors.Join(s.Sync(), s.File.Close()) }
