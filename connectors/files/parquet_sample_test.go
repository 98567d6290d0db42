package files

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"xinshu/connectors"
)

// verdict is what a pull makes of one file: how many rows with which columns, or why none.
func verdict(t *testing.T, file string, values connectors.Values) string {
	t.Helper()
	dir := t.TempDir()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, filepath.Base(file), string(body))
	s := sourceOf(openDir(t, dir, nil), values)
	rows, columns, reasons := int64(0), map[string]bool{}, map[string]int{}
	first := ""
	for page, err := range s.Conn.(connectors.Puller).Pull(t.Context(), s.Job, "") {
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		rows += page.Batch.NumRows()
		for _, f := range page.Batch.Schema().Fields() {
			columns[f.Name] = true
		}
		for _, r := range page.Rejects {
			reasons[r.Reason]++
			if first == "" {
				first = fmt.Sprintf(" (%d %s %q)", r.Line, r.Column, r.Value)
			}
		}
		page.Batch.Release()
	}
	said := fmt.Sprintf("%d rows, %d columns", rows, len(columns))
	for _, reason := range sortedKeys(reasons) {
		said += fmt.Sprintf(", %d %s", reasons[reason], reason)
	}
	if rows == 0 && len(reasons) == 0 {
		said += ", and nothing said"
	}
	return said + first
}

func sortedKeys(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func TestEveryParquetSampleEndsInRowsOrAReason(t *testing.T) {
	for _, file := range samples(t, "parquet/*/*.parquet") {
		said := verdict(t, file, nil)
		t.Logf("%-58s %s", filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), said)
		if strings.Contains(said, "nothing said") || strings.Contains(file, "/corrupt/") && !strings.Contains(said, "PARQUET_BROKEN") {
			t.Errorf("%s: %s", file, said)
		}
	}
}
