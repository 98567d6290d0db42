// Package chart owns pictures of numbers: SVG and HTML that the server makes whole. It refuses to
// know what the numbers mean and to name a colour: classes of web/static/css/60-charts.css do.
// Callers give labels in the reader's language; every picture has a title and says its numbers in
// text, so that it can be read without eyes and without colours.
package chart

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
)

// Picture is anything that can be drawn.
type Picture interface{ Draw() template.HTML }

// HTML draws a picture; nothing for none.
func HTML(p Picture) template.HTML {
	if p == nil {
		return ""
	}
	return p.Draw()
}

// svg is a drawing that grows from left to right in the file.
type svg struct{ strings.Builder }

// box begins a frame in which a wide drawing scrolls, for hands and for keys.
func (s *svg) box(class, title string) {
	fmt.Fprintf(s, `<div class="%s" tabindex="0" role="group" aria-label="%s">`, class, esc(title))
}

// open begins a drawing of a size in its own units, with what it is called and what it says. One with
// links in it is no picture to a screen reader but a group of them.
func (s *svg) open(class string, width, height float64, links bool, title, desc string) {
	role := "img"
	if links {
		role = "group"
	}
	fmt.Fprintf(s, `<svg class="%s" viewBox="0 0 %s %s" role="%s">`, class, f(width), f(height), role)
	s.label(title)
	if desc != "" {
		s.put("<desc>" + esc(desc) + "</desc>")
	}
}

func (s *svg) put(text string) { _, _ = s.WriteString(text) } // into memory: nothing can fail

func (s *svg) label(title string) {
	if title != "" {
		s.put("<title>" + esc(title) + "</title>")
	}
}

func (s *svg) rect(class string, x, y, w, h, r float64, title string) {
	fmt.Fprintf(s, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"`, class, f(x), f(y), f(w), f(h))
	if r > 0 {
		fmt.Fprintf(s, ` rx="%s"`, f(r))
	}
	if title == "" {
		s.put("/>")
		return
	}
	s.put(">")
	s.label(title)
	s.put("</rect>")
}

func (s *svg) text(class string, x, y float64, anchor, words string) {
	fmt.Fprintf(s, `<text class="%s" x="%s" y="%s" text-anchor="%s">%s</text>`, class, f(x), f(y), anchor, esc(words))
}

func (s *svg) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(s, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, f(x1), f(y1), f(x2), f(y2))
}

func (s *svg) close() template.HTML {
	s.put("</svg>")
	return template.HTML(s.String()) //nolint:gosec // every text went through esc, every class through the caller's code
}

func esc(s string) string { return template.HTMLEscapeString(s) }

// f writes a coordinate with at most two places.
func f(v float64) string {
	text := strconv.FormatFloat(v, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// short writes a number for an axis: 950, 1.2k, 3.4M.
func short(v float64) string {
	switch {
	case v >= 1e9:
		return trim(v/1e9) + "G"
	case v >= 1e6:
		return trim(v/1e6) + "M"
	case v >= 1e4:
		return trim(v/1e3) + "k"
	}
	return trim(v)
}

func trim(v float64) string { return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0") }

// ceil gives the next round number that an axis may end at.
func ceil(v float64) float64 {
	if v <= 0 {
		return 1
	}
	step := 1.0
	for step*10 <= v {
		step *= 10
	}
	for step > v*10 {
		step /= 10
	}
	for _, m := range []float64{1, 2, 2.5, 4, 5, 8, 10} {
		if v <= step*m {
			return step * m
		}
	}
	return step * 10
}
