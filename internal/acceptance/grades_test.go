//go:build acceptance

package acceptance

import (
	"maps"
	"slices"
	"strconv"

	"xinshu/internal/chain"
)

// graded is one row of a scored result.
type graded struct {
	outcome
	plus, minus int64
}

// scored reads the newest result of a policy.
func (s *story) scored(policy string) map[string]graded {
	s.Helper()
	all := map[string]graded{}
	for _, r := range s.h.rows(s.h.head(chain.Scored(policy)), "grade", "select uscc, score, grade, plus_points, minus_points from held") {
		all[r[0]] = graded{outcome{s.number(r[1]), r[2]}, s.number(r[3]), s.number(r[4])}
	}
	return all
}

func (s *story) number(text string) int64 {
	s.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	s.w.must(err)
	return n
}

var policies = []string{heilongjiang, henan, jiangyin, lingyuan}

// checkGrades compares every result with what was worked out by hand: everybody in the register is
// graded, nobody else, and each as foretold.
func (s *story) checkGrades() {
	for _, policy := range policies {
		results, reached, foretold, wrong := s.scored(policy), map[string]int{}, 0, 0
		for _, e := range s.cast.everybody {
			got, ok := results[e.code]
			if !ok {
				s.Errorf("%s does not grade %s, who is in the register", policy, e.code)
				continue
			}
			want, known := s.cast.expect(policy, e.code)
			if !known {
				continue
			}
			foretold++
			reached[got.grade]++
			if got.outcome != want {
				if wrong++; wrong <= 5 {
					s.Errorf("%s: %s (stock: %q, today: %q) is %s, worked out by hand %s", policy, e.code, s.cast.stock[e.code].name, s.cast.today[e.code].name, got.outcome, want)
				}
			}
		}
		if wrong > 5 {
			s.Errorf("%s: %d results differ from what was worked out by hand", policy, wrong)
		}
		if len(results) != len(s.cast.everybody) {
			s.Errorf("%s grades %d entities, the register holds %d", policy, len(results), len(s.cast.everybody))
		}
		for _, r := range recipes {
			if g := r.expect(policy).grade; reached[g] == 0 {
				s.Errorf("%s: nobody is graded %s", policy, g)
			}
		}
		s.Logf("%-18s %d graded, %d of them as foretold by hand: %v", policy, len(results), foretold-wrong, reached)
	}
}

// limit is one border between two grades: the nearest total that belongs to each side, in hundredths.
type limit struct {
	at           int64 // the number of the notice or of our proposal
	above, below int64 // nearest totals that records can bring, either side
	better       string
	worse        string
}

var limits = map[string][]limit{
	heilongjiang: {{850_00, 850_00, 849_91, "A", "B"}, {790_00, 790_00, 789_91, "B", "C"}, {730_00, 730_00, 729_91, "C", "D"}, {670_00, 670_00, 669_91, "D", "E"}},
	jiangyin:     {{790_00, 790_00, 789_91, honest, slight}, {730_00, 730_00, 729_91, slight, common}, {670_00, 670_00, 669_91, common, grave}},
	henan:        {{85_00, 86_00, 85_00, "优", "良"}, {70_00, 71_00, 70_00, "良", "中"}, {50_00, 51_00, 50_00, "中", "差"}},
}

// checkLimits asks the results, not the recipes, who stands next to each limit.
func (s *story) checkLimits() {
	for _, policy := range slices.Sorted(maps.Keys(limits)) {
		results := s.scored(policy)
		for _, l := range limits[policy] {
			for total, grade := range map[int64]string{l.above: l.better, l.below: l.worse} {
				found := 0
				for _, g := range results {
					if g.score == total && g.grade == grade {
						found++
					}
				}
				if found == 0 {
					s.Errorf("%s: nobody stands at %d.%02d with %s, next to the limit of %d", policy, total/100, total%100, grade, l.at/100)
				}
			}
			s.Logf("%-18s limit %d: %s | %s", policy, l.at/100, outcome{l.above, l.better}, outcome{l.below, l.worse})
		}
	}
	s.checkLingyuan()
}

// checkLingyuan: its limits lie on two sums and on their difference, and its points come in fives.
func (s *story) checkLingyuan() {
	type sums struct {
		plus, minus int64
		grade       string
	}
	want := []sums{
		{60_00, 0, "A+"}, {55_00, 0, "A"}, {30_00, 0, "A"}, {25_00, 0, "A-"}, {10_00, 0, "A-"}, {5_00, 0, "B"}, // plus 60, 30, 10
		{0, 15_00, "B"}, {20_00, 20_00, "B"}, {0, 20_00, "C"}, // minus 20, net 0
		{20_00, 25_00, "C"},                      // net -5
		{40_00, 35_00, "B"}, {40_00, 40_00, "C"}, // minus 40
		{0, 95_00, "C"}, {0, 100_00, "D"}, // minus 100
	}
	found := map[sums]int{}
	for _, g := range s.scored(lingyuan) {
		found[sums{g.plus, g.minus, g.grade}]++
	}
	for _, w := range want {
		if found[w] == 0 {
			s.Errorf("%s: nobody has plus %d, minus %d and %s", lingyuan, w.plus/100, w.minus/100, w.grade)
		}
	}
}
