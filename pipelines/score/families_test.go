package score

import (
	"io/fs"
	"testing"

	"go.yaml.in/yaml/v3"

	"xinshu/catalog"
)

// families reads the shipped families; policies are held against their kinds and levels.
func families(t testing.TB) map[string]catalog.Family {
	t.Helper()
	files, err := fs.Glob(tree, "catalog/families/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no families: %v", err)
	}
	byID := map[string]catalog.Family{}
	for _, file := range files {
		text, err := fs.ReadFile(tree, file)
		if err != nil {
			t.Fatal(err)
		}
		var f catalog.Family
		if err := yaml.Unmarshal(text, &f); err != nil {
			t.Fatal(err)
		}
		byID[f.ID] = f
	}
	return byID
}
