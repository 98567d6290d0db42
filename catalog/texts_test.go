package catalog

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAFolderIsReadAsOfOneMoment(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	write := func(file, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(dir+"/datasets/amr/reg.yaml", "before")
	write(dir+"/policies/own.yml", "own")
	write(dir+"/README.md", "not read")
	write(dir+"/.git/config.yaml", "not read")
	write(dir+"/policies/.own.yaml.swp", "not read")
	write(elsewhere+"/reg.yaml", "linked")
	for from, to := range map[string]string{dir + "/datasets/tax": elsewhere, dir + "/datasets/round": dir} {
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	texts, err := ReadTexts(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(texts, func(file string, _ []byte) bool { return strings.HasPrefix(file, "datasets/round/") })
	if got := slices.Sorted(maps.Keys(texts)); !slices.Equal(got, []string{"datasets/amr/reg.yaml", "datasets/tax/reg.yaml", "policies/own.yml"}) {
		t.Errorf("read %q", got)
	}
	write(dir+"/datasets/amr/reg.yaml", "afterwards")
	if got := string(texts["datasets/amr/reg.yaml"]); got != "before" {
		t.Errorf("what was read changed to %q", got)
	}
	write(dir+"/datasets/amr/huge.yaml", strings.Repeat("#", mostText+1))
	if _, err := ReadTexts(os.DirFS(dir)); err == nil || !strings.Contains(err.Error(), "huge.yaml is larger") {
		t.Errorf("a huge file: %v", err)
	}
	if texts, err := ReadTexts(os.DirFS(dir + "/none")); err != nil || len(texts) != 0 {
		t.Errorf("no folder: %d texts, %v", len(texts), err)
	}
}
