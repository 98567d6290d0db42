package alerts

import "fmt"

// Deadline is a case that is not decided yet. It names nobody: alerts go to people who may not see
// whom a case is about.
type Deadline struct {
	No             string
	KindZH, KindEN string
	Due            string // last day; empty: it has none
	Left           int    // working days, until the last one
	Late           bool   // the last day is over
	Paused         bool   // the applicant owes papers, and the clock stands
}

// DueCases finds cases of which so many working days are left, or fewer; past the last day it is critical.
func DueCases(open []Deadline, days int) []Finding {
	var found []Finding
	for _, c := range open {
		switch {
		case c.Due == "" || !c.Late && (c.Paused || c.Left > days):
		case c.Late:
			found = append(found, Finding{Rule: Case, Subject: c.No, Level: Critical,
				ZH: fmt.Sprintf("%s %s 应于 %s 前办结，现已逾期；请尽快作出决定。", c.KindZH, c.No, c.Due),
				EN: fmt.Sprintf("the %s %s was due by %s and is late; decide it now.", c.KindEN, c.No, c.Due)})
		default:
			found = append(found, Finding{Rule: Case, Subject: c.No, Level: Warning,
				ZH: fmt.Sprintf("%s %s 须在 %s 前办结，期限将至；请在此之前作出决定。", c.KindZH, c.No, c.Due),
				EN: fmt.Sprintf("the %s %s is due by %s, which is near; decide it before.", c.KindEN, c.No, c.Due)})
		}
	}
	return found
}

// Pending is a change of the catalogue that waits for its second person.
type Pending struct {
	ID, Subject    string
	KindZH, KindEN string
	Since          string // day
	Days           int    // working days since then
}

// WaitingProposals finds changes that have waited for longer than so many working days.
func WaitingProposals(open []Pending, days int) []Finding {
	var found []Finding
	for _, p := range open {
		if p.Days > days {
			found = append(found, Finding{Rule: Proposal, Subject: p.ID, Level: Warning,
				ZH: fmt.Sprintf("%s %s 的变更 %s 自 %s 起等待第二人审批；请审批或退回。", p.KindZH, p.Subject, p.ID, p.Since),
				EN: fmt.Sprintf("the change %s of %s %s has waited for a second person since %s; approve or refuse it.", p.ID, p.KindEN, p.Subject, p.Since)})
		}
	}
	return found
}
