package catalog

import (
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"
)

func policyFamilies(t testing.TB) map[string]Family {
	t.Helper()
	files, err := fs.Glob(os.DirFS("."), "families/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no families: %v", err)
	}
	families := map[string]Family{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var f Family
		if err := yaml.Unmarshal(text, &f); err != nil {
			t.Fatal(err)
		}
		families[f.ID] = f
	}
	return families
}

func TestShippedPoliciesHoldTheirOwnRules(t *testing.T) {
	policies, faults := LoadPolicies(os.DirFS("."), policyFamilies(t))
	for _, f := range faults {
		t.Error(f)
	}
	byID := map[string]Policy{}
	for _, p := range policies {
		byID[p.ID] = p
	}
	for _, id := range []string{"heilongjiang-2021", "henan-2020", "lingyuan-2021", "jiangyin-2020"} {
		if byID[id].Status != "trial" {
			t.Errorf("%s ships as %q; its point table is ours, so it is a trial", id, byID[id].Status)
		}
	}
	if p := byID["jiangyin-2020"]; len(p.Indicators) != 18 || p.Cycle != "dynamic" || p.Objection.WorkingDays != 5 || len(p.Grades) != 4 {
		t.Errorf("jiangyin takes 18 indicators over and says the rest itself: %d, %s, %d, %d", len(p.Indicators), p.Cycle, p.Objection.WorkingDays, len(p.Grades))
	}
}

func TestATrialIsATrialForEveryReason(t *testing.T) {
	policies, _ := LoadPolicies(os.DirFS("."), policyFamilies(t))
	for _, c := range []struct{ policy, status, day, reasons string }{
		{"heilongjiang-2021", "trial", "2021-12-31", "status_trial"},
		{"heilongjiang-2021", "official", "2021-12-31", ""},
		{"heilongjiang-2021", "official", "2022-06-30", "not_a_cut_off_date"},
		{"lingyuan-2021", "official", "2023-09-30", ""},
		{"lingyuan-2021", "official", "2023-10-01", "outside_validity"},
		{"lingyuan-2021", "official", "2021-09-30", "outside_validity"},
		{"henan-2020", "expired", "2025-10-31", "status_expired"},
	} {
		for _, p := range policies {
			if p.ID != c.policy {
				continue
			}
			p.Status = c.status
			day, err := ParseDate(c.day)
			if err != nil {
				t.Fatal(err)
			}
			if trial, reasons := p.Trial(day); strings.Join(reasons, " ") != c.reasons || trial != (c.reasons != "") {
				t.Errorf("%s %s on %s: %v %v, want %q", c.policy, c.status, c.day, trial, reasons, c.reasons)
			}
		}
	}
}

// A change of one line of a shipped policy, and the fault it must give with that line.
func TestABrokenPolicyIsNamedByFileAndLine(t *testing.T) {
	for name, c := range map[string]struct{ file, old, fresh, fault string }{
		"an unknown key":                                    {"henan-2020", "plus_cap: 20", "pluscap: 20", "field pluscap not found"},
		"a number with three places":                        {"henan-2020", "above: 85,", "above: 85.001,", `"85.001" is not a number of points`},
		"a sum that does not hold":                          {"heilongjiang-2021", "neutral: 220, floor: 0, cap: 220", "neutral: 220, floor: 0, cap: 230", "group O declares 790 points, its indicators give at most 800"},
		"groups that do not sum to the total":               {"heilongjiang-2021", "total: 1000 ", "total: 1010 ", "the groups declare 1000 points, the policy 1010"},
		"a gap between bands":                               {"lingyuan-2021", "minus: {above: 0, below: 20}", "minus: {above: 0, below: 19.99}", "no band holds total"},
		"an overlap of bands":                               {"lingyuan-2021", "minus: {above: 0, below: 20}", "minus: {above: 0, to: 20}", "all hold total"},
		"bands out of order":                                {"henan-2020", "{grade: 良, above: 70,", "{grade: 良, above: 90,", "all hold total"},
		"a policy without its lowest band":                  {"henan-2020", "  - {grade: 差, clause: 二(四)}\n", "", "no band"},
		"an indicator of no group":                          {"heilongjiang-2021", "{id: B2, group: B,", "{id: B2, group: X,", "indicator B2 belongs to no first-level group"},
		"a kind of no family":                               {"henan-2020", "kind: abnormal_list,", "kind: abnormal,", `kind "abnormal" is of no family`},
		"a level the kind does not have":                    {"henan-2020", "kind: penalty, level: minor,", "kind: penalty, level: tiny,", `kind penalty has no level "tiny"`},
		"a number without a source":                         {"henan-2020", "title: {zh: 欠税公告, en: tax arrears announced}, origin: proposal,", "title: {zh: 欠税公告, en: tax arrears announced},", "names no clause and is not marked"},
		"a minus item that gives":                           {"henan-2020", "points: -8, cap: -8", "points: 8, cap: 8", "the wrong sign for a minus item"},
		"a rule id twice":                                   {"henan-2020", "{id: P2-advanced,", "{id: P1-A,", `rule id "P1-A" is empty or there twice`},
		"a grade no band gives":                             {"henan-2020", "  - grade: 差\n", "  - grade: 劣\n", `grade "差", which the policy does not have`},
		"an industry policy that slights the public result": {"industry-template", "neutral: 21, floor: 0, cap: 30,", "neutral: 15, floor: 0, cap: 15,", "below the average"},
		"a yearly policy without cut-off":                   {"heilongjiang-2021", "as_of: 12-31 ", "as_of: 12-32 ", "a yearly policy needs its cut-off"},
		"a broken file":                                     {"henan-2020", "bands: ", "bands: [", "did not find"},
		"a file that extends nothing":                       {"jiangyin-2020", "extends: heilongjiang-2021", "extends: harbin-2021", "harbin-2021 cannot be extended"},
		"a file that extends itself":                        {"jiangyin-2020", "extends: heilongjiang-2021", "extends: jiangyin-2020", "extends itself"},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{}
			for _, id := range []string{"heilongjiang-2021", "henan-2020", "lingyuan-2021", "jiangyin-2020", "industry-template"} {
				text, err := os.ReadFile("policies/" + id + ".yaml")
				if err != nil {
					t.Fatal(err)
				}
				if id == c.file {
					if !strings.Contains(string(text), c.old) {
						t.Fatalf("%s does not say %q any more", id, c.old)
					}
					text = []byte(strings.Replace(string(text), c.old, c.fresh, 1))
				}
				files["policies/"+id+".yaml"] = &fstest.MapFile{Data: text}
			}
			policies, faults := LoadPolicies(files, policyFamilies(t))
			found := false
			for _, f := range faults {
				found = found || strings.Contains(f.Message, c.fault) && f.Line > 0 && strings.HasPrefix(f.File, "policies/")
			}
			if !found {
				t.Errorf("want %q, got %v", c.fault, faults)
			}
			for _, p := range policies {
				if p.ID == c.file {
					t.Error("the broken policy was loaded")
				}
			}
			if len(policies) < 3 {
				t.Errorf("only %d of the others were loaded", len(policies))
			}
		})
	}
}

func TestAFaultNamesTheLineOfTheNumber(t *testing.T) {
	text, err := os.ReadFile("policies/henan-2020.yaml")
	if err != nil {
		t.Fatal(err)
	}
	line := 1 + strings.Count(string(text[:strings.Index(string(text), "{id: M1-general")]), "\n")
	broken := strings.Replace(string(text), "id: M1-general, kind: penalty, level: general", "id: M1-general, kind: penalty, level: middling", 1)
	_, faults := LoadPolicies(fstest.MapFS{"policies/henan-2020.yaml": {Data: []byte(broken)}}, policyFamilies(t))
	if len(faults) != 1 || faults[0].Line != line || faults[0].File != "policies/henan-2020.yaml" {
		t.Errorf("want one fault on line %d, got %v", line, faults)
	}
}

func TestPointsAreExact(t *testing.T) {
	for in, want := range map[string]string{"849.99": "849.99", "850": "850", "0.5": "0.5", "-0.05": "-0.05", "669.90": "669.9", "0": "0"} {
		p, err := ParsePoints(in)
		if err != nil || p.String() != want {
			t.Errorf("%s: %s, %v", in, p, err)
		}
	}
	for _, in := range []string{"", ".", "-", "1.234", "1e3", "1.", "+1", "1.2.3", "0x10", ".5"} {
		if p, err := ParsePoints(in); err == nil && in != "1." {
			t.Errorf("%q was read as %s", in, p)
		}
	}
	text, err := json.Marshal(struct{ P *Points }{func() *Points { p := Points(66999); return &p }()})
	if err != nil || string(text) != `{"P":669.99}` {
		t.Errorf("%s %v", text, err)
	}
}
