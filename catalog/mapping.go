package catalog

import (
	"maps"
	"slices"
)

// Field gives a field of the contract by its name.
func (d Dataset) Field(name string) (Field, bool) {
	return find(d.Fields, func(f Field) bool { return f.Name == name })
}

// Kinds gives the kinds that rows of the dataset can have, sorted.
func (d Dataset) Kinds() []string { return d.Kind.results() }

// results gives what a mapping can yield, as far as it says so itself.
func (m Mapping) results() []string {
	all := slices.Collect(maps.Values(m.Values))
	if m.Const != "" {
		all = append(all, m.Const)
	}
	if m.Default != "" {
		all = append(all, m.Default)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// mappings checks the kind and every column: that it is there, that its fields are, that their type fits, that
// levels are levels of a kind the dataset has.
func (c *checker) mappings(d *Dataset, family Family) {
	c.mapping(d, []any{"kind"}, d.Kind, Column{Name: "kind", Type: "text"})
	levels, open := []string{}, false
	if len(d.Kinds()) == 0 && d.Kind.Field != "" {
		c.fail([]any{"kind"}, "a kind read from a field needs values that lead to kinds of family %s", family.ID)
	}
	for _, kind := range d.Kinds() {
		of, ok := family.Kinds[kind]
		if !ok {
			c.fail([]any{"kind"}, "kind %q is none of family %s", kind, family.ID)
		}
		levels = append(levels, of...)
		open = open || slices.Contains(of, "*")
	}
	for _, name := range slices.Sorted(maps.Keys(d.Map)) {
		m, at := d.Map[name], c.mapAt(name)
		col, ok := find(family.Columns, func(col Column) bool { return col.Name == name })
		if !ok {
			c.fail(at, "family %s has no column %s", family.ID, name)
			continue
		}
		c.mapping(d, at, m, col)
		for _, level := range m.results() {
			if name == "level" && !open && !slices.Contains(levels, level) {
				c.fail(at, "level %q is none of the kinds of this dataset", level)
			}
		}
	}
}

func (c *checker) mapping(d *Dataset, at []any, m Mapping, col Column) {
	forms := 0
	for _, given := range []bool{m.Field != "", len(m.First) > 0, m.Const != ""} {
		if given {
			forms++
		}
	}
	if forms != 1 {
		c.fail(at, "%s: exactly one of field, first and const is needed", col.Name)
	}
	for _, name := range append(slices.Clone(m.First), m.Field) {
		f, ok := d.Field(name)
		switch {
		case name == "":
		case !ok:
			c.fail(at, "%s: field %q is unknown", col.Name, name)
		case m.Values == nil && fitting[col.Type] != nil && !slices.Contains(fitting[col.Type], f.Type):
			c.fail(at, "%s: a %s cannot be made from field %s of type %s", col.Name, col.Type, name, f.Type)
		case f.Sensitivity == "personal":
			c.fail(at, "%s: field %s is personal and must not leave staging", col.Name, name)
		}
	}
}
