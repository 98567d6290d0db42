package simulate

import (
	"slices"
	"testing"

	"xinshu/catalog"
)

// Whether the province shows a policy at work can only be told by grading it. This is a short reading
// of the policy files over the facts, good enough to say which grades occur and how often; the exact
// scores are the business of the scoring models and their own tests.
func TestEveryGradeOfEveryPolicyIsReached(t *testing.T) {
	p := province(t, 20251231, 5000)
	cat, _ := catalog.Load(catalog.Files)
	for _, run := range []struct {
		policy string
		asOf   catalog.Date
		rows   int // days whose rows count
	}{
		{"henan-2020", day("2025-10-31"), 1},
		{"heilongjiang-2021", day("2025-12-31"), 3},
		{"jiangyin-2020", lastDay, 5},
		{"lingyuan-2021", lastDay, 5},
	} {
		policy, ok := cat.Policy(run.policy)
		if !ok {
			t.Fatalf("no policy %s", run.policy)
		}
		grades, graded, hits := map[string]int{}, 0, map[string]int{}
		c := newChance()
		for i, e := range p.entities {
			if !slices.Contains(policy.Admits.Categories, e.Category) || e.Status == "cancelled" {
				continue
			}
			graded++
			grades[gradeOf(policy, p.knownAbout(c, i, run.rows), run.asOf, hits)]++
		}
		for _, g := range policy.Grades {
			if n := grades[g.Grade]; n == 0 {
				t.Errorf("%s: nobody is graded %s", run.policy, g.Grade)
			}
		}
		for _, ind := range policy.Indicators {
			for _, rule := range ind.Rules {
				if hits[rule.ID] == 0 && rule.Points != 0 {
					t.Errorf("%s: rule %s counts nothing", run.policy, rule.ID)
				}
			}
		}
		t.Logf("%s as of %s: %d graded, %v", run.policy, run.asOf, graded, grades)
	}
}

// known is a record in canonical words, as it stands after some days.
type known struct {
	kind, level string
	on, until   catalog.Date
}

// knownAbout gathers an entity's records from all datasets; double reports count once, what was
// repaired or withdrawn not at all.
func (p *Province) knownAbout(c *chance, i, days int) (all []known) {
	var off []string
	for _, m := range p.marksOf(c, i) {
		if m.Day <= days && (m.Kind == "repair" || m.Kind == "withdrawal" || m.Kind == "objection_upheld") {
			off = append(off, m.Record)
		}
	}
	for _, d := range p.order {
		if d.cases {
			continue
		}
		newest := map[int]known{}
		for _, f := range p.facts(c, d, i, &p.entities[i], nil) {
			if f.day > days || f.echo != nil || slices.Contains(off, p.recordID(d, i, f.n)) {
				continue
			}
			k := known{kind: d.kindWord(f), level: d.levelWord(f), on: f.on, until: f.until}
			if k.level == "settled" {
				k.level = "open" // until the day it was settled
			}
			if d.family == "registration" {
				k.until = catalog.NoDate // the day of a status, which lasts
			}
			newest[f.n] = k
		}
		for _, k := range newest {
			all = append(all, k)
		}
	}
	return all
}

func gradeOf(policy catalog.Policy, records []known, asOf catalog.Date, hits map[string]int) string {
	var plain, plus, minus catalog.Points
	for _, ind := range policy.Indicators {
		v := valueOf(ind, records, asOf, hits)
		switch ind.Side {
		case "plus":
			plus += v
		case "minus":
			minus -= v
		default:
			plain += v
		}
	}
	if policy.PlusCap != nil {
		plus = min(plus, *policy.PlusCap)
	}
	total := policy.Base + plain + plus - minus
	if policy.Floor != nil {
		total = max(total, *policy.Floor)
	}
	if policy.Cap != nil {
		total = min(total, *policy.Cap)
	}
	for _, o := range policy.Overrides {
		for _, r := range records {
			if r.kind != o.When || !holds(r, asOf) {
				continue
			}
			if o.Grade != "" {
				return o.Grade
			}
			if o.Cap != nil {
				total = min(total, *o.Cap)
			}
		}
	}
	for _, b := range policy.Bands {
		if in(&catalog.Span{From: b.From, Above: b.Above}, total) && in(b.Plus, plus) && in(b.Minus, minus) && in(b.Net, plus-minus) {
			return b.Grade
		}
	}
	return "none"
}

func valueOf(ind catalog.Indicator, records []known, asOf catalog.Date, hits map[string]int) catalog.Points {
	sum, counted := catalog.Points(0), []catalog.Points{}
	for _, rule := range ind.Rules {
		ofRule := catalog.Points(0)
		for _, r := range records {
			if r.kind != rule.Kind || rule.Level != "" && rule.Level != "*" && r.level != rule.Level || r.on > asOf {
				continue
			}
			if rule.Months != nil && r.on <= asOf.AddMonths(-*rule.Months) || rule.Months == nil && !holds(r, asOf) {
				continue
			}
			hits[rule.ID]++
			ofRule += rule.Points
			counted = append(counted, rule.Points)
		}
		if rule.Cap != nil && rule.Points < 0 {
			ofRule = max(ofRule, *rule.Cap)
		} else if rule.Cap != nil {
			ofRule = min(ofRule, *rule.Cap)
		}
		sum += ofRule
	}
	v := ind.Neutral
	switch {
	case ind.Pick == "" || ind.Pick == "sum":
		v += sum
	case len(counted) > 0 && ind.Pick == "best":
		v = slices.Max(counted)
	case len(counted) > 0 && ind.Pick == "worst":
		v = slices.Min(counted)
	case len(counted) > 0: // mean, latest
		v = 0
		for _, p := range counted {
			v += p
		}
		v /= catalog.Points(len(counted))
	}
	if ind.Floor != nil {
		v = max(v, *ind.Floor)
	}
	if ind.Cap != nil {
		v = min(v, *ind.Cap)
	}
	return v
}

func holds(r known, on catalog.Date) bool {
	return r.on <= on && (r.until == catalog.NoDate || r.until > on)
}

func in(s *catalog.Span, v catalog.Points) bool {
	return s == nil || (s.From == nil || v >= *s.From) && (s.Above == nil || v > *s.Above) && (s.To == nil || v <= *s.To) && (s.Below == nil || v < *s.Below)
}
