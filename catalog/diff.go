package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Change is one difference between two contracts of a dataset.
type Change struct {
	What     string `json:"what"` // field, alias, key, map, check, or the contract's member
	Name     string `json:"name,omitempty"`
	Old      string `json:"old,omitempty"` // empty: it was not there
	New      string `json:"new,omitempty"` // empty: it is gone
	Breaking bool   `json:"breaking"`      // rows that were good may be refused, or records mean or are called something else
}

// String shows a change in a line; ! marks a breaking one.
func (c Change) String() string {
	mark := " "
	if c.Breaking {
		mark = "!"
	}
	switch {
	case c.Old == "":
		return fmt.Sprintf("%s + %s %s: %s", mark, c.What, c.Name, c.New)
	case c.New == "":
		return fmt.Sprintf("%s - %s %s: %s", mark, c.What, c.Name, c.Old)
	}
	return fmt.Sprintf("%s ~ %s %s: %s -> %s", mark, c.What, c.Name, c.Old, c.New)
}

// Diff tells what another contract of the same dataset changes, field sets laid in.
func Diff(old, next Dataset) []Change {
	var changes []Change
	note := func(what, name, before, after string, breaking bool) {
		if before != after {
			changes = append(changes, Change{what, name, before, after, breaking})
		}
	}
	for _, f := range old.Fields {
		g, ok := next.Field(f.Name)
		if !ok {
			note("field", f.Name, described(f), "", true)
			continue
		}
		note("field", f.Name, described(f), described(g), narrower(f, g))
	}
	for _, g := range next.Fields {
		if _, ok := old.Field(g.Name); !ok {
			note("field", g.Name, "", described(g), g.Required)
		}
	}
	pairs(old.Aliases, next.Aliases, func(name, before, after string) { note("alias", name, before, after, before != "") })
	note("key", "", strings.Join(old.Key, ", "), strings.Join(next.Key, ", "), true)
	note("family", "", old.Family, next.Family, true)
	note("owner", "", old.Owner, next.Owner, true)
	note("kind", "", inWords(old.Kind), inWords(next.Kind), true)
	pairs(mapped(old.Map), mapped(next.Map), func(name, before, after string) { note("map", name, before, after, before != "") })
	pairs(checksOf(old.Checks), checksOf(next.Checks), func(name, before, after string) { note("check", name, before, after, after != "") })
	note("subject", "", fmt.Sprint(old.Subject), fmt.Sprint(next.Subject), true)
	for _, m := range []struct{ name, before, after string }{
		{"title", old.Title.ZH, next.Title.ZH}, {"class", old.Class, next.Class}, {"share", old.Share, next.Share}, {"way", old.Way, next.Way},
		{"cycle", old.Cycle, next.Cycle}, {"duty", fmt.Sprint(old.Duty), fmt.Sprint(next.Duty)},
		{"drift", fmt.Sprint(old.Drift), fmt.Sprint(next.Drift)}, {"version", fmt.Sprint(old.Version), fmt.Sprint(next.Version)},
	} {
		note(m.name, "", m.before, m.after, false)
	}
	return changes
}

// described shows what a contract says of a field.
func described(f Field) string {
	parts := []string{f.Type}
	if f.Required {
		parts = append(parts, "required")
	}
	if f.Codes != "" {
		parts = append(parts, "codes "+f.Codes)
	}
	if f.Sensitivity != "" && f.Sensitivity != "public" {
		parts = append(parts, f.Sensitivity)
	}
	if f.Max > 0 {
		parts = append(parts, fmt.Sprintf("max %d", f.Max))
	}
	return strings.Join(append(parts, f.Title.ZH), ", ")
}

// wider types take every value of the narrower one.
var wider = map[string][]string{"integer": {"decimal", "text"}, "date": {"datetime", "text"}, "decimal": {"text"}, "datetime": {"text"}, "boolean": {"text"}, "uscc": {"text"}}

// narrower says whether a field of the next contract refuses what the old one took, or protects a
// person less.
func narrower(f, g Field) bool {
	return f.Type != g.Type && !slices.Contains(wider[f.Type], g.Type) ||
		g.Required && !f.Required ||
		g.Codes != "" && g.Codes != f.Codes ||
		g.Max > 0 && (f.Max == 0 || g.Max < f.Max) ||
		f.Sensitivity == "personal" && g.Sensitivity != "personal"
}

func pairs(old, next map[string]string, each func(name, before, after string)) {
	names := slices.Collect(maps.Keys(old))
	for name := range next {
		if _, ok := old[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		each(name, old[name], next[name])
	}
}

func mapped(m map[string]Mapping) map[string]string {
	words := make(map[string]string, len(m))
	for column, mapping := range m {
		words[column] = inWords(mapping)
	}
	return words
}

func inWords(m Mapping) string {
	var parts []string
	for _, p := range []struct{ word, value string }{{"", m.Field}, {"first of ", strings.Join(m.First, ", ")}, {"always ", m.Const}, {"else ", m.Default}} {
		if p.value != "" {
			parts = append(parts, p.word+p.value)
		}
	}
	if len(m.Values) > 0 {
		parts = append(parts, fmt.Sprint(m.Values)) // maps print in the order of their keys
	}
	return strings.Join(parts, "; ")
}

func checksOf(checks []Check) map[string]string {
	words := make(map[string]string, len(checks))
	for _, c := range checks {
		words[c.Code+" "+strings.Join(c.Fields, ",")] = strings.TrimSpace(c.Rule + " " + strings.Join(c.Words, ","))
	}
	return words
}
