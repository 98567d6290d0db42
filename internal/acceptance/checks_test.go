//go:build acceptance

package acceptance

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinshu/internal/chain"
)

// ingest brings a file by hand and compares its report, row for row, with the test's own count.
// Without text the rows are written as a CSV in the headings of the exports.
func (s *story) ingest(name string, text []byte, rows []row, collected time.Time) {
	s.Helper()
	if text == nil {
		text = writeCSV(s.T, table(columnsOf(rows), rows))
	}
	file := filepath.Join(s.TempDir(), name)
	s.w.must(os.WriteFile(file, text, 0o600))
	args := []string{"ingest", file, "--dataset", amrAbnormal, "--json"}
	if collected.Equal(stockDay) {
		args = append(args, "--collected-on", collected.Format(time.DateOnly))
	}
	type counts struct{ Read, Accepted, Duplicate, Quarantined, Skipped int64 }
	var report struct {
		counts
		Files   []counts
		Rejects []struct{ Line int64 }
	}
	s.w.must(json.Unmarshal([]byte(s.h.do(args...)), &report))
	f := &feed{dataset: amrAbnormal, code: "uni_social_crd_cd", needs: []string{"inclu_dt", "inclu_reason"}, dated: "inclu_dt"}
	l := s.account.take(f, rows, s.today)
	want := counts{l.Read, l.Accepted, l.Duplicate, l.Quarantined, l.Skipped}
	if report.counts != want || len(report.Files) != 1 || report.Files[0] != want || int64(len(report.Rejects)) != l.Quarantined {
		s.Errorf("ingest %s reports %+v and %d rejects, counted by hand %+v", name, report.counts, len(report.Rejects), want)
	}
	head := s.h.head(chain.Stage(amrAbnormal))
	if got := s.ledgers(head.Chain, head.N-1); got != l {
		s.Errorf("the commit of %s says %+v, counted by hand %+v", name, got, l)
	}
}

// checkFlags: what was taken from a table with a state column is marked there as taken.
func (s *story) checkFlags() {
	s.Helper()
	var taken, waiting int
	s.w.must(s.w.frontDB.QueryRowContext(s.Context(),
		"select count(*) filter (where state = 1), count(*) filter (where state <> 1) from emergency_inspect").Scan(&taken, &waiting))
	if f := s.w.feeds[frontend+" emergency.inspect"]; taken != len(f.rows) || waiting != 0 {
		s.Errorf("%d of %d inspections are marked as taken, %d wait", taken, len(f.rows), waiting)
	}
}

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

// delivered is what `push --json` says of a target.
type delivered struct {
	Target                             string
	Deliveries                         int
	Sent, Acknowledged, Rejected, Open int64
	Failure                            string
}

// pushed asks the hub how far it is. Nothing is due any more, so asking sends nothing.
func (s *story) pushed() map[string]delivered {
	s.Helper()
	var reports []delivered
	s.w.must(json.Unmarshal([]byte(s.h.do("push", "--json")), &reports))
	byTarget := map[string]delivered{}
	for _, r := range reports {
		byTarget[r.Target] = r
	}
	return byTarget
}

// checkReceivers: both receivers hold each published result once, in the words of the store, and the
// hub knows who accepted and who refused it. times is how often each row was sent.
func (s *story) checkReceivers(times int) {
	s.Helper()
	want := map[string]statement{}
	for _, policy := range policies {
		for _, r := range s.h.rows(s.h.head(chain.Published(policy)), "grade", "select uscc, version, score, grade, maker, wording, cast(as_of as varchar) from held") {
			id := fmt.Sprintf("%s/%s/%s", policy, r[0], r[1])
			want[id] = statement{ID: id, USCC: r[0], Policy: policy, Version: json.Number(r[1]), Grade: r[3], Maker: r[4], Wording: r[5], AsOf: r[6], Status: "trial",
				Score: json.Number(points(s.number(r[2])))}
		}
	}
	if len(want) != len(policies)*len(s.cast.everybody) {
		s.Errorf("%d results are published, want one for each of %d entities under %d policies", len(want), len(s.cast.everybody), len(policies))
	}
	reports := s.pushed()
	for target, shelf := range map[string]*shelf{"city-share": s.w.receiver.shelf, "dept-sftp": s.w.department.shelf} {
		for id, w := range want {
			got := shelf.rows[id]
			w.Kind = "grade"
			if got != w {
				s.Fatalf("%s holds %+v, the store says %+v", target, got, w)
			}
			if shelf.times[id] != times {
				s.Fatalf("%s got %s %d times, want %d", target, id, shelf.times[id], times)
			}
		}
		if len(shelf.rows) != len(want) || len(shelf.changed) > 0 {
			s.Errorf("%s holds %d rows, want %d; %d ids came again with other words", target, len(shelf.rows), len(want), len(shelf.changed))
		}
		all, refused := int64(len(want)), int64(len(shelf.refuse)*len(policies))
		if r := reports[target]; r.Deliveries != 0 || r.Sent != all || r.Rejected != refused || r.Acknowledged != all-refused || r.Open != 0 || r.Failure != "" {
			s.Errorf("the hub says of %s %+v, want sent %d, rejected %d, the rest acknowledged", target, r, all, refused)
		}
	}
	if s.w.receiver.unsigned > 0 {
		s.Errorf("%d calls had no good signature", s.w.receiver.unsigned)
	}
	s.Logf("each of %d results is at both receivers, sent %d times, kept once", len(want), times)
}

// points writes hundredths as the receivers get them: at most two places.
func points(hundredths int64) string {
	sign := ""
	if hundredths < 0 {
		sign, hundredths = "-", -hundredths
	}
	text := fmt.Sprintf("%s%d.%02d", sign, hundredths/100, hundredths%100)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// checkPersons: a resident id is found in no table of any commit; the rows that held one are known.
func (s *story) checkPersons() {
	reasons := map[string]int{}
	for name := range s.h.heads("stage/") {
		head := s.h.head(name)
		for _, table := range []string{"rows", "quarantine"} {
			for _, r := range s.h.rows(head, table, "select * from held") {
				if strings.Contains(strings.Join(r, " "), citizen()) {
					s.Fatalf("%s, %s: a resident id is stored in clear", name, table)
				}
			}
		}
		for _, r := range s.h.rows(head, "quarantine", "select reason, count(*) from held group by reason") {
			reasons[r[0]] += int(s.number(r[1]))
		}
	}
	var listed []struct{ Dataset, File, Reason string }
	out := s.h.do("quarantine", "list", "--json")
	s.w.must(json.Unmarshal([]byte(out), &listed))
	if strings.Contains(out, citizen()) || int64(len(listed)) != s.account.total.Quarantined {
		s.Errorf("quarantine list shows %d rows, counted by hand %d", len(listed), s.account.total.Quarantined)
	}
	s.Logf("quarantine: %v", reasons)
}
