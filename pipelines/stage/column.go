package stage

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"xinshu/catalog"
)

// column is a family column with its mapping resolved: where the value comes from and how it becomes
// the column's type.
type column struct {
	catalog.Column
	from     []int             // fields; the first that is not empty counts
	values   map[string]string // written form to canonical value; nil: the value itself
	fallback *value            // for an empty field, and for an unlisted one when values are given
	reason   string            // why a row is refused whose value is not listed
	direct   int               // the one field whose value the column takes unchanged; -1 where there is more to it
}

// column resolves one mapping. A dataset that does not map a column leaves it null.
func (c *contract) column(col catalog.Column, m catalog.Mapping) (column, error) {
	k := column{Column: col, reason: CodeList, direct: -1}
	switch col.Type {
	case "text", "date", "timestamp", "integer", "fen", "boolean":
	default:
		return k, fmt.Errorf("family column type %q is unknown", col.Type)
	}
	if m.Const != "" {
		return k, k.always(m.Const)
	}
	names := m.First
	if m.Field != "" {
		names = append([]string{m.Field}, names...)
	}
	for _, name := range names {
		i, ok := c.place(name)
		if !ok {
			return k, fmt.Errorf("field %q is unknown", name)
		}
		if m.Values == nil && !convertible(c.fields[i].Type, col.Type) {
			return k, fmt.Errorf("field %s of type %s cannot become %s", name, c.fields[i].Type, col.Type)
		}
		k.from = append(k.from, i)
	}
	if m.Values != nil {
		k.values = map[string]string{}
		for written, canonical := range m.Values {
			k.list(written, canonical)
			for _, i := range k.from {
				if code, ok := c.fields[i].codes[written]; ok {
					k.list(code, canonical)
				}
			}
		}
		for _, canonical := range m.Values {
			if _, reason := k.parse(canonical); reason != "" {
				return k, fmt.Errorf("value %q is no %s", canonical, col.Type)
			}
		}
	}
	if m.Default != "" {
		return k, k.always(m.Default)
	}
	if len(k.from) == 1 && k.values == nil && col.Name != "level" && unchanged(c.fields[k.from[0]].Type, col) {
		k.direct = k.from[0]
	}
	return k, nil
}

// unchanged says whether a field's value is the column's as it stands.
func unchanged(field string, col catalog.Column) bool {
	switch col.Type {
	case "text":
		return field == "" || field == "text" || field == "uscc"
	case "date":
		return field == "date"
	case "timestamp":
		return field == "datetime"
	case "integer":
		return field == "integer" && !strings.HasSuffix(col.Name, "_x100")
	}
	return true // fen of an amount, boolean of a boolean
}

func (k *column) list(written, canonical string) {
	k.values[written] = canonical
	k.values[norm.NFKC.String(trim(written))] = canonical
}

func (k *column) always(s string) error {
	v, reason := k.parse(s)
	if reason != "" {
		return fmt.Errorf("value %q is no %s", s, k.Type)
	}
	k.fallback = &v
	return nil
}

// convertible says which field types can become which column types without a list of values.
// An amount must say its unit: wan or yuan.
func convertible(field, column string) bool {
	switch column {
	case "date", "timestamp":
		return field == "date" || field == "datetime"
	case "integer":
		return field == "integer" || field == "decimal"
	case "fen":
		return field == "wan" || field == "yuan"
	case "boolean":
		return field == "boolean"
	}
	return true
}

// of gives the column's value in a row, and the place of the field it came from (-1: from none).
func (k *column) of(c *contract, row []value) (v value, from int, reason string) {
	for _, i := range k.from {
		if !row[i].set {
			continue
		}
		if k.values == nil {
			v, reason = k.convert(&c.fields[i], row[i])
			return v, i, reason
		}
		canonical, ok := k.lookup(c.fields[i].canonical(row[i]))
		if !ok {
			if k.fallback != nil {
				return *k.fallback, i, ""
			}
			return value{}, i, k.reason
		}
		v, reason = k.parse(canonical)
		return v, i, reason
	}
	if k.fallback != nil {
		return *k.fallback, -1, ""
	}
	return value{}, -1, ""
}

// lookup tries the written form as it stands, then its NFKC form.
func (k *column) lookup(written string) (string, bool) {
	if s, ok := k.values[written]; ok {
		return s, true
	}
	s, ok := k.values[norm.NFKC.String(written)]
	return s, ok
}

const microsPerDay = 86400 * 1_000_000

// convert turns a typed field into the column's type. A decimal becomes a whole number only when it
// is one, except in a column whose name ends in _x100, which holds hundredths, rounded half away
// from zero beyond them.
func (k *column) convert(f *field, v value) (value, string) {
	switch k.Type {
	case "text":
		return value{set: true, text: f.canonical(v)}, ""
	case "date":
		if f.Type == "datetime" {
			return value{set: true, num: floorDiv(v.num, microsPerDay)}, ""
		}
	case "timestamp":
		if f.Type == "date" {
			return value{set: true, num: v.num * microsPerDay}, ""
		}
	case "integer":
		return k.whole(f, v)
	}
	return v, ""
}

func (k *column) whole(f *field, v value) (value, string) {
	hundredths := strings.HasSuffix(k.Name, "_x100")
	switch {
	case f.Type == "decimal" && hundredths:
		const unit = 10_000 // millionths in a hundredth
		half := int64(unit / 2)
		if v.num < 0 {
			half = -half
		}
		return value{set: true, num: (v.num/unit*unit + (v.num%unit + half)) / unit}, ""
	case f.Type == "decimal":
		if v.num%1_000_000 != 0 {
			return value{}, TypeNumber
		}
		return value{set: true, num: v.num / 1_000_000}, ""
	case hundredths:
		n, ok := scaled(strconv.FormatInt(v.num, 10), 2)
		if !ok {
			return value{}, TypeNumber
		}
		return value{set: true, num: n}, ""
	}
	return v, ""
}

// parse reads a value that the contract itself gives: a constant, a default, a listed value.
func (k *column) parse(s string) (value, string) {
	kind := map[string]string{"text": "text", "date": "date", "timestamp": "datetime", "integer": "integer", "fen": "yuan", "boolean": "boolean"}[k.Type]
	if kind == "text" {
		return value{set: true, text: s}, ""
	}
	f := field{Field: catalog.Field{Type: kind}}
	v, reason := f.read(s)
	if reason == "" && !v.set {
		reason = CodeList
	}
	return v, reason
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
