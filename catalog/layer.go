package catalog

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Layer lays one folder over another: a file of the upper one hides the file of the same path below.
func Layer(upper, lower fs.FS) fs.FS { return layered{upper, lower} }

type layered struct{ upper, lower fs.FS }

// Open gives the upper file, or the lower one where the upper folder has none.
func (l layered) Open(name string) (fs.File, error) {
	f, err := l.upper.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return l.lower.Open(name)
	}
	return f, err
}

// ReadDir gives the entries of both folders, each name once, in order.
func (l layered) ReadDir(name string) ([]fs.DirEntry, error) {
	upper, errUpper := fs.ReadDir(l.upper, name)
	lower, errLower := fs.ReadDir(l.lower, name)
	if errUpper != nil && errLower != nil {
		return nil, errLower
	}
	seen := map[string]bool{}
	var entries []fs.DirEntry
	for _, e := range append(upper, lower...) {
		if !seen[e.Name()] {
			seen[e.Name()] = true
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// Texts are files of a catalogue that lie nowhere: the text by its path.
type Texts map[string][]byte

// Open gives one of the files, or a folder that some lie in.
func (t Texts) Open(name string) (fs.File, error) {
	if text, ok := t[name]; ok {
		return &openText{textInfo{path.Base(name), int64(len(text)), false}, bytes.NewReader(text)}, nil
	}
	if entries, err := t.ReadDir(name); err == nil && len(entries) > 0 {
		return &openText{textInfo{path.Base(name), 0, true}, bytes.NewReader(nil)}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir gives what lies in a folder.
func (t Texts) ReadDir(name string) ([]fs.DirEntry, error) {
	prefix := name + "/"
	if name == "." {
		prefix = ""
	}
	found := map[string]textInfo{}
	for file, text := range t {
		rest, inside := strings.CutPrefix(file, prefix)
		if !inside {
			continue
		}
		if child, _, deeper := strings.Cut(rest, "/"); deeper {
			found[child] = textInfo{child, 0, true}
		} else {
			found[child] = textInfo{child, int64(len(text)), false}
		}
	}
	if len(found) == 0 {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	entries := make([]fs.DirEntry, 0, len(found))
	for _, info := range found {
		entries = append(entries, fs.FileInfoToDirEntry(info))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// openText is an open file of Texts.
type openText struct {
	info textInfo
	*bytes.Reader
}

func (f *openText) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openText) Close() error               { return nil }

type textInfo struct {
	name   string
	size   int64
	folder bool
}

func (i textInfo) Name() string       { return i.name }
func (i textInfo) Size() int64        { return i.size }
func (i textInfo) IsDir() bool        { return i.folder }
func (i textInfo) ModTime() time.Time { return time.Time{} }
func (i textInfo) Sys() any           { return nil }

func (i textInfo) Mode() fs.FileMode {
	if i.folder {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
