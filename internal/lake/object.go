package lake

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Put makes a local file a data object of a chain and takes the local file away. The object becomes
// visible to readers with the commit that lists it.
func (l *Lake) Put(ctx context.Context, o chain.Object) (chain.File, error) {
	op := fmt.Sprintf("put %s of %s", o.Table, o.Chain)
	sha, size, err := hashFile(o.Path)
	if err != nil {
		return chain.File{}, failed(op, err)
	}
	f := chain.File{Table: o.Table, Key: dataKey(o, sha), Size: size, SHA256: sha,
		Rows: o.Rows, Range: o.Range, MinID: o.MinID, MaxID: o.MaxID}
	now := l.now()
	l.begin(o.Chain, o.Run, now)
	// A folder store keeps the file's own time: the object's age counts from here, not from the day
	// the step began to write.
	if err := os.Chtimes(o.Path, now, now); err != nil {
		return chain.File{}, failed(op, err)
	}
	err = l.store.PutFile(ctx, f.Key, o.Path)
	if isNotDone(err) {
		var there Info
		if there, err = l.alreadyThere(ctx, f.Key, size, err); err == nil {
			l.begin(o.Chain, o.Run, there.Modified) // a resumed run is as old as its first object
		}
	}
	if err != nil {
		return chain.File{}, failed(op, err)
	}
	if l.cache != nil {
		if ok, err := l.cache.adopt(o.Path, sha); ok || err != nil {
			return f, failed(op, err)
		}
	}
	return f, failed(op, os.Remove(o.Path))
}

func dataKey(o chain.Object, sha string) string {
	var key strings.Builder
	fmt.Fprintf(&key, "data/%s/%s/%s/", o.Chain, o.Run, o.Table)
	if o.Range != chain.NoRange {
		fmt.Fprintf(&key, "range=%05d/", o.Range)
	}
	fmt.Fprintf(&key, "%05d-%s.parquet", o.Part, sha[:16])
	return key.String()
}

// Local gives a path whose bytes have the file's hash: the object itself in a folder store, a copy
// named by the hash elsewhere. The path is for reading and is good for an hour.
func (l *Lake) Local(ctx context.Context, f chain.File) (string, error) {
	op := "read " + f.Key
	if path, ok := l.store.Path(f.Key); ok {
		return path, failed(op, l.check(f, path))
	}
	path, err := l.cache.path(ctx, f, func(ctx context.Context) (body, error) { return l.store.Get(ctx, f.Key) })
	return path, failed(op, err)
}

// check hashes an object of a local store the first time this process reads it: a bad disk shows
// here and not as a wrong grade.
func (l *Lake) check(f chain.File, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() != f.Size {
		return fault.Newf(fault.Invalid, "check "+f.Key, "it has %d bytes, the log says %d", info.Size(), f.Size)
	}
	what := f.Key + " " + f.SHA256
	_, err, _ = l.checking.Do(what, func() (any, error) {
		l.mu.Lock()
		right := l.checked[what]
		l.mu.Unlock()
		if right {
			return nil, nil //nolint:nilnil // only the error is asked for
		}
		sha, _, err := hashFile(path)
		if err == nil && sha != f.SHA256 {
			err = fault.Newf(fault.Invalid, "check "+f.Key, "its bytes have the hash %s, the log says %s", sha, f.SHA256)
		}
		if err == nil {
			l.mu.Lock()
			l.checked[what] = true
			l.mu.Unlock()
		}
		return nil, err
	})
	return err
}

// begin notes when a run put its first object into a chain.
func (l *Lake) begin(name, run string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if first, ok := l.began[name+"\x1f"+run]; !ok || at.Before(first) {
		l.began[name+"\x1f"+run] = at
	}
}

// fresh fails when the run's first object is so old that garbage collection may soon take it.
func (l *Lake) fresh(e chain.Entry) error {
	l.mu.Lock()
	first, ok := l.began[e.Chain+"\x1f"+e.Run]
	l.mu.Unlock()
	if !ok {
		return nil
	}
	// The monotonic clock cannot be set back, but stands still while the machine sleeps; the wall
	// clock is the other way round. The larger of the two ages counts.
	now := l.now()
	if age := max(now.Sub(first), now.Round(0).Sub(first.Round(0))); age > abandonAfter {
		return fmt.Errorf("the run's first object is %s old; it must commit within %s", age.Round(time.Minute), abandonAfter)
	}
	return nil
}

// saw notes that an entry stands.
func (l *Lake) saw(e chain.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hints[e.Chain] = max(l.hints[e.Chain], e.N)
}

func (l *Lake) forget(e chain.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.began, e.Chain+"\x1f"+e.Run)
}
