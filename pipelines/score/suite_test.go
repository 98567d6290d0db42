package score

import (
	"context"
	"io/fs"
	"os"
	"path"
	"slices"
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

var settledRelations = slices.Concat(grading.Small, grading.Ranged)

// suite runs the cases of sql/tests of the scoring models. A case names its policy in the file
// "policy" and its clocks in run.csv.
func suite(t testing.TB) ducktest.Suite {
	s := ducktest.Suite{Models: map[string]duck.Model{}, Macros: sub(t, "sql"), Inputs: map[string][]duck.Column{
		"parting_record": grading.RecordColumns, "platform_dataset": grading.PlatformColumns, "settled_coverage": grading.CoverageColumns, "run": grading.RunColumns}}
	for _, r := range settledRelations {
		s.Inputs[r.Name] = r.Columns
	}
	models := loadModels(t)
	for _, m := range slices.Concat(models.Joining, models.Models) {
		s.Models[m.Name] = m
	}
	for _, m := range models.Joining {
		s.Inputs[m.Name] = m.Columns
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

// checks are those that look at results.
func checks(t testing.TB) map[string]duck.Model {
	t.Helper()
	models := map[string]duck.Model{}
	for _, file := range []string{"sql/checks/points_sum_to_score.sql", "sql/checks/entity_without_grade.sql"} {
		text, err := fs.ReadFile(tree, file)
		if err != nil {
			t.Fatal(err)
		}
		check, err := duck.ParseModel(path.Base(file), string(text))
		if err != nil {
			t.Fatal(err)
		}
		models[check.Name] = check
	}
	return models
}

func TestEveryCheckOfResultsFindsWhatItIsFor(t *testing.T) {
	s := suite(t)
	s.Inputs = map[string][]duck.Column{"grade": s.Models["grade"].Columns, "points": s.Models["points"].Columns}
	s.Models = checks(t)
	s.Run(t, sub(t, "sql"), "tests")
}

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
			for _, r := range append([]grading.Settled{{Name: "parting_record", Columns: grading.RecordColumns}}, settledRelations...) {
				if err := db.View(ctx, r.Name, nil, r.Columns); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.Views(ctx, db); err != nil {
				t.Fatal(err)
			}
			for _, model := range slices.Concat(m.Joining, m.Models) {
				if err := db.CheckModel(ctx, model); err != nil {
					t.Error(err)
				}
			}
			for _, check := range checks(t) {
				if err := db.CheckModel(ctx, check); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// The exact limits of the notices, which records alone do not reach: totals given as they are.
func TestExactLimitsOfTheNotices(t *testing.T) {
	policies := shipped(t)
	for name, c := range map[string]struct {
		policy string
		total  string
		grade  string
	}{
		"850 is A":                             {"heilongjiang-2021", "850", "A"},
		"849.99 is B":                          {"heilongjiang-2021", "849.99", "B"},
		"790 is B":                             {"heilongjiang-2021", "790", "B"},
		"789.99 is C":                          {"heilongjiang-2021", "789.99", "C"},
		"730 is C":                             {"heilongjiang-2021", "730", "C"},
		"729.99 is D":                          {"heilongjiang-2021", "729.99", "D"},
		"670 is D":                             {"heilongjiang-2021", "670", "D"},
		"669.99 is E":                          {"heilongjiang-2021", "669.99", "E"},
		"85 exactly is good, not excellent":    {"henan-2020", "85", "良"},
		"85.01 is excellent":                   {"henan-2020", "85.01", "优"},
		"70 exactly is medium, not good":       {"henan-2020", "70", "中"},
		"70.01 is good":                        {"henan-2020", "70.01", "良"},
		"50 exactly is poor, not medium":       {"henan-2020", "50", "差"},
		"50.01 is medium":                      {"henan-2020", "50.01", "中"},
		"790 is honest, 789.99 no longer":      {"jiangyin-2020", "789.99", "轻微失信"},
		"669.99 is serious dishonesty":         {"jiangyin-2020", "669.99", "严重失信"},
		"an industry total of 85.01 is A":      {"industry-template", "85.01", "A"},
		"an industry total of 85 exactly is B": {"industry-template", "85", "B"},
	} {
		t.Run(name, func(t *testing.T) {
			total, err := catalog.ParsePoints(c.total)
			if err != nil {
				t.Fatal(err)
			}
			if got := gradeOf(t, policies[c.policy], total); got != c.grade {
				t.Errorf("%s points under %s give %s, want %s", c.total, c.policy, got, c.grade)
			}
		})
	}
}

// gradeOf asks the mart itself: a policy whose base is the total, and an entity without records.
func gradeOf(t *testing.T, p catalog.Policy, total catalog.Points) (grade string) {
	t.Helper()
	ctx := t.Context()
	p.Base, p.Indicators = total, nil
	db, err := duck.Open(duck.Options{Threads: 1, MemoryMB: 256, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	m := loadModels(t)
	asOf := day("2021-12-31")
	if err := grading.Prepare(ctx, db, m, p, Clocks{AsOf: asOf, CorrectedTo: asOf, KnownSeq: 1, MarksSeq: 1}); err != nil {
		t.Fatal(err)
	}
	w := world{entities: []wEntity{{id: 1, uscc: "91410481MA44K7X22A", category: "91", from: day("2015-01-01"), until: catalog.NoDate, received: day("2015-01-01"), known: 1}}}
	for _, r := range settledRelations {
		var rows [][]any
		if r.Table == "entity" {
			rows = w.entityRows()
		}
		if err := db.Table(ctx, r.Name, r.Columns, rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Views(ctx, db); err != nil {
		t.Fatal(err)
	}
	if err := m.Materialise(ctx, db); err != nil {
		t.Fatal(err)
	}
	if err := db.One(ctx, "select grade from grade", nil, &grade); err != nil {
		t.Fatal(err)
	}
	return grade
}
