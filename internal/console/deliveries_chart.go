package console

import (
	"time"

	"xinshu/internal/console/chart"
	"xinshu/internal/desk"
)

// daysOf draws what a target answered, a column a day.
func (q *Request) daysOf(days []desk.Day) chart.Picture {
	c := chart.Columns{Title: q.say("deliveries.days"), Series: []chart.Part{{Name: q.say("status.acknowledged"), Class: "fill-good"}, {Name: q.say("status.rejected"), Class: "fill-bad"}}}
	for _, d := range days {
		c.Columns = append(c.Columns, chart.Column{Name: d.Day.Format("01-02"),
			Title:  q.say("deliveries.day", d.Day.Format(time.DateOnly), number(d.Accepted), number(d.Rejected)),
			Values: []float64{float64(d.Accepted), float64(d.Rejected)}})
	}
	return c
}

// waitsOf draws how long a delivery waited for its receipt, day by day.
func (q *Request) waitsOf(days []desk.Day) chart.Picture {
	if len(days) < 2 {
		return nil
	}
	l := chart.Line{Title: q.say("deliveries.waits"), Series: []chart.Series{{Name: q.say("deliveries.wait"), Class: "c1"}}}
	for _, d := range days {
		l.Places = append(l.Places, d.Day.Format("01-02"))
		l.Titles = append(l.Titles, q.say("deliveries.waited", d.Day.Format(time.DateOnly), d.Wait.Round(time.Second).String()))
		l.Series[0].Values = append(l.Series[0].Values, d.Wait.Minutes())
	}
	return l
}
