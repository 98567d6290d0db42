// Package laketest owns the suites that every store, and a lake over every store, must pass. It
// refuses to know a store's kind: a test hands it a way to open an empty one.
package laketest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"xinshu/internal/lake"
)

// Store proves the promises of lake.Store on a store that open gives empty.
func Store(t *testing.T, open func(t *testing.T) lake.Store) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s lake.Store)
	}{
		{"what was put is read back", putIsReadBack},
		{"an absent object is said to be absent", absent},
		{"a second put changes nothing", secondPut},
		{"of 16 racing writers one wins and its bytes stand", race},
		{"a list is in key order, after a key, below a prefix", list},
		{"a list goes on past one page", pages},
		{"a deleted object can be put again", deleted},
		{"a key cannot leave the store", badKeys},
		{"a cancelled call does nothing", cancelled},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func put(t *testing.T, s lake.Store, key, body string) {
	t.Helper()
	if err := s.Put(t.Context(), key, []byte(body)); err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
}

func get(t *testing.T, s lake.Store, key string) string {
	t.Helper()
	r, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	body, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatalf("read %s: %v", key, err)
	}
	return string(body)
}

func putIsReadBack(t *testing.T, s lake.Store) {
	put(t, s, "log/settled/000000000001.json", "entry 一")
	put(t, s, "data/empty", "")
	large := bytes.Repeat([]byte("0123456789abcdef"), 20<<16) // 20 MiB: more than one multipart part
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, large, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.PutFile(t.Context(), "data/large", path); err != nil {
		t.Fatal(err)
	}
	if err := s.PutFile(t.Context(), "data/large", path); !errors.Is(err, lake.ErrExists) {
		t.Errorf("second put of a large file: %v, want ErrExists", err)
	}
	for key, want := range map[string]string{
		"log/settled/000000000001.json": "entry 一", "data/empty": "", "data/large": string(large)} {
		if got := get(t, s, key); got != want {
			t.Errorf("%s: %d bytes read back, %d put, or they differ", key, len(got), len(want))
		}
		info, err := s.Stat(t.Context(), key)
		if err != nil || info.Size != int64(len(want)) || info.Key != key {
			t.Errorf("stat %s: %+v, %v", key, info, err)
		}
		if age := time.Since(info.Modified); age < -time.Minute || age > time.Minute {
			t.Errorf("%s: modified %s", key, info.Modified)
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("PutFile took the local file away: %v", err)
	}
}

func absent(t *testing.T, s lake.Store) {
	if _, err := s.Get(t.Context(), "data/none"); !errors.Is(err, lake.ErrAbsent) {
		t.Errorf("get: %v, want ErrAbsent", err)
	}
	if _, err := s.Stat(t.Context(), "data/none"); !errors.Is(err, lake.ErrAbsent) {
		t.Errorf("stat: %v, want ErrAbsent", err)
	}
	if err := s.Delete(t.Context(), "data/none"); err != nil {
		t.Errorf("delete: %v, want nil", err)
	}
	if got := keys(t, s, "data/", ""); len(got) != 0 {
		t.Errorf("list of nothing: %v", got)
	}
}

func secondPut(t *testing.T, s lake.Store) {
	put(t, s, "log/a/000000000001.json", "first")
	if err := s.Put(t.Context(), "log/a/000000000001.json", []byte("second")); !errors.Is(err, lake.ErrExists) {
		t.Errorf("second put: %v, want ErrExists", err)
	}
	if got := get(t, s, "log/a/000000000001.json"); got != "first" {
		t.Errorf("the object now says %q", got)
	}
}

func race(t *testing.T, s lake.Store) {
	for round := range 5 {
		key := fmt.Sprintf("log/settled/%012d.json", round+1)
		answers := make([]error, 16)
		var start, done sync.WaitGroup
		start.Add(1)
		for w := range answers {
			done.Go(func() {
				start.Wait()
				answers[w] = s.Put(t.Context(), key, fmt.Appendf(nil, "writer %d", w))
			})
		}
		start.Done()
		done.Wait()
		var winners []int
		for w, err := range answers {
			switch {
			case err == nil:
				winners = append(winners, w)
			case !errors.Is(err, lake.ErrExists):
				t.Errorf("writer %d: %v", w, err)
			}
		}
		if len(winners) != 1 {
			t.Fatalf("winners: %v", winners)
		}
		if got, want := get(t, s, key), fmt.Sprintf("writer %d", winners[0]); got != want {
			t.Errorf("%s won, %s stands", want, got)
		}
	}
}

func keys(t *testing.T, s lake.Store, prefix, after string) []string {
	t.Helper()
	var found []string
	for info, err := range s.List(t.Context(), prefix, after) {
		if err != nil {
			t.Fatalf("list %s after %s: %v", prefix, after, err)
		}
		found = append(found, info.Key)
	}
	return found
}

func list(t *testing.T, s lake.Store) {
	// A folder's own order would put a/1 before a-b; key order does not.
	all := []string{"log/a-b/1", "log/a/000000000001.json", "log/a/000000000002.json", "log/a/ROOT-1", "log/b/x/1", "other/1"}
	for _, key := range all {
		put(t, s, key, key)
	}
	for _, c := range []struct {
		prefix, after string
		want          []string
	}{
		{"log/", "", all[:5]},
		{"log/a/", "", all[1:4]},
		{"log/a/", "log/a/000000000001.json", all[2:4]},
		{"log/a/", "log/a/0000000000015", all[2:4]},
		{"log/a", "", all[:4]},
		{"log/a/", "log/a/ROOT-1", nil},
		{"none/", "", nil},
	} {
		if got := keys(t, s, c.prefix, c.after); !slices.Equal(got, c.want) {
			t.Errorf("list %q after %q: %v, want %v", c.prefix, c.after, got, c.want)
		}
	}
	for info, err := range s.List(t.Context(), "log/", "") {
		if err != nil {
			t.Fatal(err)
		}
		if info.Size != int64(len(info.Key)) {
			t.Errorf("%s: size %d", info.Key, info.Size)
		}
		break // a reader may stop at any place
	}
}

func pages(t *testing.T, s lake.Store) {
	const n = 1203 // a page of S3 holds 1,000
	var wg sync.WaitGroup
	gate := make(chan struct{}, 8)
	for i := range n {
		wg.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			put(t, s, fmt.Sprintf("data/p/%06d", i), "x")
		})
	}
	wg.Wait()
	got := keys(t, s, "data/p/", "data/p/000001")
	if len(got) != n-2 || got[0] != "data/p/000002" || !slices.IsSorted(got) {
		t.Errorf("%d keys from %v, want %d in order", len(got), got[:min(2, len(got))], n-2)
	}
}

func deleted(t *testing.T, s lake.Store) {
	put(t, s, "data/x/1/a", "one")
	put(t, s, "data/y", "kept")
	if err := s.Delete(t.Context(), "data/x/1/a"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stat(t.Context(), "data/x/1/a"); !errors.Is(err, lake.ErrAbsent) {
		t.Errorf("stat after delete: %v", err)
	}
	put(t, s, "data/x/1/a", "two")
	if got := get(t, s, "data/x/1/a"); got != "two" {
		t.Errorf("read %q", got)
	}
	if got := keys(t, s, "data/", ""); !slices.Equal(got, []string{"data/x/1/a", "data/y"}) {
		t.Errorf("left: %v", got)
	}
}

func badKeys(t *testing.T, s lake.Store) {
	for _, key := range []string{"", "/etc/x", "../x", "data/../../x", "data//x", "data/./x", ".tmp/x", "data/.put-1", "data/"} {
		if err := s.Put(t.Context(), key, []byte("x")); err == nil {
			t.Errorf("put %q: nil", key)
		}
		if r, err := s.Get(t.Context(), key); err == nil {
			_ = r.Close()
			t.Errorf("get %q: nil", key)
		}
		if err := s.Delete(t.Context(), key); err == nil {
			t.Errorf("delete %q: nil", key)
		}
	}
}

func cancelled(t *testing.T, s lake.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(ctx, "data/late", []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v, want the cancellation", err)
	}
	if _, err := s.Stat(t.Context(), "data/late"); !errors.Is(err, lake.ErrAbsent) {
		t.Errorf("stat: %v, want ErrAbsent", err)
	}
	for _, err := range s.List(ctx, "data/", "") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("list: %v, want the cancellation", err)
		}
	}
}
