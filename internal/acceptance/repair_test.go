//go:build acceptance

package acceptance

import (
	"fmt"
	"strings"
	"time"

	"xinshu/internal/chain"
)

// repair has one penalty of the stock repaired today. The yearly result changes under the same as_of
// and a later corrected_to, for this entity alone, and the new grade reaches both receivers, which
// hold the old one (Heilongjiang annex 1, article 18).
func (s *story) repair() {
	const year = heilongjiang
	who, penalty := s.repairable()
	today := s.today.Format(time.DateOnly)
	s.w.add([]made{{"nat-credit.repair", row{"uscc": who.code, "entity_name": who.name, "source_record_id": "repair-1", "doc_no": penalty["CF_WSH"],
		"authority": penalty["CF_CFJG"], "authority_code": penalty["CF_CFJGDM"], "repair_kind": "信用修复", "decided_on": today}}}, s.today)
	before := s.stageHeads()
	s.h.do("pull", "--source", gateway)
	s.checkPulls(before, gateway)
	s.h.do("settle")
	was := s.scored(year)
	s.h.do("score", "--policy", year, "--as-of", yearly[year], "--corrected-to", today)
	s.h.do("publish", "--policy", year)
	s.h.do("push")
	s.w.department.answer(s.T)
	s.w.office.answer(s.T)
	s.h.do("push")

	want := outcome{790_00, "B"}
	for code, now := range s.scored(year) {
		if code == who.code && now.outcome != want || code != who.code && now != was[code] {
			s.Errorf("after the repair %s is %s, was %s", code, now.outcome, was[code].outcome)
		}
	}
	versions := s.h.rows(s.h.head(chain.Published(year)), "grade", "select version, cast(corrected_to as varchar) from held where uscc = '"+who.code+"'")
	if len(versions) != 1 || versions[0][0] != "2" || versions[0][1] != today {
		s.Fatalf("the published version and its corrected_to are %v, want 2 and %s", versions, today)
	}
	id := fmt.Sprintf("%s/%s/2", year, who.code)
	all := len(policies)*len(s.cast.everybody) + 1
	for target, shelf := range map[string]*shelf{"city-share": s.w.receiver.shelf, "dept-sftp": s.w.department.shelf} {
		got := shelf.rows[id]
		if got.Kind != "correction" || got.Grade != want.grade || string(got.Score) != "790" || got.AsOf != yearly[year] || shelf.times[id] != 1 {
			s.Errorf("%s holds %+v as the correction, sent %d times", target, got, shelf.times[id])
		}
		if len(shelf.rows) != all {
			s.Errorf("%s holds %d rows after one correction, want %d", target, len(shelf.rows), all)
		}
	}
	s.Logf("a repaired penalty: %s goes from %s to %s under the same as_of, at both receivers as version 2", year, was[who.code].outcome, want)
}

// repairable gives an entity of the stock with two minor penalties and nothing else, and one of them.
func (s *story) repairable() (subject, row) {
	for _, e := range s.cast.everybody {
		if s.cast.stock[e.code].name != "minor penalty, minor penalty" {
			continue
		}
		for _, f := range s.w.feeds {
			for _, r := range f.rows {
				if strings.EqualFold(cleaned(r["CF_XDR_SHXYM"]), e.code) {
					return e, r
				}
			}
		}
	}
	s.Fatal("nobody has two minor penalties")
	return subject{}, nil
}
