package quarantine

import (
	"maps"
	"slices"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// FormField is one field of a refused row as a form shows it.
type FormField struct {
	catalog.Field
	Value string // as received; masked where it was masked
	Lost  bool   // the value was not kept as it came: it is to be written anew
}

// Form gives the fields of a refused row in the contract's order, and the field at fault, empty where
// the fault is not in one field.
func (c Contract) Form(row Row) (fields []FormField, at string, err error) {
	cells, err := Cells(row.Values)
	if err != nil {
		return nil, "", err
	}
	values := c.values(cells)
	for _, f := range c.Fields {
		value := values[f.Name]
		_, lost := c.Lost([]Cell{{Name: f.Name, Value: &value}})
		fields = append(fields, FormField{Field: f, Value: value, Lost: lost && value != ""})
	}
	return fields, c.Field(row.Column), nil
}

// Fix gives a row with some of its fields changed, to be staged in its place. Values that are not
// given stay as they were received. wrong says which field still has a value that was not kept.
func (c Contract) Fix(row Row, changed map[string]string) (m Mend, wrong string, err error) {
	cells, err := Cells(row.Values)
	if err != nil {
		return m, "", err
	}
	before := c.values(cells)
	given := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		if _, known := c.Dataset.Field(name); !known {
			return m, "", fault.Newf(fault.Invalid, "correct "+row.ID, "the contract has no field %s", name)
		}
		if value := shown(changed[name]); value != shown(before[name]) {
			given[name] = value
		}
	}
	if len(given) == 0 {
		return m, "", &fault.Error{Op: "correct " + row.ID, Code: fault.Invalid, Hint: "nothing was changed: write the right value into the field that is marked"}
	}
	m = Mend{N: row.N, No: row.No, Source: row.Source, At: row.ReceivedAt, Cells: c.mended(before, given)}
	if column, lost := c.Lost(m.Cells); lost {
		return m, c.Field(column), nil
	}
	return m, "", nil
}

// StrikeOut gives the decision that nobody will send a row.
func StrikeOut(row Row) Mend {
	return Mend{N: row.N, No: row.No, Source: row.Source, At: row.ReceivedAt, Withdraw: true}
}
