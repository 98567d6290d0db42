package stage

import (
	"strings"

	"xinshu/catalog"
)

// Rereader judges refused rows anew from what was kept of them. Not for use by several goroutines.
type Rereader struct {
	checker *rowChecker
	policy  drifts
	sources map[string]int // source column to its field, -1 for none
	raw     []string
}

// Reread makes a dataset's contract, as it stands now, ready for rows that were refused under it or
// an older one.
func (s *Stager) Reread(ds catalog.Dataset) (*Rereader, error) {
	c, err := compile(ds, s.Words)
	if err != nil {
		return nil, err
	}
	return &Rereader{checker: newRowChecker(c, catalog.DateOf(s.Now().In(shanghai))), policy: newDrifts(c, masker{contract: c}), sources: map[string]int{}, raw: make([]string, len(c.fields))}, nil
}

// Field gives the contract's field that a source column carries; empty for a column it does not know.
func (r *Rereader) Field(source string) string {
	if i := r.place(source); i >= 0 {
		return r.checker.fields[i].Name
	}
	return ""
}

func (r *Rereader) place(source string) int {
	i, known := r.sources[source]
	if !known {
		var ok bool
		if i, ok = r.checker.place(source); !ok {
			i = -1
		}
		r.sources[source] = i
	}
	return i
}

// Reason says why the row would be refused now, and the field at fault; both are empty for a row that
// would be taken.
func (r *Rereader) Reason(cells []Cell) (reason, field string) {
	clear(r.raw)
	for _, c := range cells {
		if i := r.place(c.Name); i >= 0 && c.Value != nil && trim(r.raw[i]) == "" {
			r.raw[i] = *c.Value
		}
	}
	if r.checker.check(r.raw) != quarantined {
		return r.drifted(cells)
	}
	if r.checker.fault >= 0 {
		field = r.checker.fields[r.checker.fault].Name
	}
	return r.checker.reason, field
}

// drifted asks the drift policy about a row that is good otherwise.
func (r *Rereader) drifted(cells []Cell) (reason, field string) {
	carried := map[int]bool{}
	for _, c := range cells {
		i := r.place(c.Name)
		carried[i] = true
		if i < 0 && c.Value != nil && trim(*c.Value) != "" && r.checker.Drift.Of(catalog.UnknownColumn, c.Name) == catalog.Quarantine {
			return ColumnUnknown, ""
		}
	}
	for i := range r.checker.fields {
		if !carried[i] && r.policy.missing(i) == catalog.Quarantine {
			return ColumnMissing, r.checker.fields[i].Name
		}
	}
	return "", ""
}

// Again gives a row as it is staged anew: its columns as they came, without those that the contract
// does not know and passes over, and with every field, so that a row is not taken for a source that
// drifts.
func (r *Rereader) Again(cells []Cell) []Cell {
	var row []Cell
	carried := map[int]bool{}
	for _, c := range cells {
		i := r.place(c.Name)
		carried[i] = true
		if i >= 0 || r.checker.Drift.Of(catalog.UnknownColumn, c.Name) == catalog.Quarantine {
			row = append(row, c)
		}
	}
	for i := range r.checker.fields {
		if !carried[i] && r.policy.missing(i) != catalog.Quarantine {
			row = append(row, Cell{Name: r.checker.fields[i].Name})
		}
	}
	return row
}

// Lost names the first column whose value was not kept as it came, so that the row cannot be staged
// from it: an unreadable row, bytes that were no text, a resident id that stood where a code, a key or
// a typed value belongs. A masked person field is no loss: staging keeps nothing else of it. Nor is a
// masked id in running text: staging would have masked it in the same way.
func (r *Rereader) Lost(cells []Cell) (column string, lost bool) {
	for _, c := range cells {
		if c.Name == unreadColumn {
			return c.Name, true
		}
		if c.Value == nil || *c.Value == "" {
			continue
		}
		i := r.place(c.Name)
		if i < 0 {
			continue
		}
		f := &r.checker.fields[i]
		switch {
		case strings.ContainsRune(*c.Value, '\uFFFD'):
			return c.Name, true
		case f.personal && isMasked(*c.Value):
			if !f.plain() {
				return c.Name, true
			}
		case strings.Contains(*c.Value, maskStars) && (!f.plain() || !f.exempt):
			return c.Name, true
		}
	}
	return "", false
}

// plain says that a field takes any text.
func (f *field) plain() bool { return f.codes == nil && (f.Type == "" || f.Type == "text") }

// unreadColumn holds the text of a row that could not be read into columns.
const unreadColumn = "_row"

// maskStars stand in every masked id, which keeps its first three and last two characters of fifteen
// or eighteen; no code, date or number holds so many.
const maskStars = "**********"

// isMasked knows the two forms in which a person field is kept.
func isMasked(value string) bool {
	rest, ok := strings.CutPrefix(value, Masked)
	if !ok || rest == "" {
		return ok
	}
	if len(rest) != 1+hashLength || rest[0] != '#' {
		return false
	}
	return strings.Trim(rest[1:], "0123456789abcdef") == ""
}
