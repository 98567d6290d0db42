package lake_test

import (
	"testing"

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
