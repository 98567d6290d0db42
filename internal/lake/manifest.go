package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// manifestFiles is how many files one manifest lists, and the most a log entry lists itself.
const manifestFiles = 1000

// manifestsKept bounds the parsed manifests held in memory.
const manifestsKept = 64

// manifest carries the id of the commit that made it, so that no two commits share one by chance: a
// commit may then count on the manifests it wrote itself and on those of the head, and garbage
// collection takes neither.
type manifest struct {
	Format   int          `json:"format"`
	CommitID string       `json:"commit_id"`
	Files    []chain.File `json:"files"`
}

// fold moves full thousands of files from the front of a long list into manifests. Files keep their
// order from commit to commit, so the head's manifests of an unchanged front serve again.
func (l *Lake) fold(ctx context.Context, e, head chain.Entry) (shas []string, rest []chain.File, err error) {
	shas, rest = []string{}, e.Files
	if len(rest) <= manifestFiles {
		return shas, rest, nil
	}
	for len(rest) >= manifestFiles {
		at := len(shas) * manifestFiles
		part := rest[:manifestFiles]
		rest = rest[manifestFiles:]
		if len(shas) < len(head.Manifests) && slices.Equal(part, head.Files[at:at+manifestFiles]) {
			shas = append(shas, head.Manifests[len(shas)])
			continue
		}
		body, err := canonical(manifest{Format: entryFormat, CommitID: e.CommitID, Files: part})
		if err != nil {
			return nil, nil, err
		}
		sha := hashOf(body)
		if err := l.putNamed(ctx, manifestKey(sha), body); err != nil {
			return nil, nil, err
		}
		l.remember(sha, part)
		shas = append(shas, sha)
	}
	return shas, rest, nil
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
	if len(files) != manifestFiles*len(e.Manifests) {
		return nil, fault.Newf(fault.Invalid, "read "+logKey(e.Chain, e.N), "its manifests list %d files", len(files))
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
