package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/explain"
	"xinshu/internal/quarantine"
	"xinshu/internal/simulate"
	"xinshu/sql"
)

// entitiesInTest is a province small enough for a test and large enough to hold every fault class.
const entitiesInTest = 600

// TestTheDemoHubTellsTheProvincesTruth lives through the whole demo and holds what the hub came to
// against the truth the province kept: refused rows, receivers, seals, explanations.
func TestTheDemoHubTellsTheProvincesTruth(t *testing.T) {
	dir := t.TempDir()
	out, _ := xinshu(t, "", "demo", "--once", "--json", "--entities", fmt.Sprint(entitiesInTest), "--seed", "3", "--data", dir)
	s := summaryOf(t, out)
	if r := s.Rows; r.Read == 0 || r.Read != r.Accepted+r.Duplicate+r.Quarantined+r.Skipped {
		t.Errorf("the ledger of all pulls does not balance: %+v", r)
	}
	if d := s.Deliveries; d.Open != 0 || d.Sent != d.Acknowledged+d.Rejected || d.Rejected == 0 {
		t.Errorf("of the deliveries %+v some are neither acknowledged nor rejected, or none was refused", d)
	}
	province, cat := provinceOf(t, 3, entitiesInTest)

	t.Run("quarantined is what was injected, row for row", func(t *testing.T) {
		want, got := injected(province, cat), refused(t, dir, cat)
		if len(want) < 100 {
			t.Fatalf("only %d faults were injected", len(want))
		}
		if diff := differences(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("receivers hold the newest grade of each entity", func(t *testing.T) { receiversAgree(t, dir, cat, province) })
	t.Run("the lines of every explanation sum to the published score", func(t *testing.T) { explanationsAgree(t, dir) })
	t.Run("the same seed gives the same seals", func(t *testing.T) {
		again := t.TempDir()
		out, _ := xinshu(t, "", "demo", "--once", "--json", "--entities", fmt.Sprint(entitiesInTest), "--seed", "3", "--data", again)
		for i, p := range summaryOf(t, out).Policies {
			if p.Seal != s.Policies[i].Seal || p.Entities != s.Policies[i].Entities {
				t.Errorf("%s: seal %s, then %s", p.ID, s.Policies[i].Seal, p.Seal)
			}
		}
	})
	t.Run("a second life in the same folder changes nothing", func(t *testing.T) {
		before := holdings(t, dir)
		out, _ := xinshu(t, "", "demo", "--once", "--json", "--entities", fmt.Sprint(entitiesInTest), "--seed", "3", "--data", dir)
		if diff := differences(before, holdings(t, dir)); diff != "" {
			t.Error(diff)
		}
		if again := summaryOf(t, out); again.Deliveries != s.Deliveries {
			t.Errorf("deliveries were %+v and are %+v", s.Deliveries, again.Deliveries)
		}
	})
	t.Run("every byte verifies", func(t *testing.T) { xinshu(t, "", "verify", "--read-data", "--data", dir) })
}

func provinceOf(t *testing.T, seed uint64, entities int) (*simulate.Province, *catalog.Catalog) {
	t.Helper()
	cat, faults := loadCatalog(Config{})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	p, err := simulate.New(seed, entities, cat)
	if err != nil {
		t.Fatal(err)
	}
	return p, cat
}

// injected lists the refusals that the province expects, each once: a source that hands a row over
// again gets it refused again.
func injected(p *simulate.Province, cat *catalog.Catalog) []string {
	var all []string
	for _, ds := range p.Datasets() {
		contract, _ := cat.Dataset(ds)
		for day := 1; day <= len(simulate.Days); day++ {
			for row := range p.Rows(ds, day) {
				if row.Want == simulate.Quarantined {
					all = append(all, fmt.Sprintf("%s %s %s %s", ds, row.Reason, row.Column, handle(contract, func(heading string) string { return at(p.Columns(ds), row.Values, heading) })))
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// handle tells a row apart by what no fault touches: when it was last touched, and its id at the source.
func handle(ds catalog.Dataset, value func(heading string) string) string {
	var parts []string
	for _, name := range []string{"op_time", "source_record_id"} {
		i := slices.IndexFunc(ds.Fields, func(f catalog.Field) bool { return f.Name == name })
		parts = append(parts, value(name)+value(ds.Fields[i].Title.ZH)) // a few departments head their columns in Chinese
	}
	return strings.Join(parts, " ")
}

func refused(t *testing.T, dir string, cat *catalog.Catalog) []string {
	t.Helper()
	out, _ := xinshu(t, "", "quarantine", "list", "--all", "--json", "--data", dir)
	var rows []quarantine.Row
	if err := json.Unmarshal(out, &rows); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range rows {
		var values map[string]any
		if err := json.Unmarshal(r.Values, &values); err != nil {
			t.Fatal(err)
		}
		ds, _ := cat.Dataset(r.Dataset)
		all = append(all, fmt.Sprintf("%s %s %s %s", r.Dataset, r.Reason, r.Column, handle(ds, func(heading string) string { return text(values[heading]) })))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func at(columns, values []string, heading string) string {
	if i := slices.Index(columns, heading); i >= 0 {
		return values[i]
	}
	return ""
}

func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// receiversAgree holds what the city's exchange platform keeps against what the hub published.
func receiversAgree(t *testing.T, dir string, cat *catalog.Catalog, province *simulate.Province) {
	world, err := simulate.Open(filepath.Join(dir, "province"), "127.0.0.1:0", cat, province, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	held, err := world.Receiver.Holdings("city-share")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, h := range held {
		grade := h.Grade
		if h.Kind == "retraction" {
			grade = "retracted"
		}
		got[h.Policy+"/"+h.USCC] = grade
	}
	checked := 0
	for key, want := range publishedGrades(t, dir) {
		grade, known := got[key]
		if !known {
			continue // a row the platform refused: it does not know the entity
		}
		if checked++; grade != want {
			t.Errorf("%s: the platform holds %s, published is %s", key, grade, want)
		}
	}
	if checked < 300 {
		t.Errorf("only %d grades were compared", checked)
	}
}

// publishedGrades gives what each policy's published chain states of each entity, as policy/code to grade.
func publishedGrades(t testing.TB, dir string) map[string]string {
	t.Helper()
	grades := map[string]string{}
	eachChain(t, dir, func(head chain.Entry, query func(question) []string) {
		policy, ok := strings.CutPrefix(head.Chain, chain.Published(""))
		if !ok {
			return
		}
		for _, line := range query(question{"grade", "select concat_ws(' ', uscc, case when retracted then 'retracted' else grade end) from held"}) {
			fields := strings.Fields(line) // chain, table, code, grade
			grades[policy+"/"+fields[2]] = fields[3]
		}
	})
	return grades
}

// explanationsAgree explains every published grade and holds it against what was published.
func explanationsAgree(t *testing.T, dir string) {
	a, err := openApp(t.Context(), Config{Data: dir, Store: StoreConfig{Kind: "folder"}, MaskKey: "unused", Score: ScoreConfig{MemoryMB: 384}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	published := map[string]map[string]string{} // policy, code, grade
	for key, grade := range publishedGrades(t, dir) {
		policy, uscc, _ := strings.Cut(key, "/")
		if published[policy] == nil {
			published[policy] = map[string]string{}
		}
		published[policy][uscc] = grade
	}
	checked := 0
	for policy, grades := range published {
		p, err := findPolicy(a.catalog, policy)
		if err != nil {
			t.Fatal(err)
		}
		clocks, _, err := a.desk.Clocks(t.Context(), p, catalog.NoDate)
		if err != nil {
			t.Fatal(err)
		}
		x, err := explain.Open(t.Context(), explain.Options{Lake: a.lake, SQL: sql.Files, Duck: a.duck, Policy: p, Platforms: a.catalog.PlatformDatasets()})
		if err != nil {
			t.Fatal(err)
		}
		for uscc, grade := range grades {
			if grade == "retracted" {
				continue
			}
			e, err := x.Entity(t.Context(), uscc, clocks)
			if err != nil {
				t.Fatal(err)
			}
			var sum catalog.Points
			for _, l := range e.Lines {
				sum += l.Points
			}
			if sum != e.Score || e.Grade != grade {
				t.Errorf("%s %s: lines sum to %s, score %s; explained grade %s, published %s", policy, uscc, sum, e.Score, e.Grade, grade)
			}
			checked++
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if checked < 4*entitiesInTest/2 {
		t.Errorf("only %d explanations were checked", checked)
	}
	t.Logf("%d explanations, each summing to the score that was published", checked)
}

// TestADataFolderGivenRelativelyIsTheSame: the province's SFTP server has a working directory of its
// own, and a folder it does not find must not look like departments with nothing to say.
func TestADataFolderGivenRelativelyIsTheSame(t *testing.T) {
	t.Chdir(t.TempDir())
	args := []string{"demo", "--once", "--json", "--entities", "60", "--clock", "2025-10-28", "--data"}
	relative, _ := xinshu(t, "", append(args, "here")...)
	absolute, _ := xinshu(t, "", append(args, t.TempDir())...)
	if a, b := summaryOf(t, relative), summaryOf(t, absolute); a.Rows != b.Rows || a.Rows.Read == 0 {
		t.Errorf("a relative folder gives %+v, an absolute one %+v", a.Rows, b.Rows)
	}
}
