package main

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// layered lays one folder over another: a file of the upper one hides the file of the same path below.
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
