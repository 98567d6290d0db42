//go:build acceptance

package acceptance

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// silence empties two lists that are handed over whole: the court's, on MariaDB, and the honour list,
// on PostgreSQL. Nobody's grade changes until a named person says that they are truly empty.
func (s *story) silence() {
	was := s.daily()
	_, err := s.w.maria.ExecContext(s.Context(), "delete from court_debtor")
	s.w.must(err)
	_, err = s.w.frontDB.ExecContext(s.Context(), "delete from "+pgx.Identifier{tableOf("prov-credit.list")}.Sanitize())
	s.w.must(err)
	s.h.do("pull", "--source", mariaFront, "--dataset", "court.debtor")
	s.h.do("pull", "--source", frontend, "--dataset", "prov-credit.list")
	want := map[string]string{mariaFront + " court.debtor": "empty", frontend + " prov-credit.list": "empty"}
	if held := s.held(); !maps.Equal(held, want) {
		s.Fatalf("feeds on hold are %v, want %v", held, want)
	}
	s.scoreToday()
	s.onlyChanged("two feeds fell silent", was, nil)

	listed, honoured := s.holders(debtor), s.holders(honoured)
	if len(listed) == 0 || len(honoured) == 0 {
		s.Fatal("nobody is on the lists")
	}
	s.release(frontend, "prov-credit.list", "红名单已撤销")
	s.scoreToday()
	s.onlyChanged("the honour list is released", was, func(policy, code string, was, now graded) bool {
		if policy == lingyuan && s.cast.today[code].name == "minor penalty, minor penalty, honour list" {
			return now.outcome == outcome{-20_00, "C"} && was.outcome == outcome{0, "B"}
		}
		return now.score <= was.score && (policy != lingyuan || now.plus < was.plus || was.plus == 100_00) && now.minus == was.minus
	}, honoured...)

	was = s.daily()
	s.release(mariaFront, "court.debtor", "法院确认名单已清空")
	s.scoreToday()
	s.onlyChanged("the court's list is released", was, func(policy, _ string, was, now graded) bool {
		return was.outcome != now.outcome && now.outcome == recipes[0].expect(policy)
	}, listed...)
	if held := s.held(); len(held) != 0 {
		s.Errorf("feeds on hold are %v after their release", held)
	}
	s.Logf("two lists came back empty: held, no grade changed; released by name, %d honours and %d listings ended", len(honoured), len(listed))
}

func (s *story) release(source, dataset, reason string) {
	s.Helper()
	s.h.do("feed", "release", source, dataset, "--by", "王五", "--reason", reason)
}

// held are the feeds on hold with their alarms.
func (s *story) held() map[string]string {
	s.Helper()
	var lines []struct {
		Source, Dataset string
		Hold            *struct{ Alarm string }
	}
	s.w.must(json.Unmarshal([]byte(s.h.do("feed", "list", "--json")), &lines))
	held := map[string]string{}
	for _, l := range lines {
		if l.Hold != nil {
			held[l.Source+" "+l.Dataset] = l.Hold.Alarm
		}
	}
	return held
}

// holders are the entities that have a fact, of the stock or of today.
func (s *story) holders(f fact) (codes []string) {
	for _, half := range []map[string]recipe{s.cast.stock, s.cast.today} {
		for code, r := range half {
			if slices.Contains(r.facts, f) {
				codes = append(codes, code)
			}
		}
	}
	slices.SortFunc(codes, strings.Compare)
	return codes
}
