//go:build acceptance

package acceptance

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// spoiled are two penalties of today about an entity without records, whose code the department
// mistyped; mended, they are worth what the recipe of two minor penalties is.
func (s *story) spoiled() []made {
	who := s.mistyped()
	var all []made
	for n := range 2 {
		r := penaltyRow(who, minor, 700_001+n, s.today)
		wrong := []byte(who.code)
		wrong[17] = usccAlphabet[(indexOf(wrong[17])+1)%31]
		r["CF_XDR_SHXYM"] = string(wrong)
		all = append(all, made{"cult.penalty", r})
	}
	return all
}

func (s *story) mistyped() subject { return s.cast.everybody[len(s.cast.everybody)-5] }

// sums is what quarantine summary says of all rows together.
type sums struct{ Quarantined, Repeated, Again, Refused, Open, Corrected, Withdrawn int64 }

func (s *story) books() sums {
	s.Helper()
	var summary struct{ Total sums }
	s.w.must(json.Unmarshal([]byte(s.h.do("quarantine", "summary", "--json")), &summary))
	t := summary.Total
	if t.Quarantined != s.account.total.Quarantined || t.Quarantined != t.Repeated+t.Again+t.Refused || t.Refused != t.Open+t.Corrected+t.Withdrawn {
		s.Errorf("the books of the quarantine are %+v, counted by hand %d quarantined", t, s.account.total.Quarantined)
	}
	return t
}

// mendRows sends the refused rows of a department as a workbook, takes it back with two of them mended,
// and follows them into the grades; the same workbook given again changes nothing.
func (s *story) mendRows() {
	who, before := s.mistyped(), s.books()
	book := filepath.Join(s.TempDir(), "退回.xlsx")
	s.h.do("quarantine", "export", "--dataset", "cult.penalty", "--out", book)
	if n := s.correct(book, who); n != 2 {
		s.Fatalf("the workbook holds %d of the two rows to mend", n)
	}
	was := s.daily()
	type became struct{ Changed, Accepted, Unchanged int64 }
	var back struct{ Datasets []became }
	s.w.must(json.Unmarshal([]byte(s.h.do("quarantine", "resubmit", book, "--by", "王五", "--json")), &back))
	if len(back.Datasets) != 1 || back.Datasets[0].Changed != 2 || back.Datasets[0].Accepted != 2 {
		s.Fatalf("the workbook became %+v", back)
	}
	s.w.must(json.Unmarshal([]byte(s.h.do("quarantine", "resubmit", book, "--by", "王五", "--json")), &back))
	if len(back.Datasets) != 1 || back.Datasets[0].Changed != 0 {
		s.Errorf("the same workbook given again became %+v", back)
	}
	after := s.books()
	if after.Corrected != before.Corrected+2 || after.Open != before.Open-2 || after.Quarantined != before.Quarantined {
		s.Errorf("the books of the quarantine are %+v, before %+v", after, before)
	}
	s.scoreToday()
	at := slices.IndexFunc(recipes, func(r recipe) bool { return r.name == "minor penalty, minor penalty" })
	s.onlyChanged("mended rows", was, func(policy, code string, was, now graded) bool {
		return code == who.code && now.outcome == recipes[at].expect(policy)
	}, who.code)
	s.Logf("quarantine: %d open rows, two mended in the workbook and taken back, %d open; %s follows to %s", before.Open, after.Open, lingyuan, recipes[at].lingyuan)
}

// correct puts the right code into the rows about an entity, as a clerk does in a spreadsheet.
func (s *story) correct(path string, who subject) (mended int) {
	s.Helper()
	book, err := excelize.OpenFile(path)
	s.w.must(err)
	defer func() { _ = book.Close() }()
	for _, sheet := range book.GetSheetList() {
		all, err := book.GetRows(sheet)
		s.w.must(err)
		if len(all) < 3 || len(all[1]) == 0 || all[1][0] != "_id" {
			continue
		}
		column := slices.IndexFunc(all[1], func(code string) bool { return code == "CF_XDR_SHXYM" || code == "uscc" })
		if column < 0 {
			s.Fatalf("the sheet %s has no column of the code: %v", sheet, all[1])
		}
		for i, r := range all[2:] {
			text := strings.Join(r, "|")
			if !strings.Contains(text, fmt.Sprintf("〔%d〕700001号", s.today.Year())) && !strings.Contains(text, fmt.Sprintf("〔%d〕700002号", s.today.Year())) {
				continue
			}
			cell, err := excelize.CoordinatesToCellName(column+1, i+3)
			s.w.must(err)
			s.w.must(book.SetCellStr(sheet, cell, who.code))
			mended++
		}
	}
	s.w.must(book.Save())
	return mended
}

// daily are the results of the policies that are scored every day.
func (s *story) daily() map[string]map[string]graded {
	s.Helper()
	return map[string]map[string]graded{lingyuan: s.scored(lingyuan), jiangyin: s.scored(jiangyin)}
}

// scoreToday settles, scores and publishes for today, and pushes until every receiver has answered.
func (s *story) scoreToday() {
	s.Helper()
	s.h.do("settle")
	for _, policy := range []string{jiangyin, lingyuan} {
		s.h.do("score", "--policy", policy, "--as-of", s.today.Format(time.DateOnly))
		s.h.do("publish", "--policy", policy)
	}
	s.h.do("push")
	s.w.department.answer(s.T)
	s.w.office.answer(s.T)
	s.h.do("push")
}

// onlyChanged compares today's results with what they were: those of the codes are as foretold, all
// others as they were, and nobody came or left.
func (s *story) onlyChanged(what string, was map[string]map[string]graded, foretold func(policy, code string, was, now graded) bool, codes ...string) {
	s.Helper()
	for policy, results := range s.daily() {
		wrong := 0
		for code, before := range was[policy] {
			now, there := results[code]
			fits := there && now == before
			if slices.Contains(codes, code) {
				fits = there && foretold(policy, code, before, now)
			}
			if !fits {
				if wrong++; wrong <= 3 {
					s.Errorf("%s: %s of %s is %+v, was %+v", what, policy, code, now, before)
				}
			}
		}
		if len(results) != len(was[policy]) || wrong > 3 {
			s.Errorf("%s: %s has %d results, had %d; %d are not as foretold", what, policy, len(results), len(was[policy]), wrong)
		}
	}
}
