package score

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/duck"
	"xinshu/internal/duck/ducktest"
	"xinshu/internal/grading"
)

// tree is the repository's own sql and catalog folders: what ships is what is tested.
var tree = os.DirFS("../..")

func sub(t testing.TB, dir string) fs.FS {
	t.Helper()
	f, err := fs.Sub(tree, dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func shipped(t testing.TB) map[string]catalog.Policy {
	t.Helper()
	families := families(t)
	policies, faults := catalog.LoadPolicies(sub(t, "catalog"), families)
	for _, f := range faults {
		t.Error(f)
	}
	byID := map[string]catalog.Policy{}
	for _, p := range policies {
		byID[p.ID] = p
	}
	return byID
}

func loadModels(t testing.TB) grading.Models {
	t.Helper()
	m, err := grading.Load(sub(t, "sql"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// suite runs the cases of sql/tests of the scoring models. A case names its policy in the file
// "policy" and its clocks in run.csv.
func suite(t testing.TB) ducktest.Suite {
	s := ducktest.Suite{Models: map[string]duck.Model{}, Macros: sub(t, "sql"), Inputs: map[string][]duck.Column{
		"settled_record": grading.RecordColumns, "settled_entity": grading.EntityColumns, "settled_mark": grading.MarkColumns, "run": grading.RunColumns}}
	for _, m := range loadModels(t).Models {
		s.Models[m.Name] = m
	}
	policies := shipped(t)
	s.Setup = func(ctx context.Context, db *duck.DB, files map[string]string) error {
		id := files["policy"]
		if id == "" {
			id = "heilongjiang-2021"
		}
		return grading.PolicyTables(ctx, db, policies[strings.TrimSpace(id)])
	}
	return s
}

func TestCasesOfTheScoringModels(t *testing.T) { suite(t).Run(t, sub(t, "sql"), "tests") }

func TestHeadersSayWhatTheModelsGive(t *testing.T) {
	for _, p := range shipped(t) {
		t.Run(p.ID, func(t *testing.T) {
			ctx := t.Context()
			db, err := duck.Open(duck.Options{Threads: 1, MemoryMB: 256, TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			m := loadModels(t)
			if err := grading.Prepare(ctx, db, m, p, Clocks{}); err != nil {
				t.Fatal(err)
			}
			for name, cols := range map[string][]duck.Column{"settled_record": grading.RecordColumns, "settled_entity": grading.EntityColumns, "settled_mark": grading.MarkColumns} {
				if err := db.View(ctx, name, nil, cols); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.Views(ctx, db); err != nil {
				t.Fatal(err)
			}
			for _, model := range m.Models {
				if err := db.CheckModel(ctx, model); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
