package files

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xinshu/connectors"
)

// Every collected file gives the same rows and refusals packed by gzip, or in a zip, as it gives plain.
func TestCollectedFilesReadTheSamePacked(t *testing.T) {
	tried := 0
	for _, pattern := range []string{"csv/*/*", "encoding/*", "strings/*", "singer/*", "json/*", "parquet/*/*", "xlsx/*"} {
		for _, file := range samples(t, pattern) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(file)
			if nested(name) || !isData(name) {
				continue
			}
			plain, gz, zip := t.TempDir(), t.TempDir(), t.TempDir()
			write(t, plain, name, string(body))
			write(t, gz, name+".gz", gzipped(t, string(body)))
			write(t, zip, "packet.zip", zipped(t, member{name: name, body: string(body)}))
			want := shape(t, plain)
			for how, dir := range map[string]string{"gzip": gz, "zip": zip} {
				if got := shape(t, dir); !slices.Equal(got, want) {
					t.Errorf("%s by %s: %v, plain %v", file, how, got, want)
				}
			}
			tried++
		}
	}
	t.Logf("%d collected files", tried)
}

// shape is what a pull of a folder gave: rows, columns and refusals of each page.
func shape(t *testing.T, dir string) (all []string) {
	t.Helper()
	c := openDir(t, dir, nil)
	for page, err := range c.(connectors.Puller).Pull(t.Context(), sourceOf(c, nil).Job, "") {
		if err != nil {
			return append(all, "error "+strings.ReplaceAll(err.Error(), dir, ""))
		}
		text := fmt.Sprint(page.Batch.NumRows(), page.Batch.NumCols(), page.Origin.Line)
		for _, r := range page.Rejects {
			text += fmt.Sprintf(" %d:%s:%s", r.Line, r.Reason, r.Column)
		}
		page.Batch.Release()
		all = append(all, text)
	}
	return all
}
