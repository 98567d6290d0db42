package main

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Commands that begin together on a new data folder hash the same person the same way.
func TestProcessesThatBeginTogetherHaveOneMaskKey(t *testing.T) {
	for range 20 {
		c := Config{Data: t.TempDir()}
		keys := make([][]byte, 8)
		var all sync.WaitGroup
		for i := range keys {
			all.Go(func() {
				var err error
				if keys[i], err = maskKey(c); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		kept, err := os.ReadFile(filepath.Join(c.Data, "mask.key"))
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if !bytes.Equal(key, kept) {
				t.Errorf("one has the key %d bytes long, another the %d bytes that are kept", len(key), len(kept))
			}
		}
		if files, err := os.ReadDir(c.Data); err != nil || len(files) != 1 {
			t.Errorf("%v, %v", files, err)
		}
	}
}
