package desk

import (
	"testing"

	"xinshu/catalog"
)

func TestAPromiseIsKeptUntilItsLastWorkingDayIsOver(t *testing.T) {
	cat, _ := catalog.Load(catalog.Files)
	day := func(s string) catalog.Date {
		d, err := catalog.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name, cycle, rowsOn, today, state, due string
	}{
		{"daily, rows today", "daily", "2025-11-18", "2025-11-18", Fresh, "2025-11-19"},
		{"daily, on the day it is due", "daily", "2025-11-18", "2025-11-19", Fresh, "2025-11-19"},
		{"daily, the day after", "daily", "2025-11-18", "2025-11-20", Late, "2025-11-19"},
		{"a weekend is no working day", "daily", "2025-11-21", "2025-11-24", Fresh, "2025-11-24"},
		{"a holiday is none", "daily", "2025-09-30", "2025-10-09", Fresh, "2025-10-09"},
		{"monthly keeps the day of the month", "monthly", "2025-10-20", "2025-11-20", Fresh, "2025-11-20"},
		{"monthly, late", "monthly", "2025-10-20", "2025-11-21", Late, "2025-11-20"},
		{"as it happens promises nothing", "as-it-happens", "2020-01-01", "2025-11-20", Free, ""},
		{"nothing came", "daily", "", "2025-11-20", Never, ""},
	} {
		got := freshness(cat.Calendars, c.cycle, c.rowsOn, day(c.today))
		due := ""
		if got.DueOn != catalog.NoDate {
			due = got.DueOn.String()
		}
		if got.State != c.state || due != c.due {
			t.Errorf("%s: %s, due %s", c.name, got.State, due)
		}
	}
}
