package pipelines

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// formatOfSample is what a person says of a file whose extension says nothing.
var formatOfSample = map[string]string{"strings": "csv", "encoding": "csv"}

// Every collected file ends in rows that were loaded or refused by name, or in an error that says what
// to do. Where the collected files are not beside the repository the
// awkward ones made here stand in for them.
func TestEveryCollectedFileIsLoadedOrNamed(t *testing.T) {
	h, _ := folderHub(t, nil)
	ds, _ := h.Catalog.Dataset(h.ds)
	loaded, named := 0, 0
	for _, file := range collected(t) {
		kind := strings.Split(filepath.ToSlash(file), "/")
		values := connectors.Values{}
		if format := formatOfSample[kind[len(kind)-2]]; format != "" {
			values["format"] = format
		}
		result, err := h.Ingest(t.Context(), Hand{File: file, Dataset: ds, Job: values})
		ledger := result.Ledger
		switch balanced := ledger.Check(); {
		case err != nil:
			var f *fault.Error
			if !errors.As(err, &f) || f.Code == fault.Internal || f.Hint == "" {
				t.Errorf("%s: an error that does not say what to do: %v", file, err)
			}
			named++
			continue
		case balanced != nil:
			t.Errorf("%s: %v", file, balanced)
		case ledger.Quarantined > 0:
			named++
		default:
			loaded++
		}
		if ledger.Read == 0 && !emptyOnPurpose(t, file) {
			t.Errorf("%s: success without a row", file)
		}
	}
	t.Logf("%d files loaded, %d with rows or the whole refused by name", loaded, named)
	if loaded+named < 5 {
		t.Fatal("hardly a file was tried")
	}
}

// emptyOnPurpose says that a file holds no row: nothing, or a header alone, or an empty array.
func emptyOnPurpose(t *testing.T, file string) bool {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := bytes.TrimSpace(body)
	return bytes.Count(text, []byte("\n")) == 0 && bytes.Count(text, []byte("\r")) == 0 && !bytes.Contains(text, []byte("{")) || strings.HasSuffix(file, ".parquet")
}

func collected(t *testing.T) (all []string) {
	t.Helper()
	root := filepath.Join("..", "..", "shared", "samples")
	for _, kind := range []string{"csv", "encoding", "strings", "singer", "json", "parquet", "xlsx"} {
		err := filepath.WalkDir(filepath.Join(root, kind), func(file string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				all = append(all, file)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if len(all) > 0 {
		return all
	}
	dir := t.TempDir()
	for name, body := range map[string]string{"quote.csv": courtHeader + "\"a\"b,c\n" + courtRow(0, 1), "empty.csv": "", "latin.csv": courtHeader + "\xe9,\xe8\n",
		"cut.json": `[{"uscc":"1"}`, "good.json": `[{"uscc":"1"}]`, "lines.jsonl": "{\"uscc\":1}\n[]\n", "no.xlsx": "PK", "no.parquet": "PAR1", "utf16.csv": "\xff\xfea\x00"} {
		lay(t, dir, name, body)
		all = append(all, filepath.Join(dir, name))
	}
	slices.Sort(all)
	return all
}
