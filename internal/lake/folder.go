package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"xinshu/internal/fault"
)

const (
	scratch    = ".tmp"  // folder for local work, on the store's disk
	unfinished = ".put-" // begins the name of a file that is not yet an object
)

// Folder is a store in a local folder: the key is the path. Names that begin with a dot are no objects.
type Folder struct{ root string }

// OpenFolder opens the store in a folder, which is made if absent.
func OpenFolder(root string) (*Folder, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, failed("open folder store", err)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, failed("open folder store", err)
	}
	return &Folder{root: root}, nil
}

func (s *Folder) String() string { return "folder " + s.root }

// Path gives the object's own file.
func (s *Folder) Path(key string) (string, bool) {
	return filepath.Join(s.root, filepath.FromSlash(key)), true
}

// Put writes a temporary file in the object's folder and links it to its final name.
func (s *Folder) Put(ctx context.Context, key string, body []byte) error {
	return s.create(ctx, key, func(final string) error {
		return s.copyIn(final, bytes.NewReader(body), int64(len(body)), func() {})
	})
}

// PutFile links the local file to its final name where both lie on one disk, and copies it elsewhere.
func (s *Folder) PutFile(ctx context.Context, key, path string) error {
	return s.create(ctx, key, func(final string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // read only, and synced below
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		err = s.linkIn(final, path, func() { fault.At(fault.MidObject) })
		if !errors.Is(err, syscall.EXDEV) {
			return err
		}
		return s.copyIn(final, f, info.Size(), func() { fault.At(fault.MidObject) })
	})
}

// create runs write with the final path once its folder exists. Delete takes empty folders away, so
// a folder may vanish between the two: then both are done again.
func (s *Folder) create(ctx context.Context, key string, write func(final string) error) error {
	if err := errors.Join(checkKey(key), ctx.Err()); err != nil {
		return err
	}
	final, _ := s.Path(key)
	for attempt := 0; ; attempt++ {
		err := s.makeDir(filepath.Dir(final))
		if err == nil {
			err = write(final)
		}
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", key, ErrExists)
		}
		_, gone := os.Stat(filepath.Dir(final))
		if err == nil || gone == nil || attempt == 5 {
			return err
		}
	}
}

// copyIn writes a temporary file beside final, makes it durable and links it. half is called when
// half the bytes are written.
func (s *Folder) copyIn(final string, from io.Reader, size int64, half func()) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(final), unfinished)
	if err != nil {
		return err
	}
	defer func() {
		if gone := os.Remove(temp.Name()); gone != nil && err == nil && !errors.Is(gone, fs.ErrNotExist) {
			err = gone
		}
	}()
	_, err = io.CopyN(temp, from, size/2)
	half()
	if err == nil {
		_, err = io.Copy(temp, from)
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return s.linkIn(final, temp.Name(), func() {})
}

// linkIn gives a durable file its final name. link(2) fails when the name is taken, which is the
// folder's If-None-Match; rename would overwrite.
func (s *Folder) linkIn(final, path string, before func()) error {
	before()
	if err := os.Chmod(path, 0o444); err != nil { //nolint:gosec // nobody writes an object again; auditors read it
		return err
	}
	if err := os.Link(path, final); err != nil {
		return err
	}
	return syncDir(filepath.Dir(final))
}

// makeDir makes a folder and makes its own entry durable, parents first.
func (s *Folder) makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := s.makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		if info, gone := os.Stat(dir); gone == nil && info.IsDir() {
			return nil // another writer made it
		}
		return fmt.Errorf("make folder: %w", errors.Unwrap(err))
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get opens the object's file.
func (s *Folder) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := errors.Join(checkKey(key), ctx.Err()); err != nil {
		return nil, err
	}
	path, _ := s.Path(key)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", key, ErrAbsent)
	}
	return f, err
}

// Stat reads the object's folder entry.
func (s *Folder) Stat(ctx context.Context, key string) (Info, error) {
	if err := errors.Join(checkKey(key), ctx.Err()); err != nil {
		return Info{}, err
	}
	path, _ := s.Path(key)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		return Info{}, fmt.Errorf("%s: %w", key, ErrAbsent)
	}
	if err != nil {
		return Info{}, err
	}
	return Info{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil
}

// List walks the deepest folder that holds every key with the prefix, and sorts what it finds: a
// folder's own order puts a-b before a/b, keys do not.
func (s *Folder) List(ctx context.Context, prefix, after string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		var found []Info
		err := s.walk(ctx, prefix[:strings.LastIndex(prefix, "/")+1], func(path, key string, d fs.DirEntry) error {
			if strings.HasPrefix(d.Name(), ".") || !strings.HasPrefix(key, prefix) || key <= after {
				return nil
			}
			info, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil // deleted while we walk
			}
			found = append(found, Info{Key: key})
			if err == nil {
				found[len(found)-1].Size, found[len(found)-1].Modified = info.Size(), info.ModTime()
			}
			return err
		})
		if err != nil {
			yield(Info{}, err)
			return
		}
		slices.SortFunc(found, func(a, b Info) int { return strings.Compare(a.Key, b.Key) })
		for _, info := range found {
			if !yield(info, ctx.Err()) || ctx.Err() != nil {
				return
			}
		}
	}
}

// walk visits every file below the folder of keys, work in progress included.
func (s *Folder) walk(ctx context.Context, folder string, visit func(path, key string, d fs.DirEntry) error) error {
	start := filepath.Join(s.root, filepath.FromSlash(folder))
	return filepath.WalkDir(start, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir():
			return nil
		}
		rel, err := filepath.Rel(s.root, path)
		if err != nil {
			return err
		}
		return visit(path, filepath.ToSlash(rel), d)
	})
}

// Delete removes the object's file, and the folders that it leaves empty.
func (s *Folder) Delete(ctx context.Context, key string) error {
	if err := errors.Join(checkKey(key), ctx.Err()); err != nil {
		return err
	}
	path, _ := s.Path(key)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir := filepath.Dir(path)
	for dir != s.root && os.Remove(dir) == nil { // ends at a folder that is not empty, mostly the first
		dir = filepath.Dir(dir)
	}
	return nil
}

// Sweep removes temporary files of writers that were killed.
func (s *Folder) Sweep(ctx context.Context, before time.Time) error {
	return s.walk(ctx, "", func(path, _ string, d fs.DirEntry) error {
		if !strings.HasPrefix(d.Name(), unfinished) {
			return nil
		}
		info, err := d.Info()
		if err == nil && info.ModTime().Before(before) {
			err = os.Remove(path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}
