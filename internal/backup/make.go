package backup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/internal/state"
)

// Maker makes backups of one hub.
type Maker struct {
	State    *state.State
	Postgres bool
	Lake     *lake.Lake
	NoLake   bool // run state only: the store is backed up by itself
	Now      func() time.Time
	Node     string
	Xinshu   string
	Say      func(format string, args ...any)
}

// Make adds a backup to a folder, which is made if absent. Objects that are in the folder already are
// not copied again. It may run beside a hub at work: run state is read at one moment and the lake
// after it, and run state that is older than the log catches up with it. One backup at a time writes
// to a folder. A backup that is killed leaves no document, and the next one takes its remains away.
func (m *Maker) Make(ctx context.Context, dir string) (Set, error) {
	const op = "make a backup"
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Set{}, failed(op, err)
	}
	f := &folder{dir: dir, touched: map[string]bool{}}
	if err := f.makeDir(dir); err != nil {
		return Set{}, failed(op, err)
	}
	free, err := lock(dir)
	if err != nil {
		return Set{}, err
	}
	defer free()
	if err := sweep(dir); err != nil {
		return Set{}, failed(op, err)
	}
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails, says its documentation
	now := m.Now().UTC().Truncate(time.Millisecond)
	s := Set{Format: format, ID: now.Format("20060102T150405Z") + "-" + hex.EncodeToString(b[:]), MadeAt: now, Node: m.Node, Xinshu: m.Xinshu}
	if err := m.state(ctx, f, &s); err != nil {
		return s, failed(op, err)
	}
	if !m.NoLake {
		if err := m.lake(ctx, f, &s); err != nil {
			return s, failed(op, err)
		}
	}
	fault.At(fault.BeforeBackup)
	return s, failed(op, finish(f, s))
}

// finish writes the document when everything it speaks of is durable.
func finish(f *folder, s Set) error {
	if err := f.sync(); err != nil {
		return err
	}
	document, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	document = append(document, '\n')
	_, err = f.write(filepath.Join(setDir(f.dir, s.ID), documentName(document)), func(w io.Writer) error {
		_, err := w.Write(document)
		return err
	})
	return errors.Join(err, f.sync())
}

func (m *Maker) state(ctx context.Context, f *folder, s *Set) (err error) {
	s.State.From = "sqlite"
	if m.Postgres {
		s.State.From = "postgres"
	}
	if s.State.SeenEpoch, err = m.State.SeenEpoch(ctx); err != nil {
		return err
	}
	s.State.Version, err = m.State.Dump(ctx, func(t state.Table, rows iter.Seq2[[]any, error]) error {
		made := Table{Name: t.Name, Columns: t.Columns}
		var err error
		made.File, err = f.zipped(tablePath(f.dir, s.ID, t.Name), func(w io.Writer) error {
			for row, err := range rows {
				if err != nil {
					return err
				}
				line, err := encodeRow(row)
				if err == nil {
					_, err = w.Write(line)
				}
				if err != nil {
					return err
				}
				made.Rows++
			}
			return ctx.Err()
		})
		s.State.Tables = append(s.State.Tables, made)
		s.State.Rows += made.Rows
		fault.At(fault.MidBackup)
		return err
	})
	return err
}

// lakeTries is how often the walk is made again when garbage collection took something away under it.
const lakeTries = 3

func (m *Maker) lake(ctx context.Context, f *folder, s *Set) (err error) {
	for range lakeTries {
		s.Lake = &Lake{}
		if s.Lake.Epoch, err = m.Lake.Epoch(ctx); err != nil {
			return err
		}
		s.Lake.List, err = f.zipped(listPath(f.dir, s.ID), func(w io.Writer) error {
			lines := json.NewEncoder(w)
			return m.Lake.Keep(ctx, func(k lake.Kept) error {
				if err := m.object(ctx, f, &k, s.Lake); err != nil {
					return err
				}
				s.Lake.Objects++
				s.Lake.Bytes += k.Size
				return lines.Encode(k)
			})
		})
		if !fault.Is(err, fault.NotFound) {
			break
		}
	}
	return err
}

// object copies one object into the folder unless it is there, and fills in its size and hash.
func (m *Maker) object(ctx context.Context, f *folder, k *lake.Kept, sum *Lake) error {
	path := objectPath(f.dir, k.Key)
	if info, err := os.Stat(path); err == nil && (k.Size < 0 || k.Size == info.Size()) && k.SHA256 != "" {
		k.Size = info.Size() // it was named when it was whole, and no object ever changes
		return nil
	}
	made, err := f.write(path, func(w io.Writer) error {
		r, err := m.Lake.Open(ctx, k.Key)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, reader{ctx, r})
		return errors.Join(err, r.Close())
	})
	if err != nil {
		return err
	}
	if k.SHA256 != "" && k.SHA256 != made.SHA256 || k.Size >= 0 && k.Size != made.Size {
		return errors.Join(&fault.Error{Op: "copy " + k.Key, Code: fault.Invalid,
			Err:  fmt.Errorf("it has %d bytes with the hash %s; the log says %d and %s", made.Size, made.SHA256, k.Size, k.SHA256),
			Hint: "the store is damaged: see xinshu verify --read-data, and keep the older backups"}, os.Remove(path))
	}
	k.Size, k.SHA256 = made.Size, made.SHA256
	sum.Copied++
	sum.CopiedBytes += made.Size
	fault.At(fault.MidBackup)
	return nil
}

// lock lets one backup at a time write to a folder; the kernel lets go of it when the process ends.
func lock(dir string) (free func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, failed("lock the backup's folder", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		return nil, &fault.Error{Op: "lock the backup's folder", Code: fault.Conflict, Err: err, Hint: "another backup is being written there; wait for it"}
	}
	return func() { _ = f.Close() }, nil
}

// sweep takes away what backups that were killed left: sets without a document, and half files.
func sweep(dir string) error {
	names, err := os.ReadDir(filepath.Join(dir, "sets"))
	if ignoreAbsent(err) != nil {
		return err
	}
	for _, name := range names {
		if whole, _ := filepath.Glob(filepath.Join(setDir(dir, name.Name()), "backup-*.json")); len(whole) == 0 {
			if err := os.RemoveAll(setDir(dir, name.Name())); err != nil {
				return err
			}
		}
	}
	return filepath.WalkDir(filepath.Join(dir, "objects"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || len(d.Name()) < 6 || d.Name()[:6] != ".part-" {
			return ignoreAbsent(err)
		}
		return os.Remove(path) //nolint:gosec // the folder is the office's own
	})
}
