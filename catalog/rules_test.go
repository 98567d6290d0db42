package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// severity decides as the table's promise says: of the rows that hold, the lowest rank.
func severity(t *testing.T, r Rules, decided, owner, category string, simple bool) (level, rule string) {
	t.Helper()
	on := day(t, decided)
	best := int64(99)
	for _, row := range r.SeverityTable().Rows {
		word := row[4].(string)
		holds := row[1].(Date) <= on && (row[2] == nil || on < row[2].(Date)) && (row[3] == nil || row[3] == owner) &&
			(word == OtherwiseWord || word == SimpleProcedureWord && simple || strings.Contains(";"+category, ";"+word))
		if rank := row[6].(int64); holds && rank < best {
			level, rule, best = row[5].(string), row[0].(string), rank
		}
	}
	return level, rule
}

func TestSeverityOfAPenalty(t *testing.T) {
	for _, c := range []struct {
		name, decided, category string
		simple                  bool
		level, rule             string
	}{
		{"a warning alone is minor", "2026-04-01", "警告", false, "minor", "severity-order-36"},
		{"criticism with a warning is minor", "2026-04-01", "警告;通报批评", false, "minor", "severity-order-36"},
		{"a fine is general", "2026-05-01", "罚款", false, "general", "severity-order-36"},
		{"a warning with a fine is general", "2026-05-01", "警告;罚款", false, "general", "severity-order-36"},
		{"a fine under simple procedure is minor", "2026-05-01", "罚款", true, "minor", "severity-order-36"},
		{"revocation is serious beside a fine", "2026-05-01", "罚款;吊销许可证件", false, "serious", "severity-order-36"},
		{"suspended or revoked, nobody knows which, is general", "2026-05-01", "暂扣或者吊销许可证", false, "general", "severity-order-36"},
		{"closing is serious", "2026-05-01", "责令关闭", false, "serious", "severity-order-36"},
		{"stopping production is general", "2026-05-01", "责令停产停业", false, "general", "severity-order-36"},
		{"a lowered qualification is general", "2026-05-01", "降低资质等级", false, "general", "severity-order-36"},
		{"another kind is general", "2026-05-01", "其他-责令改正", false, "general", "severity-order-36"},
		{"a kind that names a word only inside is not of that word", "2026-05-01", "其他-不予吊销", false, "general", "severity-order-36"},
		{"the day before the order our reading holds", "2026-03-31", "警告", false, "minor", "severity-before-36"},
		{"and on its first day the order", "2026-04-01", "警告", false, "minor", "severity-order-36"},
		{"a very old one", "1995-01-01", "吊销执照", false, "serious", "severity-before-36"},
	} {
		t.Run(c.name, func(t *testing.T) {
			level, rule := severity(t, shipped().Rules, c.decided, "cult", c.category, c.simple)
			if level != c.level || rule != c.rule {
				t.Errorf("got %s by %s, want %s by %s", level, rule, c.level, c.rule)
			}
		})
	}
}

func TestADepartmentsOwnSeverityHoldsForItsTermAndItself(t *testing.T) {
	fsys := small()
	fsys["rules/severity-ecology.yaml"] = file(`
		id: severity-ecology
		title: {zh: 生态环境部门标准, en: standard of the ecology departments}
		department: ecology
		valid_from: 2026-02-01
		valid_until: 2026-06-01
		clause: made for this test
		words:
		  - {word: 罚款, level: minor}
		  - {word: 责令停产停业, level: serious}`)
	c, faults := Load(fsys)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, k := range []struct{ decided, owner, category, level, rule string }{
		{"2026-01-31", "ecology", "罚款", "general", "severity-before-36"},
		{"2026-02-01", "ecology", "罚款", "minor", "severity-ecology"},
		{"2026-05-31", "ecology", "罚款", "minor", "severity-ecology"},
		{"2026-06-01", "ecology", "罚款", "general", "severity-order-36"},
		{"2026-05-01", "cult", "罚款", "general", "severity-order-36"},
		{"2026-05-01", "ecology", "罚款;责令停产停业", "serious", "severity-ecology"},
		{"2026-05-01", "ecology", "罚款;吊销许可证件", "serious", "severity-ecology"},
		{"2026-05-01", "ecology", "没收违法所得", "general", "severity-ecology"},
	} {
		if level, rule := severity(t, c.Rules, k.decided, k.owner, k.category, false); level != k.level || rule != k.rule {
			t.Errorf("%+v: got %s by %s", k, level, rule)
		}
	}
}

// publicity finds the row for a department, else the one for all others, and demands that it is the only one.
func publicity(t *testing.T, r Rules, decided, owner, level string) string {
	t.Helper()
	on := day(t, decided)
	var found []string
	for _, department := range []any{owner, nil} {
		for _, row := range r.PublicityTable().Rows {
			if row[3] == level && row[4] == department && row[1].(Date) <= on && (row[2] == nil || on < row[2].(Date)) {
				found = append(found, fmt.Sprintf("%v %v-%v %v", row[0], row[5], row[6], row[7]))
			}
		}
		if len(found) > 0 {
			break
		}
	}
	if len(found) != 1 {
		t.Errorf("%s, %s, %s: %d rows hold: %v", decided, owner, level, len(found), found)
	}
	return strings.Join(found, ", ")
}

func TestPublicityOfAPenalty(t *testing.T) {
	for _, c := range []struct{ decided, owner, level, want string }{
		{"2026-04-01", "cult", "minor", "publicity-order-36 0-3 false"},
		{"2026-04-01", "cult", "general", "publicity-order-36 3-12 true"},
		{"2030-01-01", "cult", "serious", "publicity-order-36 12-36 true"},
		{"2026-03-31", "cult", "general", "publicity-order-58 3-36 true"},
		{"2023-05-01", "cult", "minor", "publicity-order-58 3-36 false"},
		{"2023-05-01", "emergency", "general", "publicity-order-58 12-36 true"},
		{"2026-04-01", "emergency", "general", "publicity-order-36 3-12 true"},
		{"2023-04-30", "emergency", "serious", "publicity-before-58 6-36 true"},
		{"2010-04-30", "cult", "general", "publicity-before-58 3-12 true"},
	} {
		if got := publicity(t, shipped().Rules, c.decided, c.owner, c.level); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestADepartmentsOwnPublicityHoldsForItsTerm(t *testing.T) {
	fsys := small()
	fsys["rules/publicity-fire.yaml"] = file(`
		id: publicity-fire
		title: {zh: 消防, en: fire}
		department: housing
		valid_from: 2025-01-01
		valid_until: 2026-07-01
		clause: made for this test
		periods:
		  - {level: general, shortest_months: 12, longest_months: 36, published: true}`)
	c, faults := Load(fsys)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for decided, want := range map[string]string{
		"2024-12-31": "publicity-order-58 3-36 true", "2025-01-01": "publicity-fire 12-36 true", "2026-04-01": "publicity-fire 12-36 true", "2026-07-01": "publicity-order-36 3-12 true",
	} {
		if got := publicity(t, c.Rules, decided, "housing", "general"); got != want {
			t.Errorf("%s: got %s, want %s", decided, got, want)
		}
	}
	publicity(t, c.Rules, "2025-06-01", "housing", "serious") // what the set leaves unsaid is the national set's
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
