package verify_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/grading"
	"xinshu/internal/verify"
	"xinshu/sql"
)

// shelf is a lake that holds one settled entry whose keys are paths.
type shelf struct{ entry chain.Entry }

func (s shelf) Head(_ context.Context, name string) (chain.Entry, error) {
	if name == chain.Settled {
		return s.entry, nil
	}
	return chain.Entry{}, nil
}

func (s shelf) Local(_ context.Context, f chain.File) (string, error) { return f.Key, nil }

// settledWith lays down one entity with versions of one record.
func settledWith(t *testing.T, versions ...string) shelf {
	t.Helper()
	db, err := duck.Open(duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dir := t.TempDir()
	put := func(table string, columns []duck.Column, set string, rows []string) chain.File {
		if err := db.Table(t.Context(), table, columns, nil); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if err := db.Exec(t.Context(), "insert into "+table+" ("+set+") values ("+row+")"); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, table+".parquet")
		if _, err := db.Copy(t.Context(), "select * from "+table, path); err != nil {
			t.Fatal(err)
		}
		return chain.File{Table: table, Key: path}
	}
	return shelf{chain.Entry{Chain: chain.Settled, N: 1, Files: []chain.File{
		put("record", grading.RecordColumns, "entity_id, uscc, record_id, version, known_from, known_to", versions),
		put("entity", grading.EntityColumns, "entity_id, uscc, known_from", []string{"1, '91350100M000100Y43', 1"}),
		put("mark", grading.MarkColumns, "mark_id", nil),
	}}}
}

func check(t *testing.T, s shelf) []verify.Finding {
	t.Helper()
	v := verify.Verifier{Lake: s, SQL: sql.Files}
	ran, found, err := v.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if ran < 3 {
		t.Errorf("only %d checks ran over settled tables", ran)
	}
	return found
}

func TestTablesThatKeepTheRulesGiveNoFinding(t *testing.T) {
	found := check(t, settledWith(t, "1, '91350100M000100Y43', 'r1', 1, 1, 2", "1, '91350100M000100Y43', 'r1', 2, 2, null"))
	if len(found) > 0 {
		t.Errorf("found %+v", found)
	}
}

func TestARecordWithTwoCurrentVersionsIsFound(t *testing.T) {
	found := check(t, settledWith(t, "1, '91350100M000100Y43', 'r1', 1, 1, null", "1, '91350100M000100Y43', 'r1', 2, 2, null"))
	if len(found) != 1 || found[0].Check != "one_current_version" || found[0].Rows != 1 || !strings.Contains(found[0].First, "r1") {
		t.Errorf("found %+v", found)
	}
}

func TestAnEmptyLakeHasNothingToCheck(t *testing.T) {
	v := verify.Verifier{Lake: shelf{}, SQL: sql.Files}
	if ran, found, err := v.Check(t.Context()); ran != 0 || found != nil || err != nil {
		t.Errorf("ran %d, found %v, %v", ran, found, err)
	}
}
