package simulate

import (
	"strings"
	"time"

	"xinshu/catalog"
)

// dateWriter writes a date field by the part it plays in the fact.
func (d *dataset) dateWriter(f catalog.Field, role string) func(*row) string {
	form := dateForms[d.hash%uint64(len(dateForms))]
	date := func(of func(r *row) catalog.Date) func(*row) string {
		return func(r *row) string { return writeDate(of(r), form) }
	}
	on := func(r *row) catalog.Date { return r.f.on }
	until := func(r *row) catalog.Date { return r.f.until }
	if f.Required { // an end that must be given: without one, the day that stands for none
		until = func(r *row) catalog.Date {
			if r.f.until == catalog.NoDate {
				return endless
			}
			return r.f.until
		}
	}
	switch role {
	case "changed":
		return date(func(r *row) catalog.Date { return r.f.changed })
	case "confirmed_on":
		if d.family == "honour" { // the day on which somebody stood for a self-reported matter
			return date(until)
		}
	case "status_on", "removed_on", "settled_on", "valid_through", "due_on", "expires_on", "expires_through", "effective_through", "publicity_through":
		return date(until)
	case "closed_on":
		return date(func(r *row) catalog.Date {
			if r.f.level == "open" {
				return catalog.NoDate
			}
			return min(max(r.f.on.AddDays(20), r.f.changed), r.f.sent)
		})
	case "filed_on":
		return date(func(r *row) catalog.Date {
			if r.f.level == "not_filed" && !f.Required {
				return catalog.NoDate
			}
			return r.f.on
		})
	case "effective_on": // of a case: the decision
		return date(func(r *row) catalog.Date {
			if r.f.until != catalog.NoDate {
				return r.f.until
			}
			return r.f.on
		})
	case "":
		if strings.Contains(f.Name, "due") {
			return date(func(r *row) catalog.Date { return r.f.on.AddDays(30) })
		}
	}
	return date(on)
}

// endless stands in sources for a validity without end (facts.md 2.1).
var endless = day("2099-12-31")

// The written forms of dates that circulate; a department keeps to one.
var dateForms = []string{"2006-01-02", "2006-01-02", "2006/1/2", "20060102", "2006年1月2日", "2006-01-02 15:04:05"}

func writeDate(d catalog.Date, form string) string {
	if d == catalog.NoDate {
		return ""
	}
	if form == "2006-01-02" {
		return d.String()
	}
	return d.Time().Format(form)
}

// opTime is when the department touched the row: on the day it was sent, at some minute of the working day.
func (r *row) opTime() string {
	minute := 8*60 + 5 + int(mix(r.f.salt^uint64(r.f.day))%(9*60)) - r.minutes
	at := time.Unix(int64(r.f.sent)*86400+int64(minute)*60, 0).UTC()
	return at.Format("2006-01-02 15:04:05")
}
