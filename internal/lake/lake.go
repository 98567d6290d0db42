// Package lake owns the truth of the data: immutable objects in a folder or an S3 bucket, numbered
// log entries that list them, seals, and the commit protocol that makes one PUT the commit. It
// refuses to look inside an object, to know a dataset or policy, and to overwrite anything. Local
// files and drafts come from the steps of pipelines; entries and local paths go back to them.
package lake

import (
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

const (
	// keepEntries is how many of a chain's newest log entries are never deleted, and how far back a
	// commit looks for its own intent. One number, because a writer that resumes within its 24 hours
	// must still find what it committed.
	keepEntries = 14
	// keepObjects is the age below which an unlisted object is left alone: its writer may be at work.
	keepObjects = 7 * 24 * time.Hour
	// abandonAfter is how old a writer's first object may be when it commits. Far below keepObjects,
	// so that no commit can name an object that garbage collection took.
	abandonAfter = 24 * time.Hour
)

// Options are what a lake needs beside its store.
type Options struct {
	Cache      string           // folder for copies of S3 objects and for local work; a folder store needs none
	CacheBytes int64            // how large the copies may grow; 0: 16 GiB
	Node       string           // name of this hub node, written into log entries
	Engine     chain.Engine     // versions, written into log entries
	Now        func() time.Time // the machine's clock, which is compared with the ages of objects: not the day being scored
}

// Lake reads and commits chains. It is safe for use by several goroutines, and several processes may
// share one store.
type Lake struct {
	store  Store
	node   string
	engine chain.Engine
	now    func() time.Time
	temp   string
	cache  *cache // nil where the store is local

	checking singleflight.Group

	mu        sync.Mutex
	hints     map[string]int64        // chain to the newest n seen; where a LIST begins, never an answer
	began     map[string]time.Time    // chain and run to the time of its first object
	manifests map[string][]chain.File // by hash
	links     map[string]linkOf       // by the entry's hash
	checked   map[string]bool         // key and hash of objects whose bytes this process found right
}

// New makes a lake over a store.
func New(store Store, o Options) (*Lake, error) {
	l := &Lake{store: store, node: o.Node, engine: o.Engine, now: o.Now,
		hints: map[string]int64{}, began: map[string]time.Time{},
		manifests: map[string][]chain.File{}, links: map[string]linkOf{}, checked: map[string]bool{}}
	if l.now == nil {
		l.now = time.Now
	}
	dir, local := store.Path(scratch)
	if !local {
		if o.Cache == "" {
			return nil, &fault.Error{Op: "open lake", Code: fault.Invalid,
				Hint: "an S3 store needs a cache folder: set its path"}
		}
		dir = filepath.Join(o.Cache, scratch)
		l.cache = newCache(o.Cache, o.CacheBytes, l.now)
	}
	l.temp = dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, failed("open lake", err)
	}
	return l, nil
}

// TempDir is where steps write the files that become objects. It lies on the store's own disk, so
// that a finished file is linked, not copied.
func (l *Lake) TempDir() string { return l.temp }

// String names the store, without credentials.
func (l *Lake) String() string { return l.store.String() }
