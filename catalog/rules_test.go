package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// What the sets say together is tried where they are applied, in sql/tests/stg_penalty; here it is that the shipped
// ones say of every category of the code list what facts and order say.
func TestEveryCategoryHasItsLevel(t *testing.T) {
	want := map[string]string{
		"警告": "minor", "通报批评": "minor", "罚款": "general", "没收违法所得": "general", "没收非法财物": "general",
		"暂扣或者吊销许可证": "general", "暂扣或者吊销执照": "general", // the category of 2018 does not say which of the two
		"暂扣许可证件": "general", "降低资质等级": "general", "吊销许可证件": "serious", "限制开展生产经营活动": "general",
		"责令停产停业": "general", "责令关闭": "serious", "限制从业": "serious", "行政拘留": "general", "其他": "general",
	}
	list, _ := shipped().CodeList("penalty-category")
	if len(list.Values) != len(want) || len(shipped().Rules.Severity) != 2 {
		t.Fatalf("%d categories and %d sets", len(list.Values), len(shipped().Rules.Severity))
	}
	for _, set := range shipped().Rules.Severity {
		for _, v := range list.Values {
			level := set.Otherwise
			for _, w := range set.Words {
				if strings.HasPrefix(v.Code, w.Word) {
					level = w.Level
				}
			}
			if level != want[v.Code] {
				t.Errorf("%s: %s is %s, want %s", set.ID, v.Code, level, want[v.Code])
			}
		}
		if set.SimpleProcedure != "minor" {
			t.Errorf("%s: simple procedure is %s", set.ID, set.SimpleProcedure)
		}
	}
}

func TestThePeriodsOfPublicity(t *testing.T) {
	var got []string
	for _, set := range shipped().Rules.Publicity {
		for _, p := range set.Periods {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s..%s %s %d-%d %v %s", set.from(), set.until(), p.Level, p.Shortest, p.Longest, p.Published, p.Department)))
		}
	}
	want := []string{
		"0001-01-01..2023-05-01 serious 6-36 true", "0001-01-01..2023-05-01 general 3-12 true", "0001-01-01..2023-05-01 minor 3-12 true",
		"2026-04-01..9999-12-31 minor 0-3 false", "2026-04-01..9999-12-31 general 3-12 true", "2026-04-01..9999-12-31 serious 12-36 true",
		"2023-05-01..2026-04-01 * 3-36 true", "2023-05-01..2026-04-01 minor 3-36 false", "2023-05-01..2026-04-01 * 12-36 true emergency",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestADepartmentMayHaveItsOwnSet(t *testing.T) {
	fsys := small()
	fsys["rules/severity-ecology.yaml"] = file(`
		id: severity-ecology
		title: {zh: 生态环境部门标准, en: standard of the ecology departments}
		department: ecology
		valid_from: 2026-02-01
		valid_until: 2026-06-01
		clause: made for this test
		words: [{word: 罚款, level: minor}]`)
	c, faults := Load(fsys)
	set, ok := find(c.Rules.Severity, func(s SeverityRules) bool { return s.Department == "ecology" })
	if len(faults) > 0 || !ok || *set.ValidFrom != day(t, "2026-02-01") || *set.ValidUntil != day(t, "2026-06-01") || set.Words[0].Level != "minor" {
		t.Errorf("got %+v, %v", set, faults)
	}
	fsys["rules/severity-ecology-2.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(fsys["rules/severity-ecology.yaml"].Data), "severity-ecology", "severity-ecology-2", 1))}
	if _, faults := Load(fsys); len(faults) != 1 || !strings.Contains(faults[0].Message, "overlaps") {
		t.Errorf("two sets of one department on one day: %v", faults)
	}
}

func TestRuleSetsMustNotOverlapOrLeaveADayOut(t *testing.T) {
	for _, c := range []struct{ name, file, from, to, want string }{
		{"an overlap", "rules/severity-before-36.yaml", "valid_until: 2026-04-01", "valid_until: 2026-05-01", "rules/severity-order-36.yaml:1: the term overlaps that of severity-before-36"},
		{"a gap", "rules/publicity-order-58.yaml", "valid_until: 2026-04-01", "valid_until: 2026-03-01", "rules/publicity-order-36.yaml:1: no national set holds just before 2026-04-01"},
		{"an end", "rules/publicity-order-36.yaml", "valid_from: 2026-04-01", "valid_from: 2026-04-01\nvalid_until: 2029-01-01", "rules/publicity-order-36.yaml:1: no national set holds from 2029-01-01 on"},
		{"a level that is none", "rules/severity-order-36.yaml", "otherwise: general", "otherwise: medium", `is none of serious, general, minor`},
		{"a department that is none", "rules/publicity-order-58.yaml", "department: emergency", "department: fire", `"fire" is no department and no platform`},
		{"no period for a level", "rules/publicity-order-36.yaml", "level: minor", "level: general", "no period holds for level minor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := small()
			bad := strings.Replace(string(fsys[c.file].Data), c.from, c.to, 1)
			if bad == string(fsys[c.file].Data) {
				t.Fatal("the case changes nothing")
			}
			fsys[c.file].Data = []byte(bad)
			_, faults := Load(fsys)
			if !slices.ContainsFunc(faults, func(f Fault) bool { return strings.Contains(f.Error(), c.want) }) {
				t.Errorf("got %v, want %s", faults, c.want)
			}
		})
	}
}
