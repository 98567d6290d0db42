package settle

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/duck"
	"xinshu/internal/duck/ducktest"
	"xinshu/sql"
)

var shipped = sync.OnceValue(func() *catalog.Catalog {
	c, _ := catalog.Load(catalog.Files)
	return c
})

func loadCatalog(t testing.TB) *catalog.Catalog {
	t.Helper()
	c := shipped()
	for _, f := range c.Faults {
		if strings.HasPrefix(f.File, "families/") || strings.HasPrefix(f.File, "rules/") || strings.HasPrefix(f.File, "platforms/") {
			t.Fatalf("%s:%d: %s", f.File, f.Line, f.Message)
		}
	}
	return c
}

func loadModels(t testing.TB) map[string]duck.Model {
	t.Helper()
	m, err := (&Settler{SQL: sql.Files}).models()
	if err != nil {
		t.Fatal(err)
	}
	return m.named
}

// settledInputs are the relations that models of the folder settled read, with their columns.
func settledInputs(models map[string]duck.Model) map[string][]duck.Column {
	withID := func(model string) []duck.Column {
		return append([]duck.Column{{Name: "entity_id", Type: "BIGINT"}}, models[model].Columns...)
	}
	return map[string][]duck.Column{
		"old_record": models["settled_record"].Columns, "old_entity": models["settled_entity"].Columns,
		"old_mark": models["settled_mark"].Columns, "old_alias": models["settled_alias"].Columns, "number": numberColumns,
		"said_registration": models["settled_record"].Columns, "said_entity": models["settled_entity"].Columns, "written_range": rangeColumns,
		"old_coverage": models["settled_coverage"].Columns,
		"incoming":     withID("stg_registration"), "incoming_entity": withID("stg_entity"),
		"arrived": models["moved_record"].Columns, "every_record": models["settled_record"].Columns,
		"statement": models["stg_case"].Columns, "match": models["mark_match"].Columns,
		"settling": {{Name: "n", Type: "BIGINT"}}, "dataset_owner": ownerColumns, "delivery": deliveryColumns, "feed_hold": holdColumns, "gone": goneColumns,
		"severity_rule": severityColumns, "publicity_rule": publicityColumns,
		"seen": {{Name: "entity_id", Type: "BIGINT"}, {Name: "uscc", Type: "VARCHAR"}, {Name: "name", Type: "VARCHAR"}, {Name: "received_on", Type: "DATE"}},
		"act": {{Name: "record_id", Type: "VARCHAR"}, {Name: "uscc", Type: "VARCHAR"}, {Name: "dataset", Type: "VARCHAR"},
			{Name: "doc_no", Type: "VARCHAR"}, {Name: "authority_uscc", Type: "VARCHAR"}, {Name: "source_time", Type: "TIMESTAMP"}},
	}
}

// families gives the family whose rows a staging model reads; the models that serve every family are
// tried on one.
func familyOf(t testing.TB, c *catalog.Catalog, model string) (catalog.Family, bool) {
	id, staging := strings.CutPrefix(model, "stg_")
	if !staging {
		return catalog.Family{}, false
	}
	switch id {
	case "withdrawal":
		id = "penalty"
	case "entity":
		id = "registration"
	}
	f, found := c.Family(id)
	if !found {
		t.Fatalf("%s serves no family", model)
	}
	return f, true
}

func suiteFor(t testing.TB, c *catalog.Catalog, models map[string]duck.Model, model string) ducktest.Suite {
	s := ducktest.Suite{Models: map[string]duck.Model{model: models[model]}, Inputs: settledInputs(models), Macros: sql.Files}
	if model == "settled_record" {
		s.Models["record_version"] = models["record_version"]
	}
	if f, staging := familyOf(t, c, model); staging {
		s.Inputs["staged"] = stagedColumns(f)
		s.Setup = shippedRules(c)
	}
	return s
}

// shippedRules lets a case that gives no rules of its own read the catalogue's; an op or share that
// a case leaves out is the usual one.
func shippedRules(c *catalog.Catalog) func(context.Context, *duck.DB, map[string]string) error {
	return func(ctx context.Context, db *duck.DB, files map[string]string) error {
		if _, own := files["severity_rule.csv"]; !own {
			if err := db.Append(ctx, "severity_rule", severityColumns, severityRows(c.Rules)); err != nil {
				return err
			}
		}
		if _, own := files["publicity_rule.csv"]; !own {
			if err := db.Append(ctx, "publicity_rule", publicityColumns, publicityRows(c.Rules)); err != nil {
				return err
			}
		}
		return db.Exec(ctx, "update staged set op = 'I' where op is null; update staged set share = 'unconditional' where share is null")
	}
}

// A stale header cannot be merged: each model runs on empty inputs and gives what its header says.
func TestEveryHeaderSaysWhatItsModelGives(t *testing.T) {
	c, models := loadCatalog(t), loadModels(t)
	for _, name := range slices.Sorted(maps.Keys(models)) {
		t.Run(name, func(t *testing.T) {
			db, err := duck.Open(duck.Options{Threads: 1, TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if err := db.Scripts(t.Context(), sql.Files, "macros/*.sql"); err != nil {
				t.Fatal(err)
			}
			s := suiteFor(t, c, models, name)
			for _, input := range models[name].Inputs {
				columns, known := s.Inputs[input]
				if inner, isModel := models[input]; isModel {
					columns, known = inner.Columns, true
				}
				if !known {
					t.Fatalf("the header names an input that settling does not make: %s", input)
				}
				if err := db.View(t.Context(), input, nil, columns); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.CheckModel(t.Context(), models[name]); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEveryFamilyHasItsModel(t *testing.T) {
	c, models := loadCatalog(t), loadModels(t)
	if len(c.Families) < 12 {
		t.Errorf("%d families", len(c.Families))
	}
	for _, f := range c.Families {
		if _, found := models["stg_"+f.ID]; !found {
			t.Errorf("family %s has no sql/staging/stg_%s.sql", f.ID, f.ID)
		}
	}
}

// The cases a steward can read and add to: sql/tests/<model>/<case>.txtar.
func TestCases(t *testing.T) {
	c, models := loadCatalog(t), loadModels(t)
	for _, name := range slices.Sorted(maps.Keys(models)) {
		if name == "record_version" {
			continue // its cases are those of settled_record, which stands on it
		}
		suiteFor(t, c, models, name).Run(t, os.DirFS("../../sql"), "tests")
	}
}
