package cases

import (
	"cmp"

	"xinshu/catalog"
)

// Limit is the time in which a case must be decided.
type Limit struct {
	Days   int    `json:"days"` // working days from the day of receipt, which is day 0; 0: the notice names none
	Pauses bool   `json:"pauses,omitempty"`
	Clause string `json:"clause,omitempty"`
	Policy string `json:"policy,omitempty"` // that names it
}

// RepairDays are the working days in which a repair is handled from receipt to decision, in all
// (practice under Order 58; the order of 2025 leaves the time to the body that decides).
const RepairDays = 10

// LimitOf gives the time for a case. An objection follows the policy it contests; one against no
// single policy has the shortest time of those in use. A notice that only says "within the statutory
// time" (Henan) gives none until the installation writes it into its policy file. A completion is an
// objection against what is missing (Heilongjiang, item 13).
func LimitOf(kind Kind, policy string, policies []catalog.Policy) Limit {
	if kind == Repair {
		return Limit{Days: RepairDays, Clause: "Order 58"}
	}
	var shortest Limit
	for _, p := range policies {
		days := p.Objection.WorkingDays
		if p.Status == "draft" || policy != "" && p.ID != policy || days == 0 {
			continue
		}
		if shortest.Days == 0 || days < shortest.Days {
			shortest = Limit{Days: days, Pauses: p.Objection.Pauses, Clause: p.Objection.Clause, Policy: p.ID}
		}
	}
	return shortest
}

// Clock is how a case stands against its limit on a day.
type Clock struct {
	Due     catalog.Date `json:"due_on"`         // last day; empty: no limit, or no calendar
	Left    int          `json:"left"`           // working days left; negative when late
	Late    bool         `json:"late"`           // the last day passed before a decision
	Paused  bool         `json:"paused"`         // the clock stands while the applicant owes papers
	Unknown string       `json:"note,omitempty"` // why there is no last day
}

// ClockOf works out the last day of a case and how far off it is.
func ClockOf(c Case, today catalog.Date, days catalog.Calendar) Clock {
	clock := Clock{Due: catalog.NoDate}
	if c.Limit.Days == 0 {
		clock.Unknown = "no notice names a time"
		return clock
	}
	paused := c.PausedDays
	if c.State == Waiting && c.Limit.Pauses && c.WaitingSince != catalog.NoDate {
		clock.Paused = true
		more, err := days.Workdays(c.WaitingSince, today)
		if err != nil {
			clock.Unknown = err.Error()
			return clock
		}
		paused += more
	}
	due, err := days.AddWorkdays(c.ReceivedOn, c.Limit.Days+paused)
	if err != nil {
		clock.Unknown = err.Error()
		return clock
	}
	clock.Due = due
	if ended := today; c.State.Decided() {
		if c.Decision != nil {
			ended = c.Decision.DecidedOn
		}
		clock.Late = c.Decision != nil && ended > due
		return clock
	}
	clock.Late = today > due
	from, to := today, due
	if clock.Late {
		from, to = due, today
	}
	if clock.Left, err = days.Workdays(from, to); err != nil {
		clock.Unknown = err.Error()
	}
	if clock.Late {
		clock.Left = -clock.Left
	}
	return clock
}

// Urgency orders cases for the desk of who decides: the earliest last day first, those without one last.
func Urgency(a, b catalog.Date) int {
	if (a == catalog.NoDate) != (b == catalog.NoDate) {
		if a == catalog.NoDate {
			return 1
		}
		return -1
	}
	return cmp.Compare(a, b)
}
