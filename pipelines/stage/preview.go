package stage

import (
	"fmt"
	"iter"
	"slices"

	"xinshu/catalog"
	"xinshu/connectors"
)

// Judged is one row as staging would judge it, seen before anything is staged. Whether the chain
// already holds an accepted row is not looked up.
type Judged struct {
	File    string   `json:"file"`
	Line    int64    `json:"line"`
	Verdict string   `json:"verdict"` // accepted, quarantined, skipped
	Reason  string   `json:"reason,omitempty"`
	Column  string   `json:"column,omitempty"` // the source's name of the column at fault
	Notes   []string `json:"notes,omitempty"`  // verdict codes about a code that is valid all the same
	Values  []Cell   `json:"values"`           // in source order, masked as quarantine masks them
}

// Cell is one value as received; nil where the source gives none.
type Cell struct {
	Name  string  `json:"name"`
	Value *string `json:"value"`
}

// Preview judges the first rows of a pull and stores nothing. It takes no more pages than it needs.
func Preview(ds catalog.Dataset, words Words, today catalog.Date, pages iter.Seq2[connectors.Page, error], rows int) ([]Judged, error) {
	c, err := compile(ds, words)
	if err != nil {
		return nil, err
	}
	p := preview{checker: newRowChecker(c, today), binder: binder{contract: c}, masker: masker{contract: c}, raw: make([]string, len(c.fields)), rows: rows}
	for page, err := range pages {
		if err != nil {
			return p.judged, err
		}
		if err := p.take(page); err != nil || len(p.judged) >= rows {
			return p.judged, err
		}
	}
	return p.judged, nil
}

type preview struct {
	checker *rowChecker
	binder  binder
	masker  masker
	raw     []string
	rows    int
	judged  []Judged
}

func (p *preview) take(page connectors.Page) error {
	file := p.masker.text(page.Origin.File)
	for _, r := range page.Rejects {
		if len(p.judged) == p.rows {
			break
		}
		value := p.masker.unread(r)
		p.judged = append(p.judged, Judged{File: file, Line: r.Line, Verdict: verdictNames[quarantined], Reason: r.Reason, Column: r.Column,
			Values: []Cell{{Value: &value}}})
	}
	if page.Batch == nil {
		return nil
	}
	defer page.Batch.Release()
	t, err := p.binder.bind(page)
	if err != nil {
		return fmt.Errorf("preview %s: %w", p.checker.ID, err)
	}
	for i := 0; i < int(page.Batch.NumRows()) && len(p.judged) < p.rows; i++ {
		t.row(i, p.raw)
		j := Judged{File: file, Line: t.line(i), Verdict: verdictNames[p.checker.check(p.raw)]}
		if p.checker.reason != "" {
			j.Reason, j.Column = p.checker.reason, t.columnOf(p.checker.contract, p.checker.fault, i)
		} else {
			j.Notes = slices.Clone(p.checker.warnings)
		}
		for n, name := range t.names {
			cell := Cell{Name: p.masker.text(name)}
			if t.columns[n].IsValid(i) {
				value := p.masker.field(t.field[n], t.columns[n].Value(i))
				cell.Value = &value
			}
			j.Values = append(j.Values, cell)
		}
		p.judged = append(p.judged, j)
	}
	return nil
}

var verdictNames = map[verdict]string{accepted: "accepted", duplicate: "duplicate", quarantined: "quarantined", skipped: "skipped"}
