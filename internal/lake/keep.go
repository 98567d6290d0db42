package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Kept is one object that a backup of the lake holds.
type Kept struct {
	Key    string `json:"key"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Keep walks everything that a copy of the lake needs, each object once: log entries first, then
// seals and epochs, then the objects that those entries list. What nobody lists is left out. The
// hash is empty where only reading the object tells it; the size is -1 then for log entries.
//
// It may run beside writers: chains are walked in the order published, scored, settled, stage, so
// that what an entry was made from is read after it. When garbage collection takes an object away
// meanwhile, take meets not_found and the walk has to be made again.
func (l *Lake) Keep(ctx context.Context, take func(Kept) error) error {
	const op = "walk the lake"
	names, err := l.Chains(ctx)
	if err != nil {
		return err
	}
	listed := map[string]chain.File{}
	var manifests []string
	for _, name := range names { // sorted, which is downstream first
		for e, err := range l.Entries(ctx, name, 0) {
			if err != nil {
				return err
			}
			if err := take(Kept{Key: logKey(name, e.N), Size: -1, SHA256: e.SHA256}); err != nil {
				return err
			}
			for _, f := range e.Files {
				listed[f.Key] = f
			}
			manifests = append(manifests, e.Manifests...)
		}
	}
	slices.Sort(manifests)
	for _, sha := range slices.Compact(manifests) {
		if err := take(Kept{Key: manifestKey(sha), Size: -1, SHA256: sha}); err != nil {
			return err
		}
	}
	for _, prefix := range []string{"log/", "seal/", epochPrefix} {
		for info, err := range l.store.List(ctx, prefix, "") {
			if err != nil {
				return failed(op, err)
			}
			if prefix == "log/" && !strings.Contains(info.Key, "/ROOT-") {
				continue // an entry, taken above or written meanwhile
			}
			if err := take(Kept{Key: info.Key, Size: info.Size}); err != nil {
				return err
			}
		}
	}
	for info, err := range l.store.List(ctx, "data/", "") {
		if err != nil {
			return failed(op, err)
		}
		f, ok := listed[info.Key]
		if !ok {
			continue
		}
		delete(listed, info.Key)
		if err := take(Kept{Key: f.Key, Size: f.Size, SHA256: f.SHA256}); err != nil {
			return err
		}
	}
	for key := range listed {
		return fault.Newf(fault.NotFound, op, "%s is listed by the log and is not in the store", key)
	}
	return nil
}

// Open opens an object for reading; the caller closes it.
func (l *Lake) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	r, err := l.store.Get(ctx, key)
	return r, failed("read "+key, err)
}

// unfinishedRestore marks a store into which a backup is being brought back.
const unfinishedRestore = "restore/unfinished.json"

type restoreMark struct {
	Backup    string `json:"backup"`
	WrittenAt string `json:"written_at"`
}

// Restoring gives the backup that a restore into this store did not finish with; "" when there is none.
func (l *Lake) Restoring(ctx context.Context) (backup string, err error) {
	body, err := readAll(ctx, l.store, unfinishedRestore)
	if errors.Is(err, ErrAbsent) {
		return "", nil
	}
	var m restoreMark
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	return m.Backup, failed("look for an unfinished restore", err)
}

// BeginRestore marks the store as one that is being filled from a backup. The store must be empty, or
// hold what a restore of the same backup left behind.
func (l *Lake) BeginRestore(ctx context.Context, backup string, onto bool) error {
	const op = "begin a restore"
	before, err := l.Restoring(ctx)
	if err != nil || before == backup {
		return err
	}
	if before != "" {
		return &fault.Error{Op: op, Code: fault.Conflict, Err: fmt.Errorf("a restore of backup %s was not finished here", before),
			Hint: "finish that one, or empty the store"}
	}
	if !onto {
		for info, err := range l.store.List(ctx, "", "") {
			if err != nil {
				return failed(op, err)
			}
			return &fault.Error{Op: op, Code: fault.Conflict, Err: fmt.Errorf("%s holds %s already", l, info.Key),
				Hint: "a restore writes into an empty place only; give another place, or move the old one away"}
		}
	}
	body, err := canonical(restoreMark{Backup: backup, WrittenAt: l.now().UTC().Format(time.RFC3339)})
	if err == nil {
		err = l.store.Put(ctx, unfinishedRestore, body)
	}
	return failed(op, err)
}

// BringBack puts one object of a backup in its place. The local file holds its bytes and is left alone.
func (l *Lake) BringBack(ctx context.Context, k Kept, path string) error {
	err := l.store.PutFile(ctx, k.Key, path)
	if isNotDone(err) { // by this restore before it was killed, perhaps
		var there io.ReadCloser
		if there, err = l.store.Get(ctx, k.Key); err == nil {
			var sha string
			sha, _, err = hashReader(there)
			if err = errors.Join(err, there.Close()); err == nil && sha != k.SHA256 {
				err = fault.Newf(fault.Conflict, "put back "+k.Key, "another object is there under this name")
			}
		}
	}
	return failed("put back "+k.Key, err)
}

// EndRestore takes the mark away: the store is whole.
func (l *Lake) EndRestore(ctx context.Context) error {
	return failed("end a restore", l.store.Delete(ctx, unfinishedRestore))
}
