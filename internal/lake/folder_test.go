package lake_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"xinshu/internal/lake"
	"xinshu/internal/lake/laketest"
)

func openFolder(t *testing.T) lake.Store {
	t.Helper()
	s, err := lake.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFolderStore(t *testing.T)     { laketest.Store(t, openFolder) }
func TestLakeOverAFolder(t *testing.T) { laketest.Lake(t, openFolder) }
func TestUpkeepOfAFolder(t *testing.T) { laketest.Upkeep(t, openFolder) }

// Deleting the last object of a folder takes the folder away; a writer that has just made sure of the
// folder must not fail for that.
func TestWritersAndDeletersOfOneFolder(t *testing.T) {
	s := openFolder(t)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 50 {
				key := fmt.Sprintf("data/a/b/%d-%d", w, i)
				if err := s.Put(t.Context(), key, []byte("x")); err != nil {
					t.Errorf("put: %v", err)
				}
				if err := s.Delete(t.Context(), key); err != nil {
					t.Errorf("delete: %v", err)
				}
			}
		})
	}
	wg.Wait()
	path, _ := s.Path("data")
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("empty folders are left: %v", err)
	}
}

// What killed writers and steps left is swept when it is old, and nothing else is.
func TestLeftoversAreSwept(t *testing.T) {
	s := openFolder(t)
	l, err := lake.New(s, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := laketest.Commit(t, l, "settled", "r1")
	object, _ := s.Path(e.Files[0].Key)
	old := time.Now().Add(-8 * 24 * time.Hour)
	leave := func(path string, at time.Time) string {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{path, filepath.Dir(path)} {
			if err := os.Chtimes(p, at, at); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	killedPut := leave(filepath.Join(filepath.Dir(object), ".put-123"), old)
	killedStep := leave(filepath.Join(l.TempDir(), "stage-1", "rows.parquet"), old)
	working := leave(filepath.Join(l.TempDir(), "stage-2", "rows.parquet"), time.Now())
	if _, err := l.Collect(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for path, stays := range map[string]bool{object: true, working: true, killedPut: false, killedStep: false, filepath.Dir(killedStep): false} {
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: %v, want it to stay: %v", path, err, stays)
		}
	}
}
