package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"xinshu/internal/fault"
)

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
				entries = append(entries, entry{name: name, size: info.Size(), modified: info.ModTime()})
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

func (f *folder) open(_ context.Context, path string, from int64) (io.ReadCloser, error) {
	file, err := f.root.Open(filepath.FromSlash(path))
	if err != nil || from == 0 {
		return file, err
	}
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
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
