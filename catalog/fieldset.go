package catalog

import (
	"cmp"
	"maps"
	"slices"
)

// FieldSet is what several datasets share: fields, where they go in the family, other names, checks. A dataset that
// uses it inherits everything it does not say itself.
type FieldSet struct {
	ID      string             `yaml:"id" json:"id"`
	Title   Text               `yaml:"title" json:"title"`
	Subject Subject            `yaml:"subject" json:"subject"`
	Fields  []Field            `yaml:"fields" json:"fields"`
	Map     map[string]Mapping `yaml:"map" json:"map,omitempty"`
	Checks  []Check            `yaml:"checks" json:"checks,omitempty"`
	Aliases map[string]string  `yaml:"aliases" json:"aliases,omitempty"`
}

// lay puts a set over what is there: a field, mapping, alias or check of the same name is replaced, the rest is
// added. An alias that names a field below says that both are one fact, and takes that field's place.
func (s *FieldSet) lay(over FieldSet) {
	for _, f := range over.Fields {
		if i := slices.IndexFunc(s.Fields, func(below Field) bool { return below.Name == f.Name }); i >= 0 {
			s.Fields[i] = f
		} else {
			s.Fields = append(s.Fields, f)
		}
	}
	if s.Map == nil {
		s.Map, s.Aliases = map[string]Mapping{}, map[string]string{}
	}
	maps.Copy(s.Map, over.Map)
	for alias, name := range over.Aliases {
		s.Aliases[alias] = name
		s.Fields = slices.DeleteFunc(s.Fields, func(f Field) bool { return f.Name == alias && !over.has(alias) })
	}
	for _, check := range over.Checks {
		same := func(below Check) bool { return below.Code == check.Code && slices.Equal(below.Fields, check.Fields) }
		if i := slices.IndexFunc(s.Checks, same); i >= 0 {
			s.Checks[i] = check
		} else {
			s.Checks = append(s.Checks, check)
		}
	}
	s.Subject = Subject{
		USCC:     cmp.Or(over.Subject.USCC, s.Subject.USCC),
		Name:     cmp.Or(over.Subject.Name, s.Subject.Name),
		Category: cmp.Or(over.Subject.Category, s.Subject.Category),
	}
}

// assemble gives a dataset the fields of the sets it uses, its own laid over them, with every name that a
// field goes by resolved to the field.
func (d *Dataset) assemble(sets []FieldSet) {
	var whole FieldSet
	for _, s := range sets {
		whole.lay(s)
	}
	whole.lay(FieldSet{Subject: d.Subject, Fields: d.Fields, Map: d.Map, Checks: d.Checks, Aliases: d.Aliases})
	name := func(s string) string {
		for range len(whole.Aliases) { // an alias of an alias, never in a circle for ever
			target, ok := whole.Aliases[s]
			if !ok || whole.has(s) {
				break
			}
			s = target
		}
		return s
	}
	names := func(all []string) []string {
		out := slices.Clone(all)
		for i := range out {
			out[i] = name(out[i])
		}
		return out
	}
	d.Fields, d.Checks = whole.Fields, slices.Clone(whole.Checks)
	d.Subject = Subject{USCC: name(whole.Subject.USCC), Name: name(whole.Subject.Name), Category: name(whole.Subject.Category)}
	d.Key, d.Duty.From = names(d.Key), name(d.Duty.From)
	d.Kind.Field, d.Kind.First = name(d.Kind.Field), names(d.Kind.First)
	for i, check := range d.Checks {
		d.Checks[i].Fields = names(check.Fields)
	}
	d.Map, d.Aliases = whole.Map, map[string]string{}
	for col, m := range d.Map {
		m.Field, m.First = name(m.Field), names(m.First)
		d.Map[col] = m
	}
	for alias, target := range whole.Aliases {
		d.Aliases[alias] = name(target)
	}
}

func (s *FieldSet) has(name string) bool {
	return slices.ContainsFunc(s.Fields, func(f Field) bool { return f.Name == name })
}

func (l *loader) fieldSet(s *FieldSet, at place) []Fault {
	c := checker{place: at}
	c.named(s.ID, s.Title)
	c.unique(s.Fields)
	l.fields(&c, s.Fields, s.Aliases)
	return c.faults
}
