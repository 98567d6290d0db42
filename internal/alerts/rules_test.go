package alerts

import (
	"errors"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestRules(t *testing.T) {
	day := 24 * time.Hour
	calm := []Ledger{{1000, 10}, {1000, 10}, {1000, 10}}
	for _, c := range []struct {
		name  string
		found []Finding
		want  string // rule, subject and level of what is found; empty: nothing
	}{
		{"a feed that kept its promise is no alert", LateFeeds([]Feed{{Source: "s", Dataset: "d"}}), ""},
		{"a late feed is told", LateFeeds([]Feed{{Source: "s", Dataset: "d", Late: true}}), "late s/d warning"},
		{"a late feed on hold is told as hold", LateFeeds([]Feed{{Source: "s", Dataset: "d", Late: true, Alarm: "late"}}), ""},
		{"a feed on hold is critical", HeldFeeds([]Feed{{Source: "s", Dataset: "d", Alarm: "empty"}}), "hold s/d critical"},
		{"a usual share of refused rows is no jump", Jumped("d", calm), ""},
		{"three times the share is a jump", Jumped("d", append([]Ledger{{100, 5}}, calm...)), "quarantine d warning"},
		{"a share below five hundredths is no jump", Jumped("d", append([]Ledger{{100, 4}}, calm...)), ""},
		{"few rows mean nothing", Jumped("d", append([]Ledger{{19, 19}}, calm...)), ""},
		{"the first pull has nothing to compare with", Jumped("d", []Ledger{{100, 90}}), ""},
		{"the eleventh run before does not count", Jumped("d", append([]Ledger{{100, 6}}, append(slicesOf(10, Ledger{100, 0}), Ledger{100, 100})...)), "quarantine d warning"},
		{"a feed that was always bad does not jump", Jumped("d", []Ledger{{100, 50}, {100, 40}}), ""},
		{"rows open for a while are no failure", FailingTargets([]Receiver{{ID: "t", Open: 5, Since: noon.Add(-time.Hour)}}, noon, day), ""},
		{"rows open too long are", FailingTargets([]Receiver{{ID: "t", Open: 5, Since: noon.Add(-25 * time.Hour)}}, noon, day), "target t critical"},
		{"rows that wait for a person are at once", FailingTargets([]Receiver{{ID: "t", Open: 5, Waiting: 1, Since: noon}}, noon, day), "target t critical"},
		{"a target without rows is calm", FailingTargets([]Receiver{{ID: "t"}}, noon, day), ""},
		{"a failed task waits", FailedTasks([]Broken{{ID: "nightly@1"}}), "task nightly@1 warning"},
		{"a tenth of a disk is enough", FullDisks([]Space{{"/d", 10, 100}}, 10), ""},
		{"less is not", FullDisks([]Space{{"/d", 9, 100}}, 10), "disk /d warning"},
		{"a third of that is critical", FullDisks([]Space{{"/d", 3, 100}}, 10), "disk /d critical"},
		{"a key without end never ends", Expiring([]Term{{What: "key", Subject: "k"}}, noon, 30*day), ""},
		{"a key of a year is no alert", Expiring([]Term{{What: "key", Subject: "k", Until: noon.Add(300 * day)}}, noon, 30*day), ""},
		{"a month before it is", Expiring([]Term{{What: "key", Subject: "k", Until: noon.Add(29 * day)}}, noon, 30*day), "expiry key k warning"},
		{"a week before it is critical", Expiring([]Term{{What: "key", Subject: "k", Until: noon.Add(7 * day)}}, noon, 30*day), "expiry key k critical"},
		{"and when it has ended", Expiring([]Term{{What: "key", Subject: "k", Until: noon.Add(-day)}}, noon, 30*day), "expiry key k critical"},
		{"a file left out is critical, one not taken a warning, each told once",
			BrokenFiles([]Flaw{{"a.yaml", "a.yaml:3: no title", true}, {"a.yaml", "a.yaml:9: no key", false}, {"b.yaml", "b.yaml: no title", false}}), "catalogue a.yaml critical; catalogue b.yaml warning"},
		{"a trail that matches is calm", BrokenTrail(nil), ""},
		{"one that does not is critical", BrokenTrail(errors.New("entry 7")), "audit trail critical"},
		{"a node seen lately is there", LostNodes([]Member{{Name: "n", Seen: noon.Add(-time.Minute)}}, noon, 2*time.Minute), ""},
		{"a silent one is lost", LostNodes([]Member{{Name: "n", Seen: noon.Add(-3 * time.Minute)}}, noon, 2*time.Minute), "node n critical"},
		{"a clock that is a little off is no alert", WrongClocks([]Member{{Name: "n", Skew: 5 * time.Second}}, 5*time.Second, 15*time.Second), ""},
		{"one that is further off is", WrongClocks([]Member{{Name: "n", Skew: 6 * time.Second}}, 5*time.Second, 15*time.Second), "clock n warning"},
		{"behind as well as ahead", WrongClocks([]Member{{Name: "n", Skew: -6 * time.Second}}, 5*time.Second, 15*time.Second), "clock n warning"},
		{"a node that takes no tasks for it is critical", WrongClocks([]Member{{Name: "n", Skew: -time.Hour}}, 5*time.Second, 15*time.Second), "clock n critical"},
		{"a case with time is calm", DueCases([]Deadline{{No: "c", Due: "2026-11-30", Left: 3}}, 2), ""},
		{"a case without a last day is never due", DueCases([]Deadline{{No: "c", Left: 0}}, 2), ""},
		{"a case whose applicant owes papers waits", DueCases([]Deadline{{No: "c", Due: "2026-11-23", Left: 1, Paused: true}}, 2), ""},
		{"a case near its last day is told", DueCases([]Deadline{{No: "c", Due: "2026-11-24", Left: 2}}, 2), "case c warning"},
		{"its last day is not late yet", DueCases([]Deadline{{No: "c", Due: "2026-11-22", Left: 0}}, 2), "case c warning"},
		{"a late case is late though its applicant owes papers", DueCases([]Deadline{{No: "c", Due: "2026-11-20", Late: true, Paused: true}}, 2), "case c critical"},
		{"past it is critical", DueCases([]Deadline{{No: "c", Due: "2026-11-20", Late: true}}, 2), "case c critical"},
		{"a proposal may wait for some days", WaitingProposals([]Pending{{ID: "R1", Days: 5}}, 5), ""},
		{"and no longer", WaitingProposals([]Pending{{ID: "R1", Days: 6}}, 5), "proposal R1 warning"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range c.found {
				if f.ZH == "" || f.EN == "" || strings.Contains(f.ZH+f.EN, "%!") {
					t.Errorf("the words are wrong: %q %q", f.ZH, f.EN)
				}
				got = append(got, f.Rule+" "+f.Subject+" "+f.Level)
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("found %q, not %q", got, c.want)
			}
		})
	}
}

func slicesOf(n int, l Ledger) []Ledger {
	all := make([]Ledger, n)
	for i := range all {
		all[i] = l
	}
	return all
}
