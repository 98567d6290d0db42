package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Unsettled says how far settling has read a stage chain: entries after that number are not deleted.
type Unsettled func(ctx context.Context, stageChain string) (settled int64, err error)

// Collected counts what garbage collection deleted.
type Collected struct {
	Entries, Manifests, Objects int
	Bytes                       int64
}

// root stands for the entries of a chain that garbage collection deleted.
type root struct {
	Format int    `json:"format"`
	Chain  string `json:"chain"`
	N      int64  `json:"n"` // the oldest entry kept
	Parent string `json:"parent_sha256"`
}

// Collect deletes log entries beyond the newest 14 of each chain when they are older than 7 days and
// settled, then the objects and manifests that no remaining entry lists and that are older than 7
// days. Seals stay for ever. It may run beside writers and readers, and be killed: a reader of the
// newest 14 entries misses nothing, and a second run finishes the work.
func (l *Lake) Collect(ctx context.Context, settled Unsettled) (Collected, error) {
	const op = "collect garbage"
	var done Collected
	before := l.now().Add(-keepObjects)
	names, err := l.Chains(ctx)
	if err != nil {
		return done, err
	}
	live := map[string]bool{}
	for _, name := range names {
		n, err := l.collectEntries(ctx, name, before, settled)
		done.Entries += n
		if err != nil {
			return done, failed(op+" of "+name, err)
		}
		if err := l.mark(ctx, name, live); err != nil {
			return done, failed(op+" of "+name, err)
		}
	}
	for _, prefix := range []string{"data/", "manifest/"} {
		for info, err := range l.store.List(ctx, prefix, "") {
			if err != nil {
				return done, failed(op, err)
			}
			if live[info.Key] || !info.Modified.Before(before) {
				continue
			}
			if err := l.store.Delete(ctx, info.Key); err != nil {
				return done, failed(op, err)
			}
			if prefix == "data/" {
				done.Objects++
				done.Bytes += info.Size
			} else {
				done.Manifests++
			}
		}
	}
	return done, failed(op, errors.Join(l.store.Sweep(ctx, before), sweep(l.temp, before)))
}

// sweep removes what killed steps left in the folder for local work: old files, and the folders that
// are empty then.
func sweep(dir string, before time.Time) error {
	var folders []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = d.Info()
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // its step took it away
		case err != nil || !info.ModTime().Before(before) || path == dir:
			return err
		case d.IsDir():
			folders = append(folders, path)
			return nil
		}
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) { //nolint:gosec // the hub alone writes in its temporary folder
			return err
		}
		return nil
	})
	for _, path := range slices.Backward(folders) {
		_ = os.Remove(path) // one that is not empty stays
	}
	return err
}

// mark adds what the chain's remaining entries list.
func (l *Lake) mark(ctx context.Context, name string, live map[string]bool) error {
	for e, err := range l.Entries(ctx, name, 0) {
		if err != nil {
			return err
		}
		for _, sha := range e.Manifests {
			live[manifestKey(sha)] = true
		}
		for _, f := range e.Files {
			live[f.Key] = true
		}
	}
	return nil
}

// logged is a log entry as a listing shows it.
type logged struct {
	n int64
	Info
}

// collectEntries deletes a chain's old entries, oldest first, after the parent hash of the oldest
// one kept was written down.
func (l *Lake) collectEntries(ctx context.Context, name string, before time.Time, settled Unsettled) (int, error) {
	var entries []logged
	for info, err := range l.store.List(ctx, logPrefix(name), "") {
		if err != nil {
			return 0, err
		}
		if n, ok := entryNumber(name, info.Key); ok {
			entries = append(entries, logged{n, info})
		}
	}
	wanted := func(int64) bool { return false }
	if strings.HasPrefix(name, chain.Stage("")) {
		read := int64(0)
		if settled != nil {
			var err error
			if read, err = settled(ctx, name); err != nil {
				return 0, err
			}
		}
		wanted = func(n int64) bool { return n > read }
	}
	old := 0
	for old < len(entries)-keepEntries && entries[old].Modified.Before(before) && !wanted(entries[old].n) {
		old++
	}
	if old == 0 {
		return 0, nil
	}
	oldest, err := l.entry(ctx, name, entries[old].n)
	if err != nil {
		return 0, err
	}
	body, err := canonical(root{Format: entryFormat, Chain: name, N: oldest.N, Parent: oldest.ParentSHA256})
	if err != nil {
		return 0, err
	}
	if err := l.putNamed(ctx, rootKey(name, oldest.N), body); err != nil {
		return 0, err
	}
	for i, e := range entries[:old] {
		if err := l.store.Delete(ctx, e.Key); err != nil {
			return i, err
		}
	}
	return old, l.dropRoots(ctx, name, oldest.N)
}

// dropRoots deletes the roots that a newer one replaces.
func (l *Lake) dropRoots(ctx context.Context, name string, newest int64) error {
	roots, err := l.roots(ctx, name)
	if err != nil {
		return err
	}
	for n := range roots {
		if n < newest {
			if err := l.store.Delete(ctx, rootKey(name, n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// roots gives the parent hashes that stand in place of deleted entries, by the number of the entry
// they are the parent of.
func (l *Lake) roots(ctx context.Context, name string) (map[int64]string, error) {
	roots := map[int64]string{}
	prefix := logPrefix(name) + "ROOT-"
	for info, err := range l.store.List(ctx, prefix, "") {
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(info.Key, prefix), ".json"), 10, 64)
		if err != nil {
			return nil, fault.Newf(fault.Invalid, "read "+info.Key, "its name is no root's")
		}
		body, err := readAll(ctx, l.store, info.Key)
		if err != nil {
			return nil, err
		}
		var r root
		if err := json.Unmarshal(body, &r); err != nil || r.N != n || r.Chain != name {
			return nil, fault.Newf(fault.Invalid, "read "+info.Key, "it is no root of %s", fmt.Sprint(name, " at ", n))
		}
		roots[n] = r.Parent
	}
	return roots, nil
}
