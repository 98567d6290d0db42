package files

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/connectortest"
)

func write(t *testing.T, dir, name, body string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

func openDir(t *testing.T, dir string, more connectors.Values) connectors.Conn {
	t.Helper()
	values := connectors.Values{"root": dir}
	for name, value := range more {
		values[name] = value
	}
	c, err := Driver().Open(t.Context(), values)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func sourceOf(c connectors.Conn, values connectors.Values) connectortest.Source {
	return connectortest.Source{Conn: c, Column: "id", Job: connectors.Job{Dataset: catalog.Dataset{ID: "edu.annual"}, Values: values}}
}

// seed lays seven rows down in two files, each in the given format.
func seed(t *testing.T, dir, format string) (ids []string) {
	t.Helper()
	n := 0
	for _, f := range []struct {
		name string
		rows int
	}{{"annual_edu_20251028090000_1", 5}, {"annual_edu_20251029090000_1", 2}} {
		body := map[string]string{"csv": "\ufeff id ,年度\r\n", "json": `{"total": 7, "rows": [`}[format]
		for i := range f.rows {
			n++
			id := fmt.Sprintf("r%d", n)
			ids = append(ids, id)
			switch format {
			case "csv":
				body += id + ",2025\r\n"
			case "jsonl":
				body += `{"id": "` + id + `", "年度": 2025}` + "\n"
			case "json":
				if i > 0 {
					body += ",\n"
				}
				body += `{"id": "` + id + `", "年度": 2025}`
			}
		}
		if format == "json" {
			body += "]}"
		}
		write(t, dir, f.name+"."+format, body)
		write(t, dir, f.name+"."+format+".ok", "")
	}
	return ids
}

func TestPullKeepsItsPromises(t *testing.T) {
	for _, format := range []string{"csv", "json", "jsonl"} {
		t.Run(format, func(t *testing.T) {
			connectortest.Pull(t, func(t *testing.T) connectortest.Source {
				dir := t.TempDir()
				ids := seed(t, dir, format)
				s := sourceOf(openDir(t, dir, nil), connectors.Values{"page_rows": "2", "ready": "ok"})
				s.Rows = ids
				return s
			})
		})
	}
}

// takeAll pulls everything and acknowledges it, twice, and pulls again from the cursor.
func takeAll(t *testing.T, s connectortest.Source) {
	t.Helper()
	c := s.Conn.(*conn)
	var pages []connectors.Page
	var got []string
	for page, err := range c.Pull(t.Context(), s.Job, "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, connectortest.Column(page.Batch, s.Column)...)
		page.Batch.Release()
		pages = append(pages, page)
	}
	if strings.Join(got, " ") != strings.Join(s.Rows, " ") {
		t.Fatalf("got %v, want %v", got, s.Rows)
	}
	for range 2 {
		if err := c.Ack(t.Context(), s.Job, connectortest.Handles(pages...)); err != nil {
			t.Fatal(err)
		}
		for _, after := range []connectors.Cursor{"", pages[len(pages)-1].Next} {
			if again := connectortest.Collect(t, s, after); len(again) > 0 {
				t.Fatalf("taken rows came again: %v", again)
			}
		}
	}
}
