package stage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// folder is the lake's promise to staging, kept as simply as can be: objects are files, entries stand
// in memory.
type folder struct {
	dir     string
	mu      sync.Mutex
	entries []chain.Entry
	puts    int
}

func (l *folder) Head(context.Context, string) (chain.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) == 0 {
		return chain.Entry{}, nil
	}
	return l.entries[len(l.entries)-1], nil
}

func (l *folder) Entry(_ context.Context, name string, n int64) (chain.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < 1 || n > int64(len(l.entries)) {
		return chain.Entry{}, fault.Newf(fault.NotFound, "read log", "%s has no entry %d", name, n)
	}
	return l.entries[n-1], nil
}

func (l *folder) Put(_ context.Context, o chain.Object) (chain.File, error) {
	in, err := os.Open(o.Path)
	if err != nil {
		return chain.File{}, err
	}
	defer in.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, in)
	if err != nil {
		return chain.File{}, err
	}
	sha := hex.EncodeToString(sum.Sum(nil))
	f := chain.File{Table: o.Table, Size: size, SHA256: sha, Rows: o.Rows, Range: o.Range,
		Key: fmt.Sprintf("data/%s/%s/%s/%d-%s.parquet", o.Chain, o.Run, o.Table, o.Part, sha[:16])}
	path := filepath.Join(l.dir, f.Key)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return chain.File{}, err
	}
	l.mu.Lock()
	l.puts++
	l.mu.Unlock()
	return f, os.Rename(o.Path, path)
}

func (l *folder) Local(_ context.Context, f chain.File) (string, error) {
	return filepath.Join(l.dir, f.Key), nil
}

func (l *folder) Commit(_ context.Context, d chain.Draft) (chain.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d.Base.N != int64(len(l.entries)) {
		return chain.Entry{}, fault.Newf(fault.Conflict, "commit", "the head moved from %d to %d", d.Base.N, len(l.entries))
	}
	e := d.Entry
	e.N = d.Base.N + 1
	for _, f := range d.Base.Files {
		if d.Keep == nil || d.Keep(f) {
			e.Files = append(e.Files, f)
		}
	}
	for _, f := range d.Files {
		f.N = e.N
		e.Files = append(e.Files, f)
	}
	l.entries = append(l.entries, e)
	return e, nil
}

func (l *folder) TempDir() string { return l.dir }
