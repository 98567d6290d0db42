package settle

import (
	"io/fs"
	"os"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/duck/ducktest"
	"xinshu/internal/lake"
	"xinshu/sql"
)

// settledChecks are the checks that are about settled tables alone.
var settledChecks = []string{"one_current_version", "act_counted_twice", "code_with_two_ids", "mark_of_another_entity"}

func loadChecks(t testing.TB) map[string]duck.Model {
	t.Helper()
	checks := map[string]duck.Model{}
	for _, name := range settledChecks {
		file := "checks/" + name + ".sql"
		text, err := fs.ReadFile(sql.Files, file)
		if err != nil {
			t.Fatal(err)
		}
		if checks[name], err = duck.ParseModel(file, string(text)); err != nil {
			t.Fatal(err)
		}
	}
	return checks
}

func TestEveryCheckFindsWhatItIsFor(t *testing.T) {
	models := loadModels(t)
	ducktest.Suite{Models: loadChecks(t), Inputs: map[string][]duck.Column{
		"settled_record": models["settled_record"].Columns, "settled_entity": models["settled_entity"].Columns,
		"settled_mark": models["settled_mark"].Columns, "dataset_owner": ownerColumns,
	}}.Run(t, os.DirFS("../../sql"), "tests")
}

// breaches runs the checks over a settled lake and gives what they find.
func breaches(t *testing.T, l *lake.Lake) map[string]int64 {
	t.Helper()
	head, err := l.Head(t.Context(), chain.Settled)
	if err != nil {
		t.Fatal(err)
	}
	w, err := settler(t, l).open(t.Context(), "check", head)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for _, table := range []string{Record, Entity, Mark} {
		var paths []string
		for _, f := range head.Table(table) {
			path, err := l.Local(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
		if err := w.db.View(t.Context(), "settled_"+table, paths, w.columns("settled_"+table)); err != nil {
			t.Fatal(err)
		}
	}
	found := map[string]int64{}
	for name, check := range loadChecks(t) {
		if err := w.db.CheckModel(t.Context(), check); err != nil {
			t.Error(err)
		}
		var rows int64
		if err := w.db.One(t.Context(), "select count(*) from (\n"+check.Query+"\n)", nil, &rows); err != nil {
			t.Fatal(err)
		}
		if rows > 0 {
			found[name] = rows
		}
	}
	return found
}

func TestASettledProvinceBreaksNoCheck(t *testing.T) {
	l := openLake(t, t.TempDir())
	rows := provinceRows()
	for _, d := range []string{"prov-credit.penalty", "nat-credit.repair", "cult.penalty", "amr.reg"} {
		stageRows(t, l, d, rows[d]...)
		settleNow(t, l)
	}
	if found := breaches(t, l); len(found) > 0 {
		t.Error(found)
	}
}
