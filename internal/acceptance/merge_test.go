//go:build acceptance

package acceptance

import (
	"maps"
	"strings"
)

// mergeAndUndo counts the records of one entity for another, and takes it back.
func (s *story) mergeAndUndo() {
	from, into := s.whoHas("minor penalty"), s.whoHas("tax grade A")
	was := s.daily()
	judge := []string{"--by", "王五", "--reason", "同一主体换发代码", "--evidence", "银审批〔2025〕1号"}
	said := s.h.do(append([]string{"identity", "merge", from, into}, judge...)...)
	id, _, _ := strings.Cut(said, ":")
	s.scoreToday()
	for policy, results := range s.daily() {
		want := outcome{810_00, honest} // 800, a minor penalty of 10, a tax grade of 20
		if policy == lingyuan {
			want = outcome{15_00, "B"} // plus 25, minus 10: A- is for those without an adverse point
		}
		if _, graded := results[from]; graded || results[into].outcome != want {
			s.Errorf("%s: merged into %s, which is %s, want %s; the other is graded: %v", policy, into, results[into].outcome, want, graded)
		}
		for code, before := range was[policy] {
			if now := results[code]; code != from && code != into && now != before {
				s.Errorf("%s: %s is %+v after a merge of others, was %+v", policy, code, now, before)
			}
		}
		if last := s.newest(policy, from); last.Kind != "retraction" {
			s.Errorf("%s: the last word about %s at the receiver is %+v, want a retraction", policy, from, last)
		}
	}

	s.h.do(append([]string{"identity", "undo", id}, judge...)...)
	s.scoreToday()
	for policy, results := range s.daily() {
		if !maps.Equal(results, was[policy]) {
			s.Errorf("%s: after the undo %s is %+v and %s is %+v, were %+v and %+v", policy, from, results[from], into, results[into], was[policy][from], was[policy][into])
		}
		for _, code := range []string{from, into} {
			if last := s.newest(policy, code); last.Kind == "retraction" || last.Grade != was[policy][code].grade {
				s.Errorf("%s: the last word about %s at the receiver is %+v, want grade %s", policy, code, last, was[policy][code].grade)
			}
		}
	}
	s.Logf("a merge of %s into %s: retracted and counted together; undone: every grade as before, at the receivers too", from, into)
}

// whoHas gives an entity whose records are all of today.
func (s *story) whoHas(recipe string) string {
	s.Helper()
	for _, e := range s.cast.everybody {
		if s.cast.today[e.code].name == recipe && len(s.cast.stock[e.code].facts) == 0 {
			return e.code
		}
	}
	s.Fatalf("nobody has %s", recipe)
	return ""
}

// newest is the last word that the platform behind REST holds about an entity.
func (s *story) newest(policy, code string) (last statement) {
	s.w.receiver.mu.Lock()
	defer s.w.receiver.mu.Unlock()
	var greatest int64
	for _, row := range s.w.receiver.rows {
		if row.Policy != policy && !strings.HasPrefix(row.ID, policy+"/") || row.USCC != code {
			continue
		}
		if n, err := row.Version.Int64(); err == nil && n > greatest {
			greatest, last = n, row
		}
	}
	return last
}
