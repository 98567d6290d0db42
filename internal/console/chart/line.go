package chart

import (
	"fmt"
	"html/template"
	"strings"
)

// Line is one or several lines over the same places: quality over runs, a score over years.
type Line struct {
	Title  string
	Places []string // under the axis; as many as there is room for are written
	Titles []string // of each place, for the pointer and for who listens; nil: Places
	Series []Series
	From   float64 // where the axis begins
	Most   float64 // where the axis ends; 0: the next round number
	Height float64 // 0: 160
	Steps  bool    // a value holds until the next place
}

// Series is one line; NaN is a gap.
type Series struct {
	Name, Class string
	Values      []float64
}

// Draw gives legend and drawing.
func (l Line) Draw() template.HTML {
	const left, right, top, bottom = 44, 12, 10, 22
	height, width := l.Height, 640.0
	if height == 0 {
		height = 160
	}
	most := l.Most
	if most == 0 {
		for _, sr := range l.Series {
			for _, v := range sr.Values {
				if v == v { // no gap
					most = max(most, v)
				}
			}
		}
		most = l.From + ceil(most-l.From)
	}
	x := func(i int) float64 {
		return left + (width-left-right)*float64(i)/max(float64(len(l.Places)-1), 1)
	}
	y := func(v float64) float64 { return height - bottom - (height-top-bottom)*(v-l.From)/(most-l.From) }

	var s svg
	var names []Part
	for _, sr := range l.Series {
		names = append(names, Part{Name: sr.Name, Class: sr.Class})
	}
	s.put(legend(names))
	s.box("chart-box", l.Title)
	s.open("chart", width, height, false, l.Title, strings.Join(l.titles(), "; "))
	for _, part := range []float64{0, 0.5, 1} {
		v := l.From + (most-l.From)*part
		s.line("axis", left, y(v), width-right, y(v))
		s.text("", left-6, y(v)+4, "end", short(v))
	}
	every := max((len(l.Places)+7)/8, 1)
	for i, name := range l.Places {
		if i%every == 0 {
			anchor := "middle"
			if i > 0 && i == len(l.Places)-1 {
				anchor = "end" // a name at the edge would be cut off
			}
			s.text("", x(i), height-6, anchor, name)
		}
	}
	for _, sr := range l.Series {
		fmt.Fprintf(&s, `<path class="series %s" d="%s"/>`, sr.Class, path(sr.Values, x, y, l.Steps))
		for i, v := range sr.Values {
			if v != v || len(sr.Values) > 60 {
				continue
			}
			fmt.Fprintf(&s, `<circle class="dot %s" cx="%s" cy="%s" r="3.5">`, sr.Class, f(x(i)), f(y(v)))
			s.label(l.titles()[i])
			s.put("</circle>")
		}
	}
	return s.close() + "</div>"
}

func (l Line) titles() []string {
	if l.Titles != nil {
		return l.Titles
	}
	return l.Places
}

// path joins values, and begins anew after a gap.
func path(values []float64, x func(int) float64, y func(float64) float64, steps bool) string {
	var b strings.Builder
	on := false
	for i, v := range values {
		if v != v {
			on = false
			continue
		}
		switch {
		case !on:
			b.WriteString("M" + f(x(i)) + " " + f(y(v)))
		case steps:
			b.WriteString("H" + f(x(i)) + "V" + f(y(v)))
		default:
			b.WriteString("L" + f(x(i)) + " " + f(y(v)))
		}
		on = true
	}
	return b.String()
}

// Spark is a line as high as a word.
type Spark struct {
	Title  string
	Class  string // c1..c6, good, warn, bad; empty: c1
	Values []float64
	Most   float64 // 0: the greatest value
}

// Draw gives the drawing; nothing for fewer than two values.
func (p Spark) Draw() template.HTML {
	if len(p.Values) < 2 {
		return ""
	}
	class, most := p.Class, p.Most
	if class == "" {
		class = "c1"
	}
	for _, v := range p.Values {
		if v == v && p.Most == 0 {
			most = max(most, v)
		}
	}
	if most == 0 {
		most = 1
	}
	var s svg
	s.open("spark", 100, 22, false, p.Title, "")
	fmt.Fprintf(&s, `<path class="series %s" d="%s"/>`, class, path(p.Values,
		func(i int) float64 { return 100 * float64(i) / float64(len(p.Values)-1) },
		func(v float64) float64 { return 20 - 18*v/most }, false))
	return s.close()
}
