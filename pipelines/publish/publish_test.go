package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/duck/ducktest"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
)

func TestCases(t *testing.T) {
	inputs := map[string][]duck.Column{"scored": scoredColumns, "release": releaseColumns, "withheld": withheldColumns, "successor": successorColumns}
	models := map[string]duck.Model{}
	for _, name := range []string{changeModel, gradeModel} {
		m, err := model(name)
		if err != nil {
			t.Fatal(err)
		}
		models[name] = m
	}
	inputs["published"] = models[gradeModel].Columns
	ducktest.Suite{Models: map[string]duck.Model{changeModel: models[changeModel]}, Inputs: inputs}.Run(t, os.DirFS("testdata"), ".")
	inputs["change"] = models[changeModel].Columns
	ducktest.Suite{Models: map[string]duck.Model{gradeModel: models[gradeModel]}, Inputs: inputs}.Run(t, os.DirFS("testdata"), ".")
}

// world is a lake in a folder and one policy whose scored grades a test sets.
type world struct {
	t      *testing.T
	lake   *lake.Lake
	folder string
	policy catalog.Policy
	runs   int
	Publisher
}

func newWorld(t *testing.T, cycle string) *world {
	w := &world{t: t, folder: t.TempDir(), policy: catalog.Policy{ID: "henan-2020", Cycle: cycle, AsOf: "10-31", SHA256: "policy",
		Title: catalog.Text{ZH: "公共信用综合评价"}, Evaluation: "public", Maker: catalog.Text{ZH: "省发展改革委"},
		Wording: catalog.Text{ZH: "不作为政府部门对信用主体信用状况的背书。"}}}
	w.open(w.folder)
	return w
}

func (w *world) open(folder string) {
	w.t.Helper()
	store, err := lake.OpenFolder(folder)
	w.ok(err)
	l, err := lake.New(store, lake.Options{Now: func() time.Time { return time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC) }})
	w.ok(err)
	w.lake = l
	w.Publisher = Publisher{Lake: l, Duck: duck.Options{Threads: 2, MemoryMB: 256, TempDir: w.t.TempDir()}}
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// score commits grades, written "USCC grade score" and optionally a division, as scoring would.
func (w *world) score(asOf, correctedTo string, grades ...string) Scored {
	w.t.Helper()
	w.runs++
	db, err := duck.Open(w.Duck)
	w.ok(err)
	defer func() { w.ok(db.Close()) }()
	var rows [][]any
	for _, g := range grades {
		f := append(strings.Fields(g), "410481")
		var score int64
		_, err := fmt.Sscan(f[2], &score)
		w.ok(err)
		rows = append(rows, []any{f[0], "企业" + f[0], f[0][:2], f[3], "C26", score, f[1], int64(1), "诚信守法", true})
	}
	w.ok(db.Table(w.t.Context(), "grade", scoredColumns, rows))
	path := filepath.Join(w.t.TempDir(), "grade.parquet")
	n, err := db.Copy(w.t.Context(), "select * from grade order by uscc", path)
	w.ok(err)
	name, run := chain.Scored(w.policy.ID), fmt.Sprintf("score-%d", w.runs)
	head, err := w.lake.Head(w.t.Context(), name)
	w.ok(err)
	file, err := w.lake.Put(w.t.Context(), chain.Object{Chain: name, Run: run, Table: "grade", Range: chain.NoRange, Path: path, Rows: n})
	w.ok(err)
	e, err := w.lake.Commit(w.t.Context(), chain.Draft{Base: head, Keep: func(chain.File) bool { return false }, Files: []chain.File{file},
		Entry: chain.Entry{Chain: name, Run: run, Intent: chain.Intent("score", asOf, correctedTo, fmt.Sprint(grades))}})
	w.ok(err)
	return Scored{Policy: w.policy, Entry: e, AsOf: date(w.t, asOf), CorrectedTo: date(w.t, correctedTo), Seal: "seal of " + asOf + " " + correctedTo}
}

func (w *world) publish(s Scored) Result {
	w.t.Helper()
	w.runs++
	r, err := w.Publish(w.t.Context(), fmt.Sprintf("publish-%d", w.runs), s)
	w.ok(err)
	return r
}

// stated gives "kind uscc version grade" of every change that came after an entry.
func (w *world) stated(since int64) []string {
	w.t.Helper()
	var all []string
	for _, c := range w.changes(since) {
		all = append(all, fmt.Sprintf("%s %s %d %s", c.Kind, c.USCC, c.Version, c.Grade))
	}
	slices.Sort(all)
	return all
}

func (w *world) changes(since int64) []Change {
	w.t.Helper()
	head, err := w.lake.Head(w.t.Context(), chain.Published(w.policy.ID))
	w.ok(err)
	var all []Change
	for row, err := range w.Changes(w.t.Context(), head, since) {
		w.ok(err)
		var c Change
		w.ok(json.Unmarshal(row.Body, &c))
		if row.ID != c.ID || row.Version != c.Version || row.Kind != c.Kind || row.USCC != c.USCC ||
			c.ID != fmt.Sprintf("%s/%s/%d", c.Policy, c.USCC, c.Version) {
			w.t.Errorf("row %+v and its body %+v differ", row, c)
		}
		all = append(all, c)
	}
	return all
}

func date(t *testing.T, s string) catalog.Date {
	t.Helper()
	d, err := catalog.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestAYearlyResultIsCorrectedUnderTheSameAsOfAndReplacedByTheNextYears(t *testing.T) {
	w := newWorld(t, "yearly")
	r := w.publish(w.score("2024-10-31", "2024-10-31", "91A 良 8000", "91B 中 6000", "91C 差 4000"))
	if !maps.Equal(r.Changes, map[string]int64{"new": 3}) || r.Entry.N != 1 {
		t.Fatalf("first release %+v", r)
	}
	r = w.publish(w.score("2024-10-31", "2025-02-16", "91A 良 8000", "91B 良 8000"))
	if !maps.Equal(r.Changes, map[string]int64{"corrected": 1, "retracted": 1}) {
		t.Errorf("correction %+v", r)
	}
	equal(t, "correction", w.stated(1), []string{"correction 91B 2 良", "retraction 91C 2 "})
	for _, c := range w.changes(1) {
		if c.Kind == "correction" && (c.PreviousGrade != "中" || c.PreviousVersion != 1 || c.AsOf != "2024-10-31" || c.CorrectedTo != "2025-02-16" ||
			c.Wording != w.policy.Wording.ZH || c.Maker != "省发展改革委" || c.Evaluation != "public" || c.Status != "trial" || c.Seal == "" || c.Score != "80") {
			t.Errorf("the correction says %+v", c)
		}
		if c.Kind == "retraction" && (c.Score != "" || c.Grade != "" || c.Name != "") {
			t.Errorf("the retraction still tells %+v", c)
		}
	}
	w.publish(w.score("2025-10-31", "2025-10-31", "91A 良 8000", "91B 良 8000", "91C 良 8000"))
	equal(t, "next year, every result is new though the grade is the same", w.stated(2), []string{"grade 91A 2 良", "grade 91B 3 良", "grade 91C 3 良"})
	equal(t, "from nothing", w.stated(0)[:3], []string{"correction 91B 2 良", "grade 91A 1 良", "grade 91A 2 良"})
}

func TestTheSameScoredEntryTwiceCommitsOnce(t *testing.T) {
	w := newWorld(t, "dynamic")
	s := w.score("2025-11-03", "2025-11-03", "91A B 80000")
	first := w.publish(s)
	again := w.publish(s)
	if again.Entry.N != 1 || again.Entry.SHA256 != first.Entry.SHA256 || len(again.Changes) != 0 {
		t.Errorf("second time %+v", again)
	}
	same := w.publish(w.score("2025-11-04", "2025-11-04", "91A B 80000")) // another day, nothing differs
	if same.Entry.N != 1 || same.Held != "" {
		t.Errorf("nothing differs: %+v", same)
	}
	if left, err := filepath.Glob(filepath.Join(w.lake.TempDir(), "publish-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind %v, %v", left, err)
	}
}

func TestAYearlyPolicyPublishesOnlyItsCutOff(t *testing.T) {
	w := newWorld(t, "yearly")
	if r := w.publish(w.score("2025-11-03", "2025-11-03", "91A 良 8000")); r.Held == "" || r.Entry.N != 0 {
		t.Errorf("published %+v", r)
	}
}

func TestAnOldResultNeverReplacesANewerOne(t *testing.T) {
	w := newWorld(t, "yearly")
	first := w.score("2025-10-31", "2025-10-31", "91A 中 6000")
	w.publish(first)
	w.publish(w.score("2025-10-31", "2026-02-16", "91A 良 8000"))
	for _, old := range []Scored{first, w.score("2024-10-31", "2026-02-16", "91A 差 1000")} {
		if r := w.publish(old); r.Held == "" || r.Entry.N != 2 {
			t.Errorf("as of %s: %+v", old.AsOf, r)
		}
	}
	equal(t, "stated", w.stated(1), []string{"correction 91A 2 良"})
}

func TestWhatIsWithheldIsRetractedAndComesBackAsNew(t *testing.T) {
	w := newWorld(t, "dynamic")
	w.publish(w.score("2025-11-03", "2025-11-03", "91A B 80000", "91B B 80000"))
	s := w.score("2025-11-04", "2025-11-04", "91A C 70000", "91B B 80000")
	s.Withheld = []string{"91A"}
	w.publish(s)
	equal(t, "withheld", w.stated(1), []string{"retraction 91A 2 "})
	w.publish(w.score("2025-11-05", "2025-11-05", "91A C 70000", "91B B 80000 410402"))
	equal(t, "shared again; and who moves to another division is told there", w.stated(2), []string{"grade 91A 3 C", "grade 91B 2 B"})
}

func TestVersionsGrowAcrossARestore(t *testing.T) {
	w := newWorld(t, "dynamic")
	w.publish(w.score("2025-11-03", "2025-11-03", "91A B 80000", "91B B 80000", "91C B 80000"))
	w.publish(w.score("2025-11-04", "2025-11-04", "91A B 80000", "91B B 80000"))
	backup := filepath.Join(t.TempDir(), "backup")
	w.ok(os.CopyFS(backup, os.DirFS(w.folder)))
	for day := range 5 { // receivers see versions that the backup does not know
		at := fmt.Sprintf("2025-11-%02d", 5+day)
		w.publish(w.score(at, at, fmt.Sprintf("91A B %d", 80000+day+1), "91B B 80000"))
	}
	seen := map[string]int64{}
	for _, c := range w.changes(0) {
		seen[c.USCC] = max(seen[c.USCC], c.Version)
	}
	w.open(backup)
	epoch, err := w.lake.NewEpoch(t.Context(), 0, "restore")
	w.ok(err)
	w.publish(w.score("2025-11-10", "2025-11-10", "91A B 80000", "91B B 80000"))
	restated := w.changes(2)
	if len(restated) != 3 {
		t.Errorf("everything is stated again under a new epoch, also what is retracted: %q", w.stated(2))
	}
	for _, c := range restated {
		if c.Version <= seen[c.USCC] || c.Version>>epochBits != epoch {
			t.Errorf("%s has version %d after %d", c.USCC, c.Version, seen[c.USCC])
		}
	}
}

func TestAResultWithoutScoreOrSealIsNotPublished(t *testing.T) {
	w := newWorld(t, "dynamic")
	s := w.score("2025-11-03", "2025-11-03", "91A B 80000")
	s.Seal = ""
	if _, err := w.Publish(t.Context(), "r", s); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a seal: %v", err)
	}
	if _, err := w.Publish(t.Context(), "r", Scored{Policy: w.policy}); !fault.Is(err, fault.NotFound) {
		t.Errorf("never scored: %v", err)
	}
}

// rival is a lake in which another node publishes between the comparison and the commit.
type rival struct {
	Lake
	once func()
}

func (r *rival) Commit(ctx context.Context, d chain.Draft) (chain.Entry, error) {
	if once := r.once; once != nil {
		r.once = nil
		once()
	}
	return r.Lake.Commit(ctx, d)
}

func TestAnotherNodesReleaseInBetweenIsComparedWith(t *testing.T) {
	w := newWorld(t, "dynamic")
	mine := w.score("2025-11-04", "2025-11-04", "91A C 70000", "91B B 80000")
	theirs := w.score("2025-11-03", "2025-11-03", "91A B 80000", "91B B 80000")
	other := w.Publisher
	w.Lake = &rival{Lake: w.lake, once: func() {
		_, err := other.Publish(t.Context(), "other", theirs)
		w.ok(err)
	}}
	r := w.publish(mine)
	if r.Entry.N != 2 || !maps.Equal(r.Changes, map[string]int64{"changed": 1}) {
		t.Errorf("%+v", r)
	}
	equal(t, "stated", w.stated(0), []string{"grade 91A 1 B", "grade 91A 2 C", "grade 91B 1 B"})
}
