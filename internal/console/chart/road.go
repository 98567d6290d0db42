package chart

import (
	"fmt"
	"html/template"
)

// Road is the way of data from left to right: stations in a row, and below them what left the way.
type Road struct {
	Title    string
	Stations []Station
}

// Station is a place on the road.
type Station struct {
	Name, Count, Note string
	Href              string
	Exits             []Exit // what leaves the road here
}

// Exit is a way off the road. One with a tone is worth a look.
type Exit struct {
	Name, Count string
	Href        string
	Tone        string // warn, bad, hold; empty: nothing to worry about
}

const (
	roadWide, roadHigh = 134.0, 78.0
	roadGap, roadTop   = 40.0, 6.0
	exitHigh           = 24.0
)

// Draw gives the drawing.
func (r Road) Draw() template.HTML {
	most := 0
	for _, st := range r.Stations {
		most = max(most, len(st.Exits))
	}
	width := float64(len(r.Stations))*(roadWide+roadGap) - roadGap + 2
	height := roadTop + roadHigh + 4
	if most > 0 {
		height += 4 + float64(most)*exitHigh
	}
	var s svg
	s.box("chart-box road", r.Title)
	s.open("chart road", width, height, true, r.Title, "")
	for i := range r.Stations {
		x := 1 + float64(i)*(roadWide+roadGap)
		if i > 0 {
			mid := roadTop + roadHigh/2
			fmt.Fprintf(&s, `<path class="flow" d="M%s %sh%sv-7l12 19-12 19v-7h-%sz"/>`, f(x-roadGap+4), f(mid-12), f(roadGap-20), f(roadGap-20))
		}
		r.Stations[i].draw(&s, x)
	}
	return s.close() + "</div>"
}

func (st Station) draw(s *svg, x float64) {
	open(s, st.Href)
	s.rect("node", x, roadTop, roadWide, roadHigh, 8, "")
	s.text("name", x+12, roadTop+21, "start", st.Name)
	s.text("count", x+12, roadTop+46, "start", st.Count)
	s.text("side", x+12, roadTop+65, "start", st.Note)
	shut(s, st.Href)
	for i, e := range st.Exits {
		y := roadTop + roadHigh + 12 + float64(i)*exitHigh
		fmt.Fprintf(s, `<path class="axis" d="M%s %sV%sh8"/>`, f(x+12), f(y-12), f(y+exitHigh/2-4))
		class := "side"
		if e.Tone != "" {
			class += " ink-" + e.Tone
		}
		open(s, e.Href)
		fmt.Fprintf(s, `<text class="%s" x="%s" y="%s">%s <tspan class="strong">%s</tspan></text>`, class, f(x+25), f(y+exitHigh/2), esc(e.Name), esc(e.Count))
		shut(s, e.Href)
	}
}

func open(s *svg, href string) {
	if href != "" {
		s.put(`<a href="` + esc(href) + `">`)
	}
}

func shut(s *svg, href string) {
	if href != "" {
		s.put(`</a>`)
	}
}
