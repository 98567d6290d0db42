package backup

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"xinshu/internal/fault"
	"xinshu/internal/lake"
)

// Pruned counts what Prune took away.
type Pruned struct {
	Sets, Objects int
	Bytes         int64
}

// Prune keeps the newest backups of a folder, at least one, and takes away the others with the objects
// that only they listed. A set loses its document first, so that one that is cut off leaves no set that
// passes for whole.
func Prune(ctx context.Context, dir string, keep int) (Pruned, error) {
	const op = "prune backups"
	var done Pruned
	if keep < 1 {
		return done, fault.Newf(fault.Invalid, op, "%d backups cannot be kept; it is 1 or more", keep)
	}
	free, err := lock(dir)
	if err != nil {
		return done, err
	}
	defer free()
	sets, err := List(dir)
	if err != nil || len(sets) <= keep {
		return done, err
	}
	old, kept := sets[:len(sets)-keep], sets[len(sets)-keep:]
	needed := map[string]bool{}
	for _, s := range kept {
		if err := checkState(ctx, dir, s); err != nil {
			return done, err // the newer one is damaged: the older one is worth more than the room
		}
		if err := eachObject(ctx, dir, s, func(k lake.Kept) error { needed[k.Key] = true; return nil }); err != nil {
			return done, err
		}
	}
	for _, s := range old {
		documents, err := filepath.Glob(filepath.Join(setDir(dir, s.ID), "backup-*.json"))
		if err != nil {
			return done, failed(op, err)
		}
		for _, document := range append(documents, setDir(dir, s.ID)) {
			if err := os.RemoveAll(document); err != nil {
				return done, failed(op, err)
			}
		}
		done.Sets++
	}
	root := filepath.Join(dir, "objects")
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return ignoreAbsent(err)
		}
		if needed[filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))] {
			return ctx.Err()
		}
		if info, err := d.Info(); err == nil {
			done.Bytes += info.Size()
		}
		done.Objects++
		return os.Remove(path) //nolint:gosec // the folder is the office's own
	})
	return done, failed(op, err)
}
