//go:build acceptance

// Package acceptance owns the proof that the main job runs on real input over real servers: the
// binary that `make build` made, an S3 server, PostgreSQL, MariaDB, OpenSSH and an FTP server on
// loopback, and the collected files of shared/samples. It refuses to look inside the process: it gives
// commands, and reads what they left in the store, in the databases and at the receivers. What it
// expects it counts and works out by itself.
package acceptance

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
)

// story is one life of a hub, from the first pull over a lost database to a merge that is undone.
type story struct {
	*testing.T
	w       *world
	h       *hub
	account *account
	cast    *cast
	today   time.Time
	began   time.Time

	lastPost batch
}

// yearly are the cut-offs scored here; the other two policies are scored for today.
var yearly = map[string]string{henan: "2025-10-31", heilongjiang: "2025-12-31"}

func TestTheMainJobOnRealInputAndRealServers(t *testing.T) {
	began := time.Now()
	w := newWorld(t)
	s := &story{T: t, w: w, h: newHub(t, w.config(), w.s3.Config(bucket)), account: newAccount(), began: began,
		today: time.Now().In(connectors.Shanghai)}
	s.castRoles()

	s.firstLoad()
	s.yearlyResults()
	s.theDay()
	s.tooLate()
	s.deliver()

	s.checkGrades()
	s.checkLimits()
	s.checkReceivers(1)
	s.checkPersons()
	s.again()
	s.verify()
	s.loseTheDatabase()
	s.repair()
	s.mendRows()
	s.silence()
	s.mergeAndUndo()
	s.checkOffice()
	s.verify()
	s.figures()
}

// castRoles reads who is in the register, and deals out records and refusals.
func (s *story) castRoles() {
	seen := map[string]bool{}
	var everybody []subject
	register := s.w.feeds[frontend+" "+amrReg]
	for _, r := range append(slices.Clone(s.w.samples.registerRows), s.w.samples.registerGBRows...) {
		code := cleaned(r["统一社会信用代码"])
		if register.sound(r, s.today) && !seen[code] {
			seen[code] = true
			everybody = append(everybody, subject{code, r["企业名称"]})
		}
	}
	s.cast = deal(everybody)
	if s.cast.dealt*10 < len(everybody)*3 {
		s.Fatalf("only %d of %d entities have records", s.cast.dealt, len(everybody))
	}
	last := len(everybody) - 1
	s.w.receiver.refuse[everybody[last].code], s.w.receiver.refuse[everybody[last-1].code] = true, true
	s.w.department.refuse[everybody[last-2].code], s.w.office.refuse[everybody[last-1].code] = true, true
	s.Logf("%d entities, %d of them with records made for this test", len(everybody), s.cast.dealt)
}

// firstLoad pulls the stock that the platforms had collected by the stock day.
func (s *story) firstLoad() {
	stock := s.cast.records(s.cast.stock, stockDay, 1)
	stock = append(stock, dirt(s.cast.everybody[len(s.cast.everybody)-4], 500_000, s.today)...)
	byHand, rest := split(stock)
	twice := firstOf(rest, "cult.penalty")
	wide := firstOf(rest, "ecology.penalty")
	rest = append(rest, made{twice.dataset, maps.Clone(twice.row)})
	wide.row["CF_XDR_SHXYM"] = fullWidth(strings.ToLower(wide.row["CF_XDR_SHXYM"]))
	s.w.add(rest, time.Date(2025, 9, 29, 10, 0, 0, 0, time.UTC))

	s.pull()
	s.checkForms()
	s.checkFlags()
	s.checkMaria()
	s.ingest("abnormal_operations.xlsx", writeBook(s.T, readTable(s.T, s.w.samples.abnormal)), s.w.samples.abnormalRows, stockDay)
	s.ingest("abnormal_stock.csv", nil, byHand, stockDay)
	s.h.do("settle")
}

func (s *story) yearlyResults() {
	for _, policy := range slices.Sorted(maps.Keys(yearly)) {
		s.h.do("score", "--policy", policy, "--as-of", yearly[policy])
		s.h.do("publish", "--policy", policy)
	}
}

// theDay brings the second half of the records and scores what is scored every day, in one command.
func (s *story) theDay() {
	byHand, rest := split(s.cast.records(s.cast.today, s.today, 100_001))
	s.w.add(append(rest, s.spoiled()...), s.today)
	s.ingest("abnormal_today.csv", nil, byHand, s.today)
	s.post("2026-0001")
	s.spoiltOnTheWay()
	before := s.stageHeads()
	s.h.do("run", "--policy", lingyuan+","+jiangyin, "--as-of", s.today.Format(time.DateOnly))
	s.checkPulls(before, pulled...)
}

// tooLate scores the yearly policies once more, after their cut-offs brought records about half of
// those who have any: what was not received by the cut-off states nothing new (Heilongjiang annex 1,
// article 5).
func (s *story) tooLate() {
	before := s.h.heads("published/"+henan, "published/"+heilongjiang)
	s.yearlyResults()
	if now := s.h.heads("published/"+henan, "published/"+heilongjiang); !maps.Equal(now, before) {
		s.Errorf("records received after the cut-off change yearly results: %v, before %v", now, before)
	}
}

// deliver lets the department answer its packets and the hub take the answers in.
func (s *story) deliver() {
	if s.w.department.answer(s.T) == 0 {
		s.Error("the department found no packet on SFTP")
	}
	if s.w.office.answer(s.T) == 0 {
		s.Error("the office found no result in its table")
	}
	s.h.do("push")
}

// split takes out the rows that a person brings as a file.
func split(rows []made) (byHand []row, rest []made) {
	for _, m := range rows {
		if m.dataset == amrAbnormal {
			byHand = append(byHand, m.row)
		} else {
			rest = append(rest, m)
		}
	}
	return byHand, rest
}

func firstOf(rows []made, dataset string) made {
	for _, m := range rows {
		if m.dataset == dataset {
			return m
		}
	}
	panic("no row of " + dataset)
}

func fullWidth(text string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r - '!' + '！'
		}
		return r
	}, text)
}

// figures prints what was done, for a person to read.
func (s *story) figures() {
	l := s.account.total
	s.Logf("rows: read %d = accepted %d + duplicate %d + quarantined %d + skipped %d, as counted by hand, over %d datasets",
		l.Read, l.Accepted, l.Duplicate, l.Quarantined, l.Skipped, len(s.account.rows))
	s.Logf("receivers: %d rows by REST in %d deliveries, %d rows by SFTP in %d packets",
		len(s.w.receiver.ids()), s.w.receiver.deliveries, len(s.w.department.ids()), s.w.department.deliveries)
	s.Logf("%d commands took %.1f s; everything %.1f s; material: %s; S3: %s", s.h.runs, s.h.spent.Seconds(), time.Since(s.began).Seconds(), s.w.samples.origin, s.w.s3.Kind)
}
