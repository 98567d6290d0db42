package stage

import (
	"fmt"
	"slices"
	"strings"

	"xinshu/catalog"
)

// check is a rule across fields, made ready: it says whether a row keeps it.
type check struct {
	code   string
	fields []int // the first is the one a steward is pointed at
	past   bool  // says that the date in the first cannot lie ahead
	kept   func(c *contract, row []value, today catalog.Date) bool
}

// crossField resolves one rule. An empty field breaks no rule that compares it: whether it may be
// empty is for required to say.
func (c *contract) crossField(rule catalog.Check) (check, error) {
	k := check{code: rule.Code}
	for _, name := range rule.Fields {
		i, ok := c.place(name)
		if !ok {
			return k, fmt.Errorf("field %q is unknown", name)
		}
		k.fields = append(k.fields, i)
	}
	want := map[string]int{"not_after": 2, "not_future": 1, "positive_iff": 2, "required_if": 2, "uscc": 1}[rule.Rule]
	if want == 0 {
		return k, fmt.Errorf("rule %q is unknown", rule.Rule)
	}
	if len(k.fields) != want {
		return k, fmt.Errorf("rule %s takes %d fields, %d given", rule.Rule, want, len(k.fields))
	}
	a, b := k.fields[0], k.fields[len(k.fields)-1]
	switch rule.Rule {
	case "not_after":
		k.kept = func(c *contract, row []value, _ catalog.Date) bool {
			return !row[a].set || !row[b].set || c.day(row, a) <= c.day(row, b)
		}
	case "not_future":
		k.past = true
		k.kept = func(c *contract, row []value, today catalog.Date) bool {
			return !row[a].set || c.day(row, a) <= today
		}
	case "positive_iff": // facts 2.3: a fine exactly when 罚款 is named
		k.kept = func(c *contract, row []value, _ catalog.Date) bool {
			named := slices.ContainsFunc(rule.Words, func(w string) bool { return strings.Contains(row[b].text, w) })
			return named == (row[a].set && row[a].num > 0)
		}
	case "required_if":
		k.kept = func(c *contract, row []value, _ catalog.Date) bool {
			return row[a].set || !row[b].set || !slices.Contains(rule.Words, c.fields[b].canonical(row[b]))
		}
	case "uscc":
		k.kept = func(c *contract, row []value, _ catalog.Date) bool {
			return !row[a].set || c.words.CheckUSCC(row[a].text).Valid
		}
	}
	for _, i := range k.fields {
		dated := c.fields[i].Type == "date" || c.fields[i].Type == "datetime"
		if !dated && (rule.Rule == "not_after" || rule.Rule == "not_future") {
			return k, fmt.Errorf("field %s is no date", c.fields[i].Name)
		}
	}
	return k, nil
}

// day gives the wall date of a date or time field.
func (c *contract) day(row []value, i int) catalog.Date {
	if c.fields[i].Type == "datetime" {
		return catalog.Date(floorDiv(row[i].num, microsPerDay))
	}
	return catalog.Date(row[i].num)
}
