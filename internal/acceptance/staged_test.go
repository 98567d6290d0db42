//go:build acceptance

package acceptance

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xinshu/internal/chain"
)

// pull pulls all sources side by side and compares the ledgers.
func (s *story) pull() {
	s.Helper()
	before := s.stageHeads()
	s.h.do("pull")
	s.checkPulls(before, pulled...)
}

func (s *story) stageHeads() map[string]chain.Entry {
	heads := map[string]chain.Entry{}
	for _, f := range s.w.feeds {
		name := chain.Stage(f.dataset)
		heads[name] = s.h.head(name)
	}
	return heads
}

// checkPulls compares what the commits since say about themselves with what was handed over.
func (s *story) checkPulls(before map[string]chain.Entry, sources ...string) {
	s.Helper()
	want, commits := map[string]chain.Ledger{}, map[string]int64{}
	for _, key := range slices.Sorted(maps.Keys(s.w.feeds)) {
		f := s.w.feeds[key]
		if !slices.Contains(sources, f.source) {
			continue
		}
		rows := f.next()
		name := chain.Stage(f.dataset)
		want[name] = want[name].Add(s.account.take(f, rows, s.today))
		if len(rows) > 0 {
			commits[name]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		head := s.h.head(name)
		got := s.ledgers(name, before[name].N)
		if got != want[name] || head.N-before[name].N != commits[name] {
			s.Errorf("%s: %d commits with %+v, counted by hand %d with %+v", name, head.N-before[name].N, got, commits[name], want[name])
		}
	}
}

// ledgers sums what the commits of a chain after n account for, each of which must balance.
func (s *story) ledgers(name string, n int64) (sum chain.Ledger) {
	s.Helper()
	for n++; n <= s.h.head(name).N; n++ {
		e, err := s.h.lake.Entry(s.Context(), name, n)
		if err != nil {
			s.Fatal(err)
		}
		if e.Ledger == nil {
			s.Fatalf("%s entry %d has no ledger", name, n)
		}
		if err := e.Ledger.Check(); err != nil {
			s.Errorf("%s entry %d: %v", name, n, err)
		}
		l := *e.Ledger
		l.Declared = nil // checked by Check; a file by hand declares none
		sum = sum.Add(l)
	}
	return sum
}

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
	out := s.h.do("quarantine", "list", "--all", "--json")
	s.w.must(json.Unmarshal([]byte(out), &listed))
	if strings.Contains(out, citizen()) || int64(len(listed)) != s.account.total.Quarantined {
		s.Errorf("quarantine list shows %d rows, counted by hand %d", len(listed), s.account.total.Quarantined)
	}
	s.Logf("quarantine: %v", reasons)
}
