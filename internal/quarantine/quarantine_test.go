package quarantine_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
)

// shelf is a lake of quarantine files that the test writes itself.
type shelf struct {
	dir   string
	files map[string][]chain.File
}

func (s *shelf) Head(_ context.Context, name string) (chain.Entry, error) {
	return chain.Entry{Chain: name, N: int64(len(s.files[name])), Files: s.files[name]}, nil
}

func (s *shelf) Local(_ context.Context, f chain.File) (string, error) {
	return filepath.Join(s.dir, f.SHA256), nil
}

// commit writes the rows that a query gives as the quarantine file of the chain's next entry.
func (s *shelf) commit(t *testing.T, db *duck.DB, dataset, run, query string) {
	t.Helper()
	name := chain.Stage(dataset)
	f := chain.File{Table: "quarantine", N: int64(len(s.files[name]) + 1), SHA256: dataset + run, Key: "data/" + name + "/" + run + "/quarantine/0-x.parquet"}
	if _, err := db.Copy(t.Context(), query, filepath.Join(s.dir, f.SHA256)); err != nil {
		t.Fatal(err)
	}
	s.files[name] = append(s.files[name], f)
}

// refused is a query that gives one refused row, as staging writes it.
func refused(no, reason string) string {
	return `select cast(` + no + ` as bigint) as row_no, 'a.csv' as origin_file, cast(` + no + ` + 1 as bigint) as origin_line,
		'` + reason + `' as reason, 'uscc' as column_name, '9141' as value, '{"名称":"甲","uscc":"9141"}' as original, md5('` + no + reason + `') as content,
		'9141' as uscc, date '2025-10-28' as received_on`
}

func openShelf(t *testing.T) (*shelf, *duck.DB) {
	t.Helper()
	db, err := duck.Open(duck.Options{Threads: 1, MemoryMB: 128, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &shelf{dir: t.TempDir(), files: map[string][]chain.File{}}, db
}

func list(t *testing.T, s *shelf, db *duck.DB, q quarantine.Query) []quarantine.Row {
	t.Helper()
	var rows []quarantine.Row
	for r, err := range quarantine.List(t.Context(), s, db, q) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	return rows
}

func TestRowsAreListedInOrderOfArrivalWithTheirPlace(t *testing.T) {
	s, db := openShelf(t)
	s.commit(t, db, "cult.penalty", "r1", refused("2", "USCC_CHECK")+" union all "+refused("1", "REQUIRED"))
	s.commit(t, db, "cult.penalty", "r2", refused("1", "USCC_CHECK"))
	s.commit(t, db, "amr.reg", "r3", refused("1", "TYPE_DATE"))
	rows := list(t, s, db, quarantine.Query{Datasets: []string{"cult.penalty", "amr.reg", "never.pulled"}})
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	got, _ := json.Marshal(ids)
	if want := `["cult.penalty/1/1","cult.penalty/1/2","cult.penalty/2/1","amr.reg/1/1"]`; string(got) != want {
		t.Fatalf("ids %s, want %s", got, want)
	}
	first, err := json.Marshal(rows[0])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"cult.penalty/1/1","dataset":"cult.penalty","run":"r1","file":"a.csv","line":2,"column":"uscc","reason":"REQUIRED",` +
		`"value":"9141","received_on":"2025-10-28","values":{"名称":"甲","uscc":"9141"},` +
		`"state":"open","seen":1,"first_seen":"2025-10-28","last_seen":"2025-10-28"}`
	if string(first) != want {
		t.Errorf("row\n%s, want\n%s", first, want)
	}
}

func TestRowsAreChosenByRunAndReason(t *testing.T) {
	s, db := openShelf(t)
	s.commit(t, db, "cult.penalty", "r1", refused("2", "USCC_CHECK")+" union all "+refused("1", "REQUIRED"))
	s.commit(t, db, "cult.penalty", "r2", refused("1", "USCC_CHECK"))
	datasets := []string{"cult.penalty"}
	if rows := list(t, s, db, quarantine.Query{Datasets: datasets, Run: "r2"}); len(rows) != 1 || rows[0].Run != "r2" {
		t.Errorf("of run r2: %+v", rows)
	}
	if rows := list(t, s, db, quarantine.Query{Datasets: datasets, Reason: "USCC_CHECK"}); len(rows) != 2 {
		t.Errorf("of reason USCC_CHECK: %d rows, want 2", len(rows))
	}
}

func TestABrokenObjectIsNamed(t *testing.T) {
	s, db := openShelf(t)
	s.commit(t, db, "amr.reg", "r1", refused("1", "TYPE_DATE"))
	if err := os.WriteFile(filepath.Join(s.dir, "amr.regr1"), []byte("no parquet"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, err := range quarantine.List(t.Context(), s, db, quarantine.Query{Datasets: []string{"amr.reg"}}) {
		var f *fault.Error
		if !errors.As(err, &f) || f.Hint == "" {
			t.Fatalf("error %v, want one that names the object and says what to do", err)
		}
		return
	}
	t.Error("a broken object was read without an error")
}
