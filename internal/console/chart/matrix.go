package chart

import (
	"fmt"
	"html/template"
)

// Matrix counts what went from a row to a column: movement between grades.
type Matrix struct {
	Title      string
	Corner     string // what rows and columns are
	Rows, Cols []string
	Cells      [][]Cell // by row and column
}

// Cell is a count, as it is shown and where it leads.
type Cell struct {
	N     int64
	Shown string
	Href  string
	Same  bool // on the diagonal: nothing moved
}

// Draw gives a table whose cells are the warmer the more they hold.
func (m Matrix) Draw() template.HTML {
	var most int64
	for _, row := range m.Cells {
		for _, c := range row {
			if !c.Same {
				most = max(most, c.N)
			}
		}
	}
	var s svg
	fmt.Fprintf(&s, `<div class="table" tabindex="0" role="region" aria-label="%s"><table class="matrix"><thead><tr><th scope="col">%s</th>`, esc(m.Title), esc(m.Corner))
	for _, c := range m.Cols {
		s.put(`<th scope="col" class="num">` + esc(c) + `</th>`)
	}
	s.put("</tr></thead><tbody>")
	for i, row := range m.Cells {
		s.put(`<tr><th scope="row">` + esc(m.Rows[i]) + `</th>`)
		for _, c := range row {
			class := fmt.Sprintf("m%d", Level(c.N, most))
			if c.Same {
				class = "m0 same"
			}
			shown := esc(c.Shown)
			if c.Href != "" && c.N > 0 {
				shown = `<a href="` + esc(c.Href) + `">` + shown + `</a>`
			}
			s.put(`<td class="` + class + `">` + shown + `</td>`)
		}
		s.put("</tr>")
	}
	s.put("</tbody></table></div>")
	return template.HTML(s.String()) //nolint:gosec // every text went through esc
}
