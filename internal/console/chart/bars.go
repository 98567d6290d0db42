package chart

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// Bars is a list of lines, each with its bar: shares, counts by reason. It is HTML, so that it
// breaks and reads like any list.
type Bars struct {
	Title string
	Lines []Bar
	Most  float64 // what a full bar means; 0: the greatest value
}

// Bar is one line.
type Bar struct {
	Name, Href string // no name: the bar takes the whole line
	Value      float64
	Parts      []Part // of the bar, one after another; none: the whole value in the first colour
	Shown      string // the value as it is written
	Note       string // small, behind the value
}

// Part is a piece of a bar or of a column.
type Part struct {
	Value float64
	Class string // c1..c6, g1..g5, fill-good, fill-warn, fill-bad, fill-hold, fill-idle
	Name  string
}

// Draw gives the list.
func (b Bars) Draw() template.HTML {
	most := b.Most
	for _, l := range b.Lines {
		if b.Most == 0 {
			most = max(most, l.Value)
		}
	}
	var s svg
	class := "bars"
	if !slices.ContainsFunc(b.Lines, func(l Bar) bool { return l.Name != "" }) {
		class = "bars bare"
	}
	fmt.Fprintf(&s, `<ul class="%s" aria-label="%s">`, class, esc(b.Title))
	for _, l := range b.Lines {
		name := `<span class="name" title="` + esc(l.Name) + `">` + esc(l.Name) + `</span>`
		if l.Href != "" {
			name = `<a class="name" href="` + esc(l.Href) + `" title="` + esc(l.Name) + `">` + esc(l.Name) + `</a>`
		}
		if l.Name == "" {
			name = ""
		}
		s.put("<li>" + name + `<svg aria-hidden="true" preserveAspectRatio="none" viewBox="0 0 100 10"><rect class="track" width="100" height="10"/>`)
		parts := l.Parts
		if parts == nil {
			parts = []Part{{Value: l.Value, Class: "c1"}}
		}
		x := 0.0
		for _, p := range parts {
			if p.Value <= 0 || most <= 0 {
				continue
			}
			w := max(min(100*p.Value/most, 100-x), 0.4)
			s.rect(p.Class, x, 0, w, 10, 0, "")
			x += w
		}
		s.put(`</svg><span class="value">` + esc(l.Shown))
		if l.Note != "" {
			s.put(` <small>` + esc(l.Note) + `</small>`)
		}
		s.put("</span></li>")
	}
	s.put("</ul>")
	return template.HTML(s.String()) //nolint:gosec // every text went through esc
}

// Columns is a stacked column a day or a run.
type Columns struct {
	Title   string
	Series  []Part   // name and class of each series; Value is not read
	Columns []Column // from left to right
	Height  float64  // 0: 160
}

// Column is one.
type Column struct {
	Name   string // under the axis; empty: none
	Title  string // what the pointer shows
	Href   string
	Values []float64 // in the order of Series
}

// Draw gives legend and drawing.
func (c Columns) Draw() template.HTML {
	const left, right, top, bottom = 44, 6, 8, 22
	height := c.Height
	if height == 0 {
		height = 160
	}
	width, most := 640.0, 0.0
	for _, col := range c.Columns {
		most = max(most, sum(col.Values))
	}
	most = ceil(most)
	var s svg
	s.put(legend(c.Series))
	s.box("chart-box", c.Title)
	s.open("chart", width, height, slices.ContainsFunc(c.Columns, func(col Column) bool { return col.Href != "" }), c.Title, c.says())
	axis(&s, left, right, top, bottom, width, height, most)
	step := (width - left - right) / max(float64(len(c.Columns)), 1)
	wide := min(step*0.72, 28)
	for i, col := range c.Columns {
		x := left + step*float64(i) + (step-wide)/2
		y := height - bottom
		if col.Href != "" {
			fmt.Fprintf(&s, `<a href="%s">`, esc(col.Href))
		}
		s.put("<g>")
		s.label(col.Title)
		for j, v := range col.Values {
			if v <= 0 || j >= len(c.Series) {
				continue
			}
			h := max((height-top-bottom)*v/most, 0.8)
			y -= h
			s.rect(c.Series[j].Class, x, y, wide, h, 0, "")
		}
		s.put("</g>")
		if col.Href != "" {
			s.put("</a>")
		}
		if col.Name != "" {
			s.text("", x+wide/2, height-6, "middle", col.Name)
		}
	}
	return s.close() + "</div>"
}

// says is the drawing in words.
func (c Columns) says() string {
	var words []string
	for _, col := range c.Columns {
		words = append(words, col.Title)
	}
	return strings.Join(words, "; ")
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

// axis draws the floor, the half and the top with their numbers.
func axis(s *svg, left, right, top, bottom, width, height, most float64) {
	for _, part := range []float64{0, 0.5, 1} {
		y := height - bottom - (height-top-bottom)*part
		s.line("axis", left, y, width-right, y)
		s.text("", left-6, y+4, "end", short(most*part))
	}
}

// legend names the series where there are several.
func legend(series []Part) string {
	if len(series) < 2 {
		return ""
	}
	var b strings.Builder
	b.WriteString(`<ul class="legend">`)
	for _, p := range series {
		b.WriteString(`<li><svg aria-hidden="true" viewBox="0 0 10 10"><rect class="` + esc(p.Class) + `" width="10" height="10" rx="2"/></svg>` + esc(p.Name) + `</li>`)
	}
	b.WriteString(`</ul>`)
	return b.String()
}
