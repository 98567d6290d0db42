package chart

import (
	"fmt"
	"html/template"
	"time"
)

// Heat is a calendar: a column a week, a cell a day, Monday above.
type Heat struct {
	Title  string
	Days   []HeatDay // every day from a Monday on, in order
	Week   [7]string // names of the days; the first, third and fifth are written
	Month  func(time.Time) string
	Legend [2]string // words for little and much
}

// HeatDay is one cell.
type HeatDay struct {
	Day   time.Time
	Level int    // 0 (nothing) to 5 (much)
	Bad   bool   // something failed: shown as such whatever the level
	Title string // what the pointer shows
	Href  string // for who points; half a year of stops would be in the way of who tabs
}

// Draw gives the drawing.
func (h Heat) Draw() template.HTML {
	const cell, gap, left, top = 13, 3, 26, 16
	weeks := (len(h.Days) + 6) / 7
	width := float64(left + weeks*(cell+gap))
	var s svg
	s.box("chart-box heat", h.Title)
	s.open("chart", width, top+7*(cell+gap), true, h.Title, "")
	for _, i := range []int{0, 2, 4} {
		s.text("", left-5, float64(top+i*(cell+gap)+10), "end", h.Week[i])
	}
	last := time.Month(0)
	for i, d := range h.Days {
		x, y := float64(left+i/7*(cell+gap)), float64(top+i%7*(cell+gap))
		if i%7 == 0 && d.Day.Month() != last && h.Month != nil {
			// A month that is there with its last days alone would stand on the next one's name.
			if last = d.Day.Month(); d.Day.AddDate(0, 0, 14).Month() == last && i/7 < weeks-1 {
				s.text("", x, 10, "start", h.Month(d.Day))
			}
		}
		class := fmt.Sprintf("h%d", min(max(d.Level, 0), 5))
		if d.Bad {
			class = "fill-bad"
		}
		if d.Href != "" {
			fmt.Fprintf(&s, `<a href="%s" tabindex="-1" aria-label="%s">`, esc(d.Href), esc(d.Title))
		}
		s.rect(class, x, y, cell, cell, 2.5, d.Title)
		if d.Href != "" {
			s.put("</a>")
		}
	}
	return s.close() + "</div>"
}

// Level puts a count on the scale of heat: a fifth of the most a step, nothing only for nothing.
func Level(n, most int64) int {
	if n <= 0 || most <= 0 {
		return 0
	}
	return int(min((5*n+most-1)/most, 5))
}
