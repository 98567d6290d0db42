package backup

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/internal/state"
)

// Restorer brings a backup back into an empty place.
type Restorer struct {
	Lake    *lake.Lake
	Address string // of run state
	Above   int64  // the newest epoch that anybody is known to have seen; 0: none is known of
}

// Restored says what a restore did.
type Restored struct {
	Set     Set    `json:"set"`
	Epoch   int64  `json:"epoch"`             // that versions are counted in from now on
	Resumed bool   `json:"resumed,omitempty"` // a restore that was killed was gone on with
	Note    string `json:"note,omitempty"`
}

// Restore brings one backup back. Every checksum is compared on the way. A mark stands in the store
// from before the first byte until the last, and no hub starts on a store with it; called again with
// the same backup, a restore that was killed goes on. Before anything else a new epoch begins, so that
// versions of grades only grow whatever the lost hub gave out after the backup was made.
func (r *Restorer) Restore(ctx context.Context, dir string, s Set) (Restored, error) {
	out := Restored{Set: s}
	if err := checkState(ctx, dir, s); err != nil {
		return out, err
	}
	marked, err := r.Lake.Restoring(ctx)
	if err != nil {
		return out, err
	}
	empty, err := state.Empty(ctx, r.Address)
	if err != nil {
		return out, err
	}
	out.Resumed = marked == s.ID
	if !empty && !out.Resumed {
		return out, &fault.Error{Op: "restore", Code: fault.Conflict, Err: errors.New("the state database is there already"),
			Hint: "a restore writes into an empty place only; give another place, or move the old one away"}
	}
	if err := r.Lake.BeginRestore(ctx, s.ID, s.Lake == nil); err != nil {
		return out, err
	}
	if out.Epoch, err = r.epoch(ctx, dir, s); err != nil {
		return out, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "restores"), 0o700); err == nil {
		err = os.WriteFile(restorePath(dir, out.Epoch), nil, 0o600)
		if err != nil {
			out.Note = fmt.Sprintf("the epoch could not be noted in the backup's folder; a later restore from it needs --above %d", out.Epoch)
		}
	}
	if s.Lake != nil {
		for _, logs := range []bool{false, true} { // what a log entry lists is there before the entry
			if err := r.objects(ctx, dir, s, logs); err != nil {
				return out, err
			}
		}
	}
	if empty { // else this restore brought it back before it was killed: it comes whole or not at all
		if err := state.Restore(ctx, r.Address, s.State.Version, tables(dir, s)); err != nil {
			return out, err
		}
	}
	fault.At(fault.BeforeWhole)
	return out, r.Lake.EndRestore(ctx)
}

// epoch begins one above every epoch that is known of.
func (r *Restorer) epoch(ctx context.Context, dir string, s Set) (int64, error) {
	seen := max(r.Above, s.State.SeenEpoch)
	if s.Lake != nil {
		seen = max(seen, s.Lake.Epoch)
	}
	names, err := os.ReadDir(filepath.Join(dir, "restores"))
	if ignoreAbsent(err) != nil {
		return 0, failed("read what was restored before", err)
	}
	for _, name := range names {
		if n, err := strconv.ParseInt(name.Name(), 10, 64); err == nil {
			seen = max(seen, n)
		}
	}
	return r.Lake.NewEpoch(ctx, seen, "restore of backup "+s.ID)
}

// objects brings back the log, or everything but the log.
func (r *Restorer) objects(ctx context.Context, dir string, s Set, logs bool) error {
	return eachObject(ctx, dir, s, func(k lake.Kept) error {
		if strings.HasPrefix(k.Key, "log/") != logs {
			return nil
		}
		temp, err := os.CreateTemp(r.Lake.TempDir(), "restore-")
		if err != nil {
			return failed("restore "+k.Key, err)
		}
		defer func() { _ = os.Remove(temp.Name()) }() // a folder store has linked it
		if err := checkedCopy(ctx, temp, objectPath(dir, k.Key), File{Size: k.Size, SHA256: k.SHA256}); err != nil {
			return errors.Join(err, temp.Close())
		}
		if err := temp.Close(); err != nil {
			return failed("restore "+k.Key, err)
		}
		if err := r.Lake.BringBack(ctx, k, temp.Name()); err != nil {
			return err
		}
		fault.At(fault.MidRestore)
		return nil
	})
}

// checkedCopy copies a file of the backup and fails unless its bytes are those that were written.
func checkedCopy(ctx context.Context, to io.Writer, path string, want File) error {
	f, err := os.Open(path)
	if err != nil {
		return damaged(path, "%w", err)
	}
	defer func() { _ = f.Close() }() // read only
	c := newCounter(to)
	if _, err := io.Copy(c, reader{ctx, f}); err != nil {
		return failed("copy "+path, err)
	}
	if got := c.file(); got != want {
		return damaged(path, "it has %d bytes with the hash %s, the backup says %d and %s", got.Size, got.SHA256, want.Size, want.SHA256)
	}
	return nil
}

// checkState reads the files of a set to their end before any of it is believed.
func checkState(ctx context.Context, dir string, s Set) error {
	for _, t := range s.State.Tables {
		if err := checkedCopy(ctx, io.Discard, tablePath(dir, s.ID, t.Name), t.File); err != nil {
			return err
		}
	}
	if s.Lake == nil {
		return nil
	}
	return checkedCopy(ctx, io.Discard, listPath(dir, s.ID), s.Lake.List)
}

// Check reads every byte of a backup without bringing anything back.
func Check(ctx context.Context, dir string, s Set) error {
	if err := checkState(ctx, dir, s); err != nil || s.Lake == nil {
		return err
	}
	return eachObject(ctx, dir, s, func(k lake.Kept) error {
		return checkedCopy(ctx, io.Discard, objectPath(dir, k.Key), File{Size: k.Size, SHA256: k.SHA256})
	})
}

func eachObject(ctx context.Context, dir string, s Set, do func(lake.Kept) error) error {
	if s.Lake == nil {
		return nil
	}
	for line, err := range lines(listPath(dir, s.ID)) {
		var k lake.Kept
		if err == nil {
			err = json.Unmarshal(line, &k)
		}
		if err != nil {
			return damaged(listPath(dir, s.ID), "%w", err)
		}
		if err := errors.Join(ctx.Err(), do(k)); err != nil {
			return err
		}
	}
	return nil
}

// tables yields the tables of a set in the order in which they can be loaded.
func tables(dir string, s Set) iter.Seq2[state.Dumped, error] {
	return func(yield func(state.Dumped, error) bool) {
		for _, t := range s.State.Tables {
			rows := func(yield func([]any, error) bool) {
				for line, err := range lines(tablePath(dir, s.ID, t.Name)) {
					var row []any
					if err == nil {
						row, err = decodeRow(line)
					}
					if !yield(row, err) || err != nil {
						return
					}
				}
			}
			if !yield(state.Dumped{Table: state.Table{Name: t.Name, Columns: t.Columns}, Rows: rows}, nil) {
				return
			}
		}
	}
}

// longest bounds a line: a row of run state, with a body of a change or a report in it.
const longest = 64 << 20

func lines(path string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = f.Close() }() // read only
		z, err := gzip.NewReader(f)
		if err != nil {
			yield(nil, err)
			return
		}
		scan := bufio.NewScanner(z)
		scan.Buffer(make([]byte, 64<<10), longest)
		for scan.Scan() {
			if !yield(scan.Bytes(), nil) {
				return
			}
		}
		if err := scan.Err(); err != nil {
			yield(nil, err)
		}
	}
}
