package missing

import (
	"context"
	"os"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/duck/ducktest"
	"xinshu/internal/grading"
)

func TestCasesOfTheLists(t *testing.T) {
	models, err := Models(os.DirFS("../../sql"))
	if err != nil {
		t.Fatal(err)
	}
	s := ducktest.Suite{Models: models, Inputs: map[string][]duck.Column{
		"settled_record": grading.RecordColumns, "settled_entity": grading.EntityColumns, "dataset_owner": Owners}}
	s.Run(t, os.DirFS("../../sql"), "tests")
}

// settled is a lake with one settled snapshot of two small tables.
type settled struct{ files map[string]string }

func (s settled) Head(context.Context, string) (chain.Entry, error) {
	e := chain.Entry{Chain: chain.Settled, N: 1}
	for table := range s.files {
		e.Files = append(e.Files, chain.File{Table: table, Range: chain.NoRange})
	}
	return e, nil
}

func (s settled) Local(_ context.Context, f chain.File) (string, error) { return s.files[f.Table], nil }

func TestADepartmentHasTheWorkingDaysOfItsDuty(t *testing.T) {
	cat, _ := catalog.Load(catalog.Files)
	db, err := duck.Open(duck.Options{Threads: 1, MemoryMB: 128, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	lake := settled{map[string]string{"record": t.TempDir() + "/r.parquet", "entity": t.TempDir() + "/e.parquet"}}
	for name, c := range map[string]struct {
		columns []duck.Column
		rows    string
	}{
		"record": {grading.RecordColumns, `insert into record by name
			select * from (values (1, 'a', 'cult.penalty', 'penalty', 'penalty', '文罚1号', 'in_force', 'X', 'C1', date '2025-11-03', date '2025-11-04'),
			(1, 'b', 'prov-credit.penalty', 'penalty', 'penalty', '文罚2号', 'in_force', 'X', 'C1', date '2025-11-03', date '2025-11-04'))
			as v(entity_id, record_id, dataset, family, kind, doc_no, status, authority_uscc, uscc, decided_on, received_on)`},
		"entity": {grading.EntityColumns, `insert into entity by name select 1 as entity_id, 'C1' as uscc, '某公司' as name`},
	} {
		if err := db.Table(t.Context(), name, c.columns, nil); err != nil {
			t.Fatal(err)
		}
		if err := db.Exec(t.Context(), c.rows); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Copy(t.Context(), "select * from "+name, lake.files[name]); err != nil {
			t.Fatal(err)
		}
	}
	f := Finder{Lake: lake, SQL: os.DirFS("../../sql"), Duck: duck.Options{Threads: 1, MemoryMB: 128, TempDir: t.TempDir()}, Catalog: cat}
	ds, _ := cat.Dataset("cult.penalty")
	due, err := cat.Calendars.AddWorkdays(day(t, "2025-11-03"), ds.Duty.WorkingDays)
	if err != nil || ds.Duty.WorkingDays == 0 {
		t.Fatalf("the dataset has no duty to test with: %v", err)
	}
	lists, err := f.Find(t.Context(), due)
	if err != nil || len(lists.Acts) != 0 || lists.Early != 1 {
		t.Errorf("on the last day of the duty: %+v, %v", lists, err)
	}
	if len(lists.Entities) != 1 || lists.Entities[0].Name != "某公司" || lists.Entities[0].Records != 2 {
		t.Errorf("a code without registration: %+v", lists.Entities)
	}
	lists, err = f.Find(t.Context(), due+1)
	if err != nil || len(lists.Acts) != 1 || lists.Acts[0].Department != "cult" || lists.Acts[0].Dataset != "cult.penalty" || lists.Acts[0].DocNo != "文罚2号" || *lists.Acts[0].DueOn != due {
		t.Errorf("the day after: %+v, %v", lists.Acts, err)
	}
}

func day(t *testing.T, text string) catalog.Date {
	t.Helper()
	d, err := catalog.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
