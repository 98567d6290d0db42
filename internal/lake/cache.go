package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/singleflight"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

const (
	defaultCacheBytes = 16 << 30
	// cacheGrace is how long a path that was handed out stays: DuckDB opens it a little later. What
	// an hour's work needs may therefore exceed the bound.
	cacheGrace = time.Hour
)

// body is an open object.
type body = io.ReadCloser

// cache keeps copies of objects as local files named by their hash. Several processes may share one:
// files come into being by rename, and the lock file keeps one process from evicting what another
// has just handed out.
type cache struct {
	dir   string
	limit int64
	now   func() time.Time
	fills singleflight.Group
}

func newCache(dir string, limit int64, now func() time.Time) *cache {
	if limit <= 0 {
		limit = defaultCacheBytes
	}
	return &cache{dir: dir, limit: limit, now: now}
}

func (c *cache) file(sha string) string { return filepath.Join(c.dir, sha[:2], sha+".parquet") }

// path gives the copy of an object, fetching it when it is absent. Callers who want the same object
// share one download; one that gives up leaves it to the others.
func (c *cache) path(ctx context.Context, f chain.File, open func(context.Context) (body, error)) (string, error) {
	path := c.file(f.SHA256)
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if ok, err := c.touch(path, f.Size); ok || err != nil {
		return path, err
	}
	done := c.fills.DoChan(f.SHA256, func() (any, error) {
		return nil, c.fill(context.WithoutCancel(ctx), f, path, open)
	})
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-done:
		return path, r.Err
	}
}

// touch marks a copy as used now, so that eviction leaves it alone.
func (c *cache) touch(path string, size int64) (bool, error) {
	unlock, err := c.lock(syscall.LOCK_SH)
	if err != nil {
		return false, err
	}
	defer unlock()
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || info.Size() != size {
		return false, err // cut short by a full disk or by hand: fetched again
	}
	now := c.now()
	return true, os.Chtimes(path, now, now)
}

// fill downloads into a temporary file, compares size and hash, and renames it into place.
func (c *cache) fill(ctx context.Context, f chain.File, path string, open func(context.Context) (body, error)) (err error) {
	from, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // read only; the hash tells whether all came
	temp, err := os.CreateTemp(filepath.Join(c.dir, scratch), "fill-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	h := sha256.New()
	size, err := io.Copy(io.MultiWriter(temp, h), from)
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if sha := hex.EncodeToString(h.Sum(nil)); size != f.Size || sha != f.SHA256 {
		return fault.Newf(fault.Invalid, "fetch "+f.Key, "got %d bytes with the hash %s, the log says %d and %s", size, sha, f.Size, f.SHA256)
	}
	if err := c.place(temp.Name(), path); err != nil {
		return err
	}
	return c.evict()
}

func (c *cache) place(from, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	now := c.now()
	return errors.Join(os.Chtimes(from, now, now), os.Rename(from, path))
}

// adopt takes over a local file whose hash is known, so that what was just put need not be fetched.
// It answers false when the file lies on another disk.
func (c *cache) adopt(from, sha string) (bool, error) {
	err := c.place(from, c.file(sha))
	if errors.Is(err, syscall.EXDEV) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, c.evict()
}

// evict removes the copies that were not used for longest until the bound is kept.
func (c *cache) evict() error {
	unlock, err := c.lock(syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer unlock()
	type copied struct {
		path string
		size int64
		used time.Time
	}
	var copies []copied
	var total int64
	err = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == scratch:
			return fs.SkipDir // steps are at work there
		case filepath.Ext(path) != ".parquet":
			return nil
		}
		info, err := d.Info()
		if err == nil {
			copies = append(copies, copied{path, info.Size(), info.ModTime()})
			total += info.Size()
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(copies, func(a, b copied) int { return a.used.Compare(b.used) })
	for _, f := range copies {
		if total <= c.limit || c.now().Sub(f.used) < cacheGrace {
			break
		}
		if err := os.Remove(f.path); err != nil {
			return err
		}
		total -= f.size
	}
	return nil
}

// lock takes the cache's lock file, which the kernel frees when a process dies.
func (c *cache) lock(how int) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(c.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}
