package stage

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Reason codes of rows that a contract's drift policy refuses.
const (
	ColumnUnknown = "COLUMN_UNKNOWN" // a value in a column that the contract does not know
	ColumnMissing = "COLUMN_MISSING" // a column of the contract is not sent
)

const (
	longestExample = 80 // bytes

	looked      = 200 // values of a column that are looked at to guess its type
	mostDrifts  = 200 // drifts that a feed remembers; a source with more sends another dataset
	leastMisfit = 10  // values of a wrong type before a field's type can count as changed
	leastRows   = 100 // rows that must lack an optional field before that is worth telling
)

// bookkeeping are columns by which an exchange keeps its own books (facts.md 4.3): they belong to no
// contract, and to send one is no drift.
var bookkeeping = map[string]bool{"row_id": true, "rec_id": true, "batch_no": true, "src_dept_code": true, "state": true, "err_code": true, "err_msg": true, "recv_time": true,
	"dsc_biz_record_id": true, "dsc_biz_operation": true, "dsc_biz_timestamp": true, "resource_id": true, "create_date": true, "create_dept_name": true, "check_flag": true}

// drifts watches what a source sends against what its contract says. It costs a look at each page and
// at the values of columns that the contract does not know, and nothing per row of a source that keeps
// to its contract.
type drifts struct {
	*contract
	masker  masker
	unknown map[string]*sighting
	order   []string // of the unknown columns
	carried []bool   // by field: some page had a column for it
	misfit  map[int]*sighting
	rows    int64
}

// sighting is what was seen of one column.
type sighting struct {
	rows    int64 // with a value
	longest int
	example string
	types   map[string]int // guesses
}

func newDrifts(c *contract, m masker) drifts {
	return drifts{contract: c, masker: m, unknown: map[string]*sighting{}, carried: make([]bool, len(c.fields)), misfit: map[int]*sighting{}}
}

// drifted says which rows of a page the policy refuses.
type drifted struct {
	columns []int  // source columns whose values are not to be
	lacking bool   // a field is not sent: every row
	reason  string // of the row that was asked about last
	field   int    // at fault; -1: the column is no field
	at      int    // the source column then
}

// refuses judges a row that is good otherwise.
func (d *drifted) refuses(t *bound, row int) bool {
	if d.lacking {
		return true
	}
	for _, i := range d.columns {
		if t.columns[i].IsValid(row) && trim(t.columns[i].Value(row)) != "" {
			d.reason, d.field, d.at = ColumnUnknown, -1, i
			return true
		}
	}
	return false
}

// page looks at a page. It fails where the contract says freeze.
func (d *drifts) page(t *bound, rows int) (out drifted, err error) {
	var frozen []string
	d.rows += int64(rows)
	for i, name := range t.names {
		if field := t.field[i]; field >= 0 {
			d.carried[field] = true
			continue
		}
		if bookkeeping[strings.ToLower(trim(name))] {
			continue
		}
		action := d.Drift.Of(catalog.UnknownColumn, name)
		if action == catalog.Freeze {
			frozen = append(frozen, fmt.Sprintf("column %s is not in the contract", d.masker.text(name)))
		}
		if action == catalog.Quarantine {
			out.columns = append(out.columns, i)
		}
		d.look(name, t, i, rows)
	}
	for f := range d.fields {
		if len(t.sources[f]) > 0 {
			continue
		}
		switch d.missing(f) {
		case catalog.Freeze:
			frozen = append(frozen, fmt.Sprintf("field %s is not sent", d.fields[f].Name))
		case catalog.Quarantine:
			if !out.lacking {
				out.lacking, out.reason, out.field = true, ColumnMissing, f
			}
		}
	}
	if len(frozen) > 0 {
		return out, &fault.Error{Op: "stage " + d.ID, Code: fault.Invalid, Err: fmt.Errorf("the source drifted and the contract says freeze: %s", strings.Join(frozen, "; ")),
			Hint: "nothing was committed; settle it with the department, then change the contract or its drift policy"}
	}
	return out, nil
}

// missing gives what holds for a field that no column carries. What the contract says of all fields
// is meant for required ones: many sources never send the others.
func (d *drifts) missing(f int) string {
	name := d.fields[f].Name
	if _, own := d.Drift.Fields[name]; !own && !d.fields[f].Required {
		return catalog.Evolve
	}
	return d.Drift.Of(catalog.MissingColumn, name)
}

func (d *drifts) look(name string, t *bound, i, rows int) {
	s := d.unknown[name]
	if s == nil {
		s = &sighting{types: map[string]int{}}
		d.unknown[name] = s
		d.order = append(d.order, name)
	}
	for row := range rows {
		if !t.columns[i].IsValid(row) {
			continue
		}
		if value := t.columns[i].Value(row); trim(value) != "" {
			s.rows++
			s.see(value, d.masker)
		}
	}
}

// see looks at the first values of a column.
func (s *sighting) see(value string, m masker) {
	if s.rows > looked {
		return
	}
	s.types[guess(value)]++
	s.longest = max(s.longest, utf8.RuneCountInString(value))
	if s.example == "" {
		if s.example = m.text(value); len(s.example) > longestExample {
			s.example = cut(s.example, longestExample)
		}
	}
}

// mistyped notes a row that was refused because a value is not of its field's type.
func (d *drifts) mistyped(field int, raw string) {
	s := d.misfit[field]
	if s == nil {
		s = &sighting{types: map[string]int{}}
		d.misfit[field] = s
	}
	s.rows++
	if d.fields[field].personal {
		raw = ""
	}
	s.see(raw, d.masker)
}

// found gives what the pull showed, and fails where a field's type changed and the contract says freeze.
func (d *drifts) found() ([]chain.Drift, error) {
	var found []chain.Drift
	for _, name := range d.order {
		s := d.unknown[name]
		found = append(found, chain.Drift{Kind: catalog.UnknownColumn, Column: d.masker.text(name), Action: d.Drift.Of(catalog.UnknownColumn, name),
			Rows: s.rows, Guess: s.guess(), Longest: s.longest, Example: s.example})
	}
	for f, carried := range d.carried {
		if field := d.fields[f]; d.rows > 0 && !carried && (field.Required || d.rows >= leastRows) {
			found = append(found, chain.Drift{Kind: catalog.MissingColumn, Column: field.Name, Field: field.Name, Action: d.missing(f), Rows: d.rows})
		}
	}
	for f := range d.fields {
		s := d.misfit[f]
		if s == nil || s.rows < leastMisfit || s.rows*100 < d.rows*int64(d.Drift.TypeShare()) {
			continue
		}
		name := d.fields[f].Name
		action := d.Drift.Of(catalog.ChangedType, name)
		if action == catalog.Freeze {
			return nil, &fault.Error{Op: "stage " + d.ID, Code: fault.Invalid,
				Err:  fmt.Errorf("field %s: %d of %d rows hold no %s but %s, and the contract says freeze", name, s.rows, d.rows, d.fields[f].Type, s.guess()),
				Hint: "nothing was committed; settle it with the department, then change the contract or its drift policy"}
		}
		found = append(found, chain.Drift{Kind: catalog.ChangedType, Column: name, Field: name, Action: action, Rows: s.rows, Guess: s.guess(), Longest: s.longest, Example: s.example})
	}
	return found[:min(len(found), mostDrifts)], nil
}

// guesses, from the narrowest; a column is of the first that all its values are.
var guesses = []string{"uscc", "boolean", "integer", "decimal", "date", "datetime"}

func (s *sighting) guess() string {
	total := 0
	for _, n := range s.types {
		total += n
	}
	switch {
	case total == 0:
		return ""
	case s.types["personal"] > 0:
		return "personal"
	case s.types["integer"]+s.types["decimal"]+s.types["boolean"] == total && s.types["decimal"] > 0:
		return "decimal"
	case s.types["integer"]+s.types["boolean"] == total && s.types["integer"] > 0:
		return "integer"
	case s.types["date"]+s.types["datetime"] == total && s.types["datetime"] > 0:
		return "datetime"
	}
	for _, g := range guesses {
		if s.types[g] == total {
			return g
		}
	}
	return "text"
}

// guess says what one value looks like.
func guess(raw string) string {
	raw = trim(raw)
	if _, found := catalog.MaskIDs(raw); found {
		return "personal"
	}
	if catalog.CheckUSCC(raw).Valid {
		return "uscc"
	}
	for _, kind := range []string{"boolean", "integer", "decimal", "date", "datetime"} {
		f := field{Field: catalog.Field{Type: kind}}
		if kind == "date" && len(raw) > len("2006年01月02日") {
			continue // with a time of day
		}
		if v, reason := f.read(raw); v.set && reason == "" {
			return kind
		}
	}
	return "text"
}
