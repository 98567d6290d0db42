package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// manifestFiles is how many files one manifest lists, and the most a log entry lists itself.
const manifestFiles = 1000

// manifestsKept bounds the parsed manifests held in memory.
const manifestsKept = 64

type manifest struct {
	Format int          `json:"format"`
	Files  []chain.File `json:"files"`
}

// fold moves full thousands of files from the front of a long list into manifests. Files keep their
// order from commit to commit, so the manifests of the front stay the same objects.
func (l *Lake) fold(ctx context.Context, files []chain.File) (shas []string, rest []chain.File, err error) {
	shas = []string{}
	if len(files) <= manifestFiles {
		return shas, files, nil
	}
	for len(files) >= manifestFiles {
		part := files[:manifestFiles]
		files = files[manifestFiles:]
		body, err := canonical(manifest{Format: entryFormat, Files: part})
		if err != nil {
			return nil, nil, err
		}
		sha := hashOf(body)
		if !l.knows(sha) {
			if err := l.putNamed(ctx, manifestKey(sha), body); err != nil {
				return nil, nil, err
			}
			l.remember(sha, part)
		}
		shas = append(shas, sha)
	}
	return shas, files, nil
}

// expand gives an entry's whole list: its manifests' files, then its own.
func (l *Lake) expand(ctx context.Context, e chain.Entry) ([]chain.File, error) {
	if len(e.Manifests) == 0 {
		return e.Files, nil
	}
	var files []chain.File
	for _, sha := range e.Manifests {
		part, err := l.manifest(ctx, sha)
		if err != nil {
			return nil, err
		}
		files = append(files, part...)
	}
	return append(files, e.Files...), nil
}

func (l *Lake) manifest(ctx context.Context, sha string) ([]chain.File, error) {
	l.mu.Lock()
	files, ok := l.manifests[sha]
	l.mu.Unlock()
	if ok {
		return files, nil
	}
	body, err := readAll(ctx, l.store, manifestKey(sha))
	if err != nil {
		return nil, err
	}
	if got := hashOf(body); got != sha {
		return nil, fault.Newf(fault.Invalid, "read "+manifestKey(sha), "its bytes have the hash %s", got)
	}
	var m manifest
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fault.Newf(fault.Invalid, "read "+manifestKey(sha), "%w", err)
	}
	l.remember(sha, m.Files)
	return m.Files, nil
}

func (l *Lake) knows(sha string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.manifests[sha]
	return ok
}

func (l *Lake) remember(sha string, files []chain.File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.manifests) >= manifestsKept {
		clear(l.manifests)
	}
	l.manifests[sha] = files
}

// putNamed writes an object whose key carries the hash of its bytes. One that is already there, or
// turns out to be there after an unclear answer, is the same one if its size is.
func (l *Lake) putNamed(ctx context.Context, key string, body []byte) error {
	err := l.store.Put(ctx, key, body)
	if isNotDone(err) {
		_, err = l.alreadyThere(ctx, key, int64(len(body)), err)
	}
	return err
}

// alreadyThere looks for an object after a write that was refused or not answered.
func (l *Lake) alreadyThere(ctx context.Context, key string, size int64, wrote error) (Info, error) {
	ctx, cancel := l.readBack(ctx)
	defer cancel()
	info, err := l.store.Stat(ctx, key)
	switch {
	case errors.Is(err, ErrAbsent):
		return Info{}, wrote
	case err != nil:
		return Info{}, fmt.Errorf("%w; reading back: %w", wrote, err)
	case info.Size != size:
		return Info{}, fault.Newf(fault.Internal, "put "+key, "an object of %d bytes stands there, ours has %d", info.Size, size)
	}
	return info, nil
}
