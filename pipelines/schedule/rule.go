package schedule

import (
	"slices"
	"time"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// horizon is how far ahead a schedule must have a next time: 29 February of a leap year is at most
// eight years away, and the cron library looks five years ahead.
const horizon = 8 * 366 * 24 * time.Hour

// rule is a schedule's expression with its conditions.
type rule struct {
	spec   spec
	window window
	days   string
	works  func(catalog.Date) bool
}

// A Planner knows which days are working days.
type Planner struct {
	Calendar catalog.Calendar
}

// Assumed says that a day's calendar has not been published yet: Monday to Friday are taken for
// working days until it is.
func (p Planner) Assumed(day catalog.Date) bool {
	_, err := p.Calendar.IsWorkday(day)
	return err != nil
}

// AssumedYears gives the years of these firings whose calendar is not published yet, each once, in order.
// A schedule that keeps every day asks no calendar.
func (p Planner) AssumedYears(s Schedule, times []time.Time) (years []int) {
	if s.Days == EveryDay {
		return nil
	}
	for _, t := range times {
		if day, ok := catalog.MakeDate(t.Year(), int(t.Month()), t.Day()); ok && p.Assumed(day) && !slices.Contains(years, t.Year()) {
			years = append(years, t.Year())
		}
	}
	return years
}

func (p Planner) works(day catalog.Date) bool {
	if work, err := p.Calendar.IsWorkday(day); err == nil {
		return work
	}
	weekday := day.Time().Weekday()
	return weekday != time.Saturday && weekday != time.Sunday
}

func (p Planner) rule(s Schedule) (r rule, err error) {
	if r.spec, err = parseSpec(s.Spec, s.Zone); err != nil {
		return r, err
	}
	return p.conditions(r, s)
}

// conditions reads what holds with and without an expression.
func (p Planner) conditions(r rule, s Schedule) (rule, error) {
	var err error
	if r.spec.zone == nil {
		if r.spec.zone, err = location(s.Zone); err != nil {
			return r, err
		}
	}
	if r.window, err = parseWindow(s.Window); err != nil {
		return r, err
	}
	switch s.Days {
	case EveryDay, WorkingDays, RestDays:
	default:
		return r, fault.Newf(fault.Invalid, "read the days of schedule "+s.ID, "%s is not known; working and rest are, and nothing for every day", quoted(s.Days))
	}
	r.days, r.works = s.Days, p.works
	return r, nil
}

func (r rule) keeps(t time.Time) bool {
	if r.days == EveryDay {
		return true
	}
	t = t.In(r.spec.zone)
	day, _ := catalog.MakeDate(t.Year(), int(t.Month()), t.Day())
	return r.works(day) == (r.days == WorkingDays)
}

// tick gives the first time after t of the expression on a day that the schedule keeps.
func (r rule) tick(t time.Time) time.Time {
	for until := t.Add(horizon); ; {
		if t = r.spec.next(t); t.IsZero() || t.After(until) {
			return time.Time{}
		}
		if r.keeps(t) {
			return t
		}
		// Nothing of this day is kept: go on at its end.
		t = r.spec.instant(time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, time.UTC)).Add(-time.Nanosecond)
	}
}

// fires is when a tick fires: at once inside the window, at the window's next beginning outside.
func (r rule) fires(tick time.Time) time.Time {
	tick = tick.In(r.spec.zone)
	if r.window.holds(tick) {
		return tick
	}
	return r.window.opens(tick)
}

// next gives the first firing after t. Ticks that wait for the same beginning fire once.
func (r rule) next(t time.Time) time.Time {
	t = t.In(r.spec.zone)
	if !r.window.holds(t) { // a tick before t may wait still
		if waits := r.tick(r.window.closed(t).Add(-time.Nanosecond)); !waits.IsZero() && !waits.After(t) {
			return r.fires(waits)
		}
	}
	for {
		tick := r.tick(t)
		if tick.IsZero() {
			return time.Time{}
		}
		if at := r.fires(tick); at.After(t) {
			return at
		}
		t = tick
	}
}

// ever says whether any tick of the coming time lies inside the window by itself.
func (r rule) ever(from time.Time) bool {
	if !r.window.set {
		return true
	}
	// A year of a schedule that fires by the minute would be half a million looks; what a window does
	// to minutes shows within days.
	until := from.Add(horizon)
	for range 5000 {
		from = r.tick(from)
		if from.IsZero() || from.After(until) {
			return false
		}
		if r.window.holds(from.In(r.spec.zone)) {
			return true
		}
	}
	return false
}
