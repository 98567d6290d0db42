package desk

import "xinshu/catalog"

// How a feed stands against what its department promised.
const (
	Fresh = "fresh"
	Late  = "late"  // the day on which new rows were due is over
	Never = "never" // no row ever came
	Free  = "free"  // it delivers as things happen and promises no day
)

// Freshness says how new the newest rows of a feed are, against the promised cycle.
type Freshness struct {
	State  string       `json:"state"`
	RowsOn catalog.Date `json:"rows_on"` // day of the newest rows; NoDate: none came
	DueOn  catalog.Date `json:"due_on"`  // last day on which the promise is kept; NoDate: nothing is promised, or nothing came
}

// cycles gives the last day of a promise. A day is a working day: what is promised daily is due on
// Monday after a Friday, and on the first day after a holiday.
var cycles = map[string]func(catalog.Date) catalog.Date{
	"realtime":    func(d catalog.Date) catalog.Date { return d.AddDays(1) },
	"daily":       func(d catalog.Date) catalog.Date { return d.AddDays(1) },
	"weekly":      func(d catalog.Date) catalog.Date { return d.AddDays(7) },
	"monthly":     func(d catalog.Date) catalog.Date { return d.AddMonths(1) },
	"quarterly":   func(d catalog.Date) catalog.Date { return d.AddMonths(3) },
	"half-yearly": func(d catalog.Date) catalog.Date { return d.AddMonths(6) },
	"yearly":      func(d catalog.Date) catalog.Date { return d.AddMonths(12) },
}

// Freshness holds the day of a feed's newest rows (2006-01-02, empty: none) against a dataset's cycle.
func (d *Desk) Freshness(ds catalog.Dataset, rowsOn string) Freshness {
	return freshness(d.Catalog.Calendars, ds.Cycle, rowsOn, d.Today())
}

func freshness(calendar catalog.Calendar, cycle, rowsOn string, today catalog.Date) Freshness {
	f := Freshness{State: Never, RowsOn: catalog.NoDate, DueOn: catalog.NoDate}
	day, err := catalog.ParseDate(rowsOn)
	if err != nil {
		return f
	}
	f.RowsOn = day
	next, promises := cycles[cycle]
	if !promises {
		f.State = Free
		return f
	}
	f.DueOn = workdayFrom(calendar, next(day))
	f.State = Fresh
	if today > f.DueOn {
		f.State = Late
	}
	return f
}

// workdayFrom gives the first working day on or after a day; a day of a year without a calendar counts
// as one from Monday to Friday.
func workdayFrom(calendar catalog.Calendar, day catalog.Date) catalog.Date {
	for range 31 { // no holiday is longer
		works, err := calendar.IsWorkday(day)
		if err != nil {
			weekday := day.Time().Weekday()
			works = weekday != 0 && weekday != 6
		}
		if works {
			break
		}
		day = day.AddDays(1)
	}
	return day
}
