package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// wholes is a pull as in outcome, with a mark where a page says that it was the whole stock.
func wholes(t *testing.T, c *conn, values connectors.Values, after connectors.Cursor) (got []string, next connectors.Cursor) {
	t.Helper()
	whole := 0
	next = after
	for page, err := range c.Pull(t.Context(), sourceOf(c, values).Job, after) {
		if err != nil {
			t.Fatal(err)
		}
		if page.Batch != nil {
			page.Batch.Release()
		}
		if page.Whole {
			whole++
		}
		next = page.Next
	}
	got, _ = outcome(t, c, values, after)
	for range whole {
		got = append(got, "whole")
	}
	return got, next
}

func TestOnlyTheNewestFileIsTheStock(t *testing.T) {
	dir := t.TempDir()
	job := connectors.Values{"stock": "newest", "page_rows": "1"}
	c := openDir(t, dir, nil).(*conn)
	write(t, dir, "list_20251101.csv", "id\n1\n2\n")
	write(t, dir, "list_20251108.csv", "id\n2\n3\n")
	got, next := wholes(t, c, job, "")
	expect(t, got, "list_20251108.csv:2:2", "list_20251108.csv:3:3", "whole")
	got, _ = wholes(t, c, job, next)
	expect(t, got)
	if err := os.Remove(filepath.Join(dir, "list_20251108.csv")); err != nil { // taken away, by us or by them
		t.Fatal(err)
	}
	got, _ = wholes(t, c, job, next)
	expect(t, got) // an older stock does not come back
	write(t, dir, "list_20251108.csv", "id\n2\n4\n")
	got, next = wholes(t, c, job, next)
	expect(t, got, "list_20251108.csv:2:2", "list_20251108.csv:3:4", "whole")
	write(t, dir, "list_20251115.csv", "id\n9\n")
	write(t, dir, "list_20251115.csv.md5", strings.Repeat("0", 32))
	got, next = wholes(t, c, job, next)
	expect(t, got, "list_20251115.csv:0:!FILE_CHECKSUM") // says nothing about what is gone, and no older one stands in
	write(t, dir, "list_20251122.zip", zipped(t, member{name: "1.csv", body: "id\n5\n"}, member{name: "2.csv", body: "id\n6\n"}))
	got, _ = wholes(t, c, job, next)
	expect(t, got, "1.csv:2:5", "2.csv:2:6", "whole")
	got, _ = wholes(t, c, connectors.Values{"stock": "each"}, "")
	if strings.Contains(strings.Join(got, " "), "whole") {
		t.Fatalf("a file that adds rows is no whole stock: %v", got)
	}
}

func TestAnEmptyNewestFileSaysThatNothingIsLeft(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "list.csv", "id\n")
	got, _ := wholes(t, openDir(t, dir, nil).(*conn), connectors.Values{"stock": "newest"}, "")
	expect(t, got, "whole")
}

func TestFilesHaveNoWindow(t *testing.T) {
	c := openDir(t, t.TempDir(), nil).(*conn)
	job := sourceOf(c, nil).Job
	job.Window = &connectors.Window{From: "2025-01-01", Until: "2025-02-01"}
	for _, err := range c.Pull(t.Context(), job, "") {
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "window") {
			t.Fatalf("got %v", err)
		}
	}
}
