package desk

import (
	"xinshu/catalog"
	"xinshu/internal/explain"
)

// Sum is a first-level indicator of an explanation: its second-level indicators, and what they come to.
type Sum struct {
	ID         string         `json:"id"`
	Title      catalog.Text   `json:"title"`
	Points     catalog.Points `json:"points"`
	Indicators []IndicatorSum `json:"indicators"`
}

// IndicatorSum is a second-level indicator with its lines.
type IndicatorSum struct {
	ID      string         `json:"id"`
	Title   catalog.Text   `json:"title"`
	Points  catalog.Points `json:"points"`
	Records int            `json:"records"` // that count
	Lines   []explain.Line `json:"lines"`
}

// sums puts the lines of an explanation under the policy's indicators, in the policy's order. What
// belongs to no indicator stands for itself: what everybody begins with, caps of the whole, overrides.
func sums(p catalog.Policy, lines []explain.Line) (groups []Sum, whole []explain.Line) {
	type place struct{ group, indicator int }
	at := map[string]place{}
	for _, g := range p.Groups {
		s := Sum{ID: g.ID, Title: g.Title}
		for _, x := range p.Indicators {
			if x.Group == g.ID {
				at[x.ID] = place{len(groups), len(s.Indicators)}
				s.Indicators = append(s.Indicators, IndicatorSum{ID: x.ID, Title: x.Title})
			}
		}
		groups = append(groups, s)
	}
	for _, l := range lines {
		where, known := at[l.Indicator]
		if !known {
			whole = append(whole, l)
			continue
		}
		g := &groups[where.group]
		x := &g.Indicators[where.indicator]
		x.Lines, x.Points, g.Points = append(x.Lines, l), x.Points+l.Points, g.Points+l.Points
		if l.Kind == "record" {
			x.Records++
		}
	}
	return groups, whole
}
