package quarantine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"xinshu/catalog"
)

// Contract is what a workbook needs to know of a dataset beside its fields. Staging answers; the
// caller hands the answers in, because this package does not know the steps.
type Contract struct {
	catalog.Dataset
	Field    func(source string) string                    // the field that a source column carries; empty: none
	Sentence func(reason string) catalog.Text              // a reason in words
	Lost     func(cells []Cell) (column string, lost bool) // the first column whose value was not kept as it came
}

// Cell is one value of a refused row by its source column; nil where the source gave none.
type Cell struct {
	Name  string
	Value *string
}

// Cells reads an original: the row's columns in source order.
func Cells(original json.RawMessage) ([]Cell, error) {
	dec := json.NewDecoder(bytes.NewReader(original))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("the original is no JSON object")
	}
	var cells []Cell
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		c := Cell{Name: fmt.Sprint(name)}
		if err := dec.Decode(&c.Value); err != nil {
			return nil, err
		}
		cells = append(cells, c)
	}
	return cells, nil
}

// values gives an original by field: of several columns that carry one, the first that is not empty.
func (c Contract) values(cells []Cell) map[string]string {
	values := map[string]string{}
	for _, cell := range cells {
		if field := c.Field(cell.Name); field != "" && cell.Value != nil && strings.TrimSpace(values[field]) == "" {
			values[field] = *cell.Value
		}
	}
	return values
}

// mended is a row with other values for some fields. It carries every field of the contract by its own
// name, and nothing else: what the contract does not know has no part in a correction.
func (c Contract) mended(values, changed map[string]string) []Cell {
	row := make([]Cell, len(c.Fields))
	for i, f := range c.Fields {
		value, is := changed[f.Name]
		if !is {
			value = values[f.Name]
		}
		row[i].Name = f.Name
		if value != "" {
			row[i].Value = &value
		}
	}
	return row
}

// cellChars is the most UTF-16 units that a cell of a workbook holds.
const cellChars = 32_767

// shown is a value as a workbook can hold it, which is also how two values are compared.
func shown(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	units := 0
	s = strings.Map(func(r rune) rune {
		if units++; r > 0xFFFF {
			units++
		}
		if units > cellChars || r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
