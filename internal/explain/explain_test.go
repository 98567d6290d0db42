package explain

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
)

const (
	subject = "91410481MA44K7X22A"
	body    = "12410481416912345D"
)

// shelf is a lake that holds three local files.
type shelf struct{ entry chain.Entry }

func (s shelf) Head(context.Context, string) (chain.Entry, error)     { return s.entry, nil }
func (s shelf) Local(_ context.Context, f chain.File) (string, error) { return f.Key, nil }

// settled writes records of the subject, given as kind, level, decided_on, valid_from, valid_until.
func settled(t *testing.T, records ...[5]string) shelf {
	t.Helper()
	ctx := t.Context()
	db, err := duck.Open(duck.Options{Threads: 1, MemoryMB: 128, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for name, cols := range map[string][]duck.Column{"record": grading.RecordColumns, "entity": grading.EntityColumns, "mark": grading.MarkColumns} {
		if err := db.Table(ctx, name, cols, nil); err != nil {
			t.Fatal(err)
		}
	}
	family := map[string]string{"tax_grade": "rating", "industry_grade": "rating", "penalty": "penalty", "severe_list": "listing", "judgment_debtor": "listing"}
	for i, r := range records {
		err := db.Exec(ctx, `insert into record by name select 7 as entity_id, $1 as uscc, 'r' || $2 as record_id, 1 as version, 1 as known_from,
			timestamp '2021-01-01' as source_time, 'd' || $2 as dataset, $3 as family, $4 as kind, $5 as level, cast($6 as date) as decided_on,
			cast(nullif($7, '') as date) as valid_from, cast(nullif($8, '') as date) as valid_until, 'in_force' as status, '文' || $2 as doc_no,
			cast($6 as date) as received_on, 1 as stage_n, $2 as row_no`, subject, i+1, family[r[0]]+strings.Repeat("other", btoi(family[r[0]] == "")), r[0], r[1], r[2], r[3], r[4])
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Exec(ctx, `insert into entity by name select 7 as entity_id, '`+subject+`' as uscc, '甲公司' as name, '91' as category,
		date '2015-01-01' as in_scope_from, date '2015-01-02' as received_on, 1 as known_from
		union all select 8, '`+body+`', '乙院', '12', date '2015-01-01', date '2015-01-02', 1`); err != nil {
		t.Fatal(err)
	}
	s := shelf{entry: chain.Entry{Chain: chain.Settled, N: 1}}
	for _, table := range []string{"record", "entity", "mark"} {
		path := filepath.Join(t.TempDir(), table+".parquet")
		if _, err := db.Copy(ctx, "select * from "+table, path); err != nil {
			t.Fatal(err)
		}
		s.entry.Files = append(s.entry.Files, chain.File{Table: table, Key: path})
	}
	return s
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func policy(t *testing.T, id string) catalog.Policy {
	t.Helper()
	families := map[string]catalog.Family{}
	entries, err := os.ReadDir("../../catalog/families")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile("../../catalog/families/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		var f catalog.Family
		if err := yaml.Unmarshal(text, &f); err != nil {
			t.Fatal(err)
		}
		families[f.ID] = f
	}
	p, faults := catalog.LoadPolicy(os.DirFS("../../catalog"), "policies/"+id+".yaml", families)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return p
}

func open(t *testing.T, p catalog.Policy, s shelf) *Explainer {
	t.Helper()
	x, err := Open(t.Context(), Options{Lake: s, SQL: os.DirFS("../../sql"), Policy: p, Duck: duck.Options{Threads: 1, MemoryMB: 128, TempDir: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}

func on(t *testing.T, s string) grading.Clocks {
	t.Helper()
	d, err := catalog.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return grading.Clocks{AsOf: d, CorrectedTo: catalog.NoDate}
}

func TestTheLinesSumToTheScoreAndNameEachCap(t *testing.T) {
	minor := [5]string{"penalty", "minor", "2021-06-01", "", ""}
	for name, c := range map[string]struct {
		policy  string
		records [][5]string
		score   string
		grade   string
		lines   []string // kind, indicator or rule, points
	}{
		"a rule's cap is a line of its own": {"heilongjiang-2021", [][5]string{minor, minor, minor, minor, minor}, "760", "C",
			[]string{"record O1-minor -10", "adjustment O1 10"}},
		"a floor is a line of its own": {"heilongjiang-2021", [][5]string{{"severe_list", "-", "2021-01-01", "2021-01-01", ""}, {"severe_list", "-", "2021-02-01", "2021-02-01", ""}}, "650", "E",
			[]string{"record O2-listed -150", "adjustment O2 150", "adjustment severe-list 0"}},
		"a cap of the total is a line of its own": {"heilongjiang-2021", [][5]string{{"judgment_debtor", "-", "2021-01-01", "2021-01-01", ""}, {"honour", "national", "2021-01-01", "", ""}}, "669.99", "E",
			[]string{"record S1-national 70", "adjustment judgment-debtor -80.01"}},
		"the latest rating carries the difference": {"heilongjiang-2021", [][5]string{{"tax_grade", "D", "2021-03-01", "", ""}, {"tax_grade", "A", "2021-04-01", "", ""}}, "820", "B",
			[]string{"record O4-D 0", "record O4-A 20"}},
		"a mean is a line of its own": {"heilongjiang-2021", [][5]string{{"industry_grade", "best", "2021-03-01", "", ""}, {"industry_grade", "medium", "2021-04-01", "", ""}}, "804", "B",
			[]string{"record O11-best 0", "adjustment O11 4"}},
		"a forced grade changes no points": {"henan-2020", [][5]string{{"severe_list", "-", "2021-01-01", "2021-01-01", ""}}, "80", "差",
			[]string{"neutral  80", "adjustment severe-list 0"}},
		"a floor of the total is a line of its own": {"henan-2020", [][5]string{{"penalty", "serious", "2021-05-01", "", ""}, {"penalty", "serious", "2021-05-01", "", ""},
			{"penalty", "serious", "2021-05-01", "", ""}, {"penalty", "serious", "2021-05-01", "", ""}, {"penalty", "serious", "2021-05-01", "", ""}}, "0", "差", []string{"adjustment  20"}},
		"the adverse and the good stand apart": {"lingyuan-2021", [][5]string{{"penalty", "general", "2021-05-01", "", ""}, {"tax_grade", "A", "2021-04-01", "", ""}}, "-15", "C",
			[]string{"record F1-general -40", "record G1-A 25"}},
	} {
		t.Run(name, func(t *testing.T) {
			x := open(t, policy(t, c.policy), settled(t, c.records...))
			e, err := x.Entity(t.Context(), subject, on(t, "2021-10-31"))
			if err != nil {
				t.Fatal(err)
			}
			sum, lines := catalog.Points(0), map[string]bool{}
			for _, l := range e.Lines {
				sum += l.Points
				what := l.Rule
				if what == "" {
					what = l.Indicator
				}
				lines[l.Kind+" "+what+" "+l.Points.String()] = true
				if l.Origin == "" {
					t.Errorf("line without origin: %+v", l)
				}
				if l.Kind == "record" && (l.DocNo == "" || l.DecidedOn == nil || l.Record == "") {
					t.Errorf("a record line must name its document, day and record: %+v", l)
				}
			}
			if sum != e.Score || e.Score.String() != c.score || e.Grade != c.grade || e.Name != "甲公司" || !e.Trial {
				t.Errorf("score %s, lines %s, grade %s; want %s %s", e.Score, sum, e.Grade, c.score, c.grade)
			}
			for _, line := range c.lines {
				if !lines[line] {
					t.Errorf("no line %q among %v", line, lines)
				}
			}
		})
	}
}

func TestTheNextChangeIsTheFirstDayOnWhichTheGradeReallyChanges(t *testing.T) {
	// Two general penalties: 720, D. The first ends on 2022-03-01 (760, C), the minor one before it changes nothing.
	x := open(t, policy(t, "jiangyin-2020"), settled(t, [5]string{"penalty", "minor", "2021-02-01", "", ""},
		[5]string{"penalty", "general", "2021-03-01", "", ""}, [5]string{"penalty", "general", "2021-05-01", "", ""}))
	e, err := x.Entity(t.Context(), subject, on(t, "2021-10-31"))
	if err != nil {
		t.Fatal(err)
	}
	if e.NextReviewOn == nil || e.NextReviewOn.String() != "2022-02-01" {
		t.Errorf("next review on %v", e.NextReviewOn)
	}
	change, err := x.NextChange(t.Context(), e)
	if err != nil || change == nil || change.On.String() != "2022-03-01" || change.Grade != "轻微失信" || change.Score.String() != "760" {
		t.Errorf("%+v, %v", change, err)
	}
	text, err := json.Marshal(e)
	if err != nil || !strings.Contains(string(text), `"next_review_on":"2022-02-01"`) || !strings.Contains(string(text), `"points":-40`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestWhoIsNotGradedIsNotFound(t *testing.T) {
	x := open(t, policy(t, "heilongjiang-2021"), settled(t))
	for _, uscc := range []string{body, "91410481MA45B3C11A"} {
		if _, err := x.Entity(t.Context(), uscc, on(t, "2021-12-31")); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s: %v", uscc, err)
		}
	}
	if e, err := x.Entity(t.Context(), subject, on(t, "2021-12-31")); err != nil || e.Score.String() != "800" || e.NextReviewOn != nil {
		t.Errorf("%+v %v", e, err)
	}
}

// The models are planned once, over empty tables, and run for whoever is asked next.
func TestOneExplainerAnswersAsAFreshOneEachTime(t *testing.T) {
	p, s := policy(t, "heilongjiang-2021"), settled(t, [5]string{"penalty", "minor", "2021-02-01", "", ""}, [5]string{"penalty", "serious", "2020-03-01", "", ""},
		[5]string{"severe_list", "-", "2021-01-01", "2021-01-01", "2021-12-01"}, [5]string{"tax_grade", "D", "2021-03-01", "", ""},
		[5]string{"tax_grade", "A", "2022-04-01", "", ""}, [5]string{"honour", "national", "2021-01-01", "", ""})
	x := open(t, p, s)
	scores := map[string]bool{}
	for _, day := range []string{"2021-10-31", "2016-01-01", "2024-12-31", "2022-06-30", "2021-10-31", "2021-12-31"} {
		if _, err := x.Entity(t.Context(), body, on(t, day)); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("the body is explained on %s: %v", day, err)
		}
		again, err := x.Entity(t.Context(), subject, on(t, day))
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := open(t, p, s).Entity(t.Context(), subject, on(t, day))
		if err != nil {
			t.Fatal(err)
		}
		got, want := told(t, again), told(t, fresh)
		if got != want {
			t.Errorf("on %s after others:\n%s\nby a fresh explainer:\n%s", day, got, want)
		}
		scores[again.Score.String()] = true
	}
	if len(scores) < 4 {
		t.Errorf("only the scores %v: the days are too much alike to prove anything", scores)
	}
}

func told(t *testing.T, e Explanation) string {
	t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
