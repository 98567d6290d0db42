package lake_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/internal/lake/laketest"
)

// remote is a folder store that plays a distant one: it gives no paths, counts what is fetched, and
// may break a download.
type remote struct {
	lake.Store
	fetched atomic.Int64
	broken  atomic.Bool
	hold    chan struct{} // when set, downloads wait until it is closed
}

func (r *remote) Path(string) (string, bool) { return "", false }

func (r *remote) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	body, err := r.Store.Get(ctx, key)
	if err == nil && strings.HasPrefix(key, "data/") {
		r.fetched.Add(1)
		if r.hold != nil {
			<-r.hold
		}
		if r.broken.Load() {
			return struct {
				io.Reader
				io.Closer
			}{io.LimitReader(body, 5), body}, nil
		}
	}
	return body, err
}

// caching opens a node with its own cache, and three committed objects of 1,000 bytes that another
// node put: nothing is cached yet.
func caching(t *testing.T, limit int64, now func() time.Time) (*remote, string, *lake.Lake, []chain.File) {
	t.Helper()
	s := &remote{Store: openFolder(t)}
	writer := reader(t, s)
	var files []chain.File
	for _, c := range "abc" {
		f, err := writer.Put(t.Context(), laketest.Object(t, writer, chain.Settled, "r1", "record", strings.Repeat(string(c), 1000)))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	dir := t.TempDir()
	l, err := lake.New(s, lake.Options{Cache: dir, CacheBytes: limit, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return s, dir, l, files
}

func read(t *testing.T, l *lake.Lake, f chain.File) {
	t.Helper()
	path, err := l.Local(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || int64(len(got)) != f.Size {
		t.Errorf("%s: %d bytes, %v", path, len(got), err)
	}
}

func cached(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "lock" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestAnObjectIsFetchedOnce(t *testing.T) {
	s, dir, l, files := caching(t, 0, nil)
	second, err := lake.New(s, lake.Options{Cache: dir})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { read(t, l, files[0]) })
	}
	wg.Wait()
	read(t, second, files[0]) // another process with the same cache
	if n := s.fetched.Load(); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	// What a node put itself it need not fetch at all.
	own, err := l.Put(t.Context(), laketest.Object(t, l, chain.Settled, "r2", "record", "own"))
	if err != nil {
		t.Fatal(err)
	}
	read(t, l, own)
	if n := s.fetched.Load(); n != 1 {
		t.Errorf("its own object was fetched: %d", n)
	}
	if got := cached(t, dir); len(got) != 2 {
		t.Errorf("the cache holds %v", got)
	}
}

func TestTheCacheKeepsItsBound(t *testing.T) {
	var ahead time.Duration
	s, dir, l, files := caching(t, 2500, func() time.Time { return time.Now().Add(ahead) })
	for i, f := range files {
		ahead = time.Duration(i) * time.Minute
		read(t, l, f)
	}
	if got := cached(t, dir); len(got) != 3 {
		t.Errorf("paths handed out within the hour are gone: %v", got)
	}
	ahead = 50 * time.Minute
	read(t, l, files[0]) // now b is the one unused for longest
	ahead = 70 * time.Minute
	own, err := l.Put(t.Context(), laketest.Object(t, l, chain.Settled, "r2", "record", strings.Repeat("d", 1000)))
	if err != nil {
		t.Fatal(err)
	}
	if got := cached(t, dir); len(got) != 2 {
		t.Errorf("the cache holds %v", got)
	}
	before := s.fetched.Load()
	read(t, l, files[0])
	read(t, l, own)
	if s.fetched.Load() != before {
		t.Error("what was used last was evicted")
	}
}

func TestABrokenDownloadIsNotKept(t *testing.T) {
	s, dir, l, files := caching(t, 0, nil)
	s.broken.Store(true)
	if _, err := l.Local(t.Context(), files[0]); !fault.Is(err, fault.Invalid) {
		t.Errorf("half a download: %v, want invalid", err)
	}
	if got := cached(t, dir); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
	s.broken.Store(false)
	read(t, l, files[0])
	path, err := l.Local(t.Context(), files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 10); err != nil {
		t.Fatal(err)
	}
	read(t, l, files[0]) // a copy cut short is fetched again
}

func TestACallerThatGivesUpLeavesTheDownload(t *testing.T) {
	s, _, l, files := caching(t, 0, nil)
	s.hold = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() {
		_, err := l.Local(ctx, files[0])
		gaveUp <- err
	}()
	cancel() // the download is held, so the caller can only give up
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the cancellation", err)
	}
	close(s.hold)
	read(t, l, files[0])
	if _, err := l.Local(ctx, files[1]); !errors.Is(err, context.Canceled) {
		t.Errorf("called when it was cancelled: %v", err)
	}
}

// Steps make and remove folders of their own in the cache's working folder while it fills and evicts.
func TestTheCacheLeavesLocalWorkAlone(t *testing.T) {
	_, _, l, files := caching(t, 1, nil)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				dir := filepath.Join(l.TempDir(), "step", strings.Repeat("x", w+1))
				// The four take one another's folders away: their own errors are no matter.
				_ = os.MkdirAll(dir, 0o755)
				_ = os.WriteFile(filepath.Join(dir, "rows.parquet"), nil, 0o644)
				_ = os.RemoveAll(filepath.Join(l.TempDir(), "step"))
			}
		})
	}
	for i := range 100 {
		read(t, l, files[i%3])
		if _, err := l.Put(t.Context(), laketest.Object(t, l, chain.Settled, "r2", "record", strings.Repeat("d", i))); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	wg.Wait()
}
