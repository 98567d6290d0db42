package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/console/chart"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
)

func (c *Console) overviewPages() []Page {
	return []Page{{Pattern: "GET /{$}", Right: auth.OverviewSee, Do: c.overview}}
}

// mostPressing is how many datasets in trouble the overview lists; the catalogue has them all.
const mostPressing = 10

// roadDays are the spans that the road may count.
var roadDays = []string{"1", "7", "30"}

func (c *Console) overview(q *Request) error {
	days := q.URL.Query().Get("days")
	if !slices.Contains(roadDays, days) {
		days = roadDays[0]
	}
	o, err := c.Desk.Overview(q.Context(), map[string]int{"1": 1, "7": 7, "30": 30}[days])
	if err != nil {
		return err
	}
	pressing := []desk.FeedState{}
	for _, owner := range o.Feeds {
		for _, f := range owner.Datasets {
			if f.State == desk.Broken || f.State == desk.Held || f.State == desk.Late {
				pressing = append(pressing, f)
			}
		}
	}
	// What came to a stop stands before what is only late; within that, departments keep their order.
	worst := []string{desk.Broken, desk.Held, desk.Late}
	slices.SortStableFunc(pressing, func(a, b desk.FeedState) int {
		return slices.Index(worst, a.State) - slices.Index(worst, b.State)
	})
	beyond := max(0, len(pressing)-mostPressing)
	pressing = pressing[:len(pressing)-beyond]
	o.Waiting = slices.DeleteFunc(o.Waiting, func(t desk.Waiting) bool {
		path, _, _ := strings.Cut(t.Path, "?")
		return !c.opens(q.Actor, "GET "+path) // nothing waits behind a page that is not to be seen
	})
	return q.Render("overview", map[string]any{"O": o, "Days": days, "Spans": roadDays, "Pressing": pressing, "Beyond": beyond,
		"Road": q.road(o.Road), "Heat": q.heat(o.Days), "Grades": q.gradeBars(o.Grades)})
}

// road draws the way from source to receipt.
func (q *Request) road(r desk.Road) chart.Road {
	tone := func(n int64, tone string) string {
		if n == 0 {
			return ""
		}
		return tone
	}
	href := func(path string) string {
		if q.console.opens(q.Actor, "GET "+path) {
			return path
		}
		return ""
	}
	return chart.Road{Title: q.Say("overview.road"), Stations: []chart.Station{
		{Name: q.Say("road.sources"), Count: number(r.Sources), Note: q.Say("road.datasets", number(r.Datasets)), Href: href("/sources")},
		{Name: q.Say("road.read"), Count: number(r.Rows.Read), Note: q.Say("road.rows"), Href: href("/runs")},
		{Name: q.Say("road.accepted"), Count: number(r.Rows.Accepted), Note: percent(r.Rows.Accepted, r.Rows.Read), Exits: []chart.Exit{
			{Name: q.Say("road.quarantined"), Count: number(r.Rows.Quarantined), Href: href("/quarantine"), Tone: tone(r.Rows.Quarantined, "warn")},
			{Name: q.Say("road.duplicate"), Count: number(r.Rows.Duplicate)},
			{Name: q.Say("road.skipped"), Count: number(r.Rows.Skipped)}}},
		{Name: q.Say("road.records"), Count: number(r.Records), Note: q.Say("road.now")},
		{Name: q.Say("road.graded"), Count: number(r.Entities), Note: q.Say("road.policies", r.Policies), Href: href("/grades")},
		{Name: q.Say("road.acknowledged"), Count: number(r.Accepted), Note: q.Say("road.targets", r.Targets), Href: href("/deliveries"), Exits: []chart.Exit{
			{Name: q.Say("road.refused"), Count: number(r.Refused), Href: href("/deliveries"), Tone: tone(r.Refused, "bad")},
			{Name: q.Say("road.open"), Count: number(r.Open), Href: href("/deliveries"), Tone: tone(r.Open, "warn")}}},
	}}
}

// heat draws the runs of 26 weeks.
func (q *Request) heat(days []desk.RunDay) chart.Heat {
	h := chart.Heat{Title: q.Say("overview.heat"), Month: func(t time.Time) string { return q.Say("month." + t.Format("1")) }}
	for i := range h.Week {
		h.Week[i] = q.Say("weekday." + time.Weekday((i + 1) % 7).String()[:3])
	}
	byDay := map[string]desk.RunDay{}
	var most int64
	for _, d := range days {
		byDay[d.Day.Format(time.DateOnly)] = d
		most = max(most, d.Runs)
	}
	midnight := desk.Midnight(q.console.Now())
	for day := desk.FirstDay(midnight); !day.After(midnight); day = day.AddDate(0, 0, 1) {
		name := day.Format(time.DateOnly)
		d := byDay[name]
		cell := chart.HeatDay{Day: day, Level: chart.Level(d.Runs, most), Bad: d.Failed > 0, Title: q.Say("heat.none", name)}
		if d.Runs > 0 {
			cell.Title = q.Say("heat.day", name, number(d.Runs), number(d.Failed), number(d.Ledger.Read))
			if q.console.opens(q.Actor, "GET /runs") {
				cell.Href = "/runs?day=" + name
			}
		}
		h.Days = append(h.Days, cell)
	}
	return h
}

// policyGrades is one policy with its grades as one bar.
type policyGrades struct {
	desk.Distribution
	Bar chart.Bars
}

func (q *Request) gradeBars(all []desk.Distribution) (list []policyGrades) {
	for _, d := range all {
		var parts []chart.Part
		for i, g := range d.Grades {
			parts = append(parts, chart.Part{Name: g.Grade, Class: gradeClass(i, len(d.Grades)), Value: float64(g.Entities)})
		}
		p, _ := q.console.Desk.Catalog.Policy(d.Policy)
		title := pick(p.Title, q.Lang)
		list = append(list, policyGrades{d, chart.Bars{Title: title, Lines: []chart.Bar{{Value: float64(d.Entities), Parts: parts, Shown: number(d.Entities)}}}})
	}
	return list
}

// gradeClass is the colour of a grade: the grades of a policy, the best first, spread over five.
func gradeClass(place, of int) string { return fmt.Sprintf("g%d", shade(place, of)) }

// shade is the number of that colour, 1 for the best.
func shade(place, of int) int {
	if of < 2 {
		return 1
	}
	return 1 + min(place*4/(of-1), 4)
}

// nowhere answers what no page does.
func nowhere(q *Request) error {
	return fault.Newf(fault.NotFound, "open "+q.URL.Path, "there is no such page")
}
