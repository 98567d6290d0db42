package pipelines

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/connectors/dbtable"
)

// front is the court's list in a real table of a front-end database.
type front struct {
	*hub
	db *sql.DB
	n  int
}

func newFront(t *testing.T, mode string) *front {
	t.Helper()
	path := filepath.Join(t.TempDir(), "front.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f := &front{hub: newHub(t, &court{}), db: db}
	f.exec("create table debtor (uscc text, entity_name text, case_no text, court text, publish_date text, performance text, op_time text)")
	f.Drivers["dbtable"] = dbtable.Driver()
	f.Sources = []Source{{Name: "court", Kind: "dbtable", Values: connectors.Values{"engine": "sqlite", "path": path},
		Datasets: map[string]connectors.Values{f.ds: {"table": "debtor", "mode": mode, "cursor_column": "op_time", "key": "case_no"}}, Collected: f.Sources[0].Collected}}
	if mode == "full" {
		delete(f.Sources[0].Datasets[f.ds], "cursor_column")
	}
	return f
}

func (f *front) exec(query string, args ...any) {
	f.t.Helper()
	if _, err := f.db.ExecContext(f.t.Context(), query, args...); err != nil {
		f.t.Fatal(err)
	}
}

// add puts a row into the table for each time given.
func (f *front) add(times ...string) {
	f.t.Helper()
	for _, at := range times {
		f.n++
		f.exec("insert into debtor values (?, '样例有限公司', ?, '某市人民法院', '2025-08-01', '全部未履行', ?)", codes[f.n%len(codes)], fmt.Sprintf("（2025）执%d号", f.n), at)
	}
}

// The same behaviours as over the made-up court, over the kind that most departments are connected by.
func TestBehavioursOverARealTable(t *testing.T) {
	const day = "2025-09-0%d 10:00:00"
	at := func(n int) string { return fmt.Sprintf(day, n) }
	t.Run("05 a failed run leaves the cursor", func(t *testing.T) {
		f := newFront(t, "watermark")
		f.add(at(1), at(2))
		f.pull(Choice{})
		before := f.head().SHA256
		f.exec("alter table debtor rename to away")
		if _, err := f.try(Choice{}); err == nil {
			t.Fatal("a table that is not there was pulled")
		}
		f.wants("head", f.head().SHA256, before)
		f.exec("alter table away rename to debtor")
		f.add(at(3))
		f.wants("afterwards", ledger(f.pull(Choice{})), "2=1+1")
	})
	t.Run("06 and 07 a stretch leaves the cursor, its end is left out", func(t *testing.T) {
		f := newFront(t, "watermark")
		f.add(at(5))
		f.pull(Choice{})
		place := f.place()
		f.add("2025-09-01 00:00:00", at(1), at(2), "2025-09-03 00:00:00")
		p := f.pull(Choice{Again: &Again{From: "2025-09-01", Until: "2025-09-03"}})
		f.wants("rows and slices", fmt.Sprint(ledger(p), " ", p.Slices), "3=3+0 2")
		c := f.head().Cursor
		f.wants("cursor", c.Before == c.After && f.place() == place, true)
		f.wants("the end belongs to the next", ledger(f.pull(Choice{Again: &Again{From: "2025-09-03", Until: "2025-09-04"}})), "1=1+0")
	})
	t.Run("10 a reload starts anew", func(t *testing.T) {
		f := newFront(t, "watermark")
		f.add(at(1), at(9))
		f.pull(Choice{})
		f.exec("delete from debtor where op_time = ?", at(9))
		f.add(at(3))
		f.wants("rows", ledger(f.pull(Choice{Reload: true})), "2=1+1")
		f.wants("place", strings.Contains(f.place(), at(3)), true)
	})
	t.Run("14 gaps are read again, finished slices are not", func(t *testing.T) {
		f := newFront(t, "watermark")
		f.add(at(1), at(2), at(3), at(4))
		f.pull(Choice{Again: &Again{From: "2025-09-02", Until: "2025-09-03"}})
		p := f.pull(Choice{Again: &Again{From: "2025-09-01", Until: "2025-09-05", Slice: "48h"}})
		f.wants("rows and slices", fmt.Sprint(ledger(p), " ", p.Slices), "3=3+0 2")
		p = f.pull(Choice{Again: &Again{From: "2025-09-01", Until: "2025-09-05"}})
		f.wants("again", fmt.Sprint(ledger(p), " ", p.Slices), "0=0+0 0")
	})
	t.Run("15 and 17 nothing new is a success", func(t *testing.T) {
		f := newFront(t, "watermark")
		f.add(at(1), at(2), at(2))
		f.pull(Choice{})
		place := f.place()
		f.wants("what stands at the cursor", ledger(f.pull(Choice{})), "2=0+2")
		f.exec("delete from debtor")
		f.wants("no row", f.pull(Choice{}).Quiet(), true)
		f.wants("place", f.place(), place)
	})
	t.Run("16 two full reads are the same, and a full list says what has left", func(t *testing.T) {
		f := newFront(t, "full")
		f.add(at(1), at(2), at(3))
		f.pull(Choice{})
		p := f.pull(Choice{})
		f.wants("again", fmt.Sprint(ledger(p), " ", p.Result.Gone), "3=0+3 0")
		f.exec("delete from debtor where op_time = ?", at(2))
		p = f.pull(Choice{})
		f.wants("one less", fmt.Sprint(ledger(p), " ", p.Result.Gone), "2=0+2 1")
		f.exec("delete from debtor")
		p = f.pull(Choice{})
		f.wants("none", fmt.Sprint(p.Feed.Hold != nil, p.Result.Gone, p.Result.Absent), "true 0 2")
		if _, err := f.try(Choice{Again: &Again{From: "2025-09-01", Until: "2025-09-03"}}); err == nil {
			t.Error("a table without a watermark read a stretch")
		}
	})
}
