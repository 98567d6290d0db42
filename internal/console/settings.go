package console

import (
	"strconv"

	"xinshu/catalog"
	"xinshu/internal/auth"
)

func (c *Console) settingsPages() []Page {
	return []Page{
		{Pattern: "GET /settings", Right: auth.Self, Do: c.settings},
		{Pattern: "GET /settings/calendars", Right: auth.CatalogueSee, Do: c.calendars},
		{Pattern: "GET /settings/about", Right: auth.Self, Do: c.about},
	}
}

// Tab is one part of the settings.
type Tab struct {
	Name, Href string
	Current    bool
	right      auth.Right
}

var settingTabs = []Tab{
	{Name: "users", Href: "/settings/users", right: auth.UsersSee},
	{Name: "keys", Href: "/settings/keys", right: auth.KeysSee},
	{Name: "targets", Href: "/settings/targets", right: auth.TargetsSee},
	{Name: "calendars", Href: "/settings/calendars", right: auth.CatalogueSee},
	{Name: "audit", Href: "/settings/audit", right: auth.AuditSee},
	{Name: "about", Href: "/settings/about", right: auth.Self},
}

// Settings gives the tabs that this actor may open; name is the one that is open.
func (f *Frame) Settings(name string) (tabs []Tab) {
	for _, t := range settingTabs {
		if f.Page("GET "+t.Href) && f.Actor.May(t.right) {
			t.Current = t.Name == name
			tabs = append(tabs, t)
		}
	}
	return tabs
}

// settings opens the first part that the actor may see; about is everybody's.
func (c *Console) settings(q *Request) error {
	return q.See(q.frame("settings", nil).Settings("")[0].Href, "")
}

// month is one of a calendar: its weeks from Monday on, 0 where a day is another month's.
type month struct {
	Number int
	Weeks  [][7]calendarDay
}

type calendarDay struct {
	Day     int
	Off     bool // no working day
	Special bool // otherwise than the weekday says
}

func (c *Console) calendars(q *Request) error {
	years := c.Desk.CalendarYears()
	if len(years) == 0 {
		return q.Render("settings/calendars", map[string]any{})
	}
	year := years[len(years)-1]
	for _, y := range years {
		if q.URL.Query().Get("year") == strconv.Itoa(y) || q.URL.Query().Get("year") == "" && y == c.Desk.Today().Time().Year() {
			year = y
		}
	}
	months, working := c.monthsOf(year)
	return q.Render("settings/calendars", map[string]any{"Years": years, "Year": year, "Months": months, "Working": working})
}

func (c *Console) monthsOf(year int) (months []month, working int) {
	day, _ := catalog.MakeDate(year, 1, 1)
	for ; day.Time().Year() == year; day = day.AddDays(1) {
		t := day.Time()
		works, err := c.Desk.Catalog.Calendars.IsWorkday(day)
		if err != nil {
			break
		}
		if works {
			working++
		}
		weekday := (int(t.Weekday()) + 6) % 7
		if t.Day() == 1 {
			months = append(months, month{Number: int(t.Month())})
		}
		m := &months[len(months)-1]
		if t.Day() == 1 || weekday == 0 {
			m.Weeks = append(m.Weeks, [7]calendarDay{})
		}
		m.Weeks[len(m.Weeks)-1][weekday] = calendarDay{Day: t.Day(), Off: !works, Special: works == (weekday > 4)}
	}
	return months, working
}

// about says what runs here and what it is built from.
func (c *Console) about(q *Request) error {
	built, err := c.Desk.Built()
	if err != nil {
		return err
	}
	return q.Render("settings/about", map[string]any{"Go": built.GoVersion, "Modules": built.Deps, "Totals": c.Desk.Catalog.Totals()})
}
