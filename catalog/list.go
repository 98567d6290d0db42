package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// Item is one line of the catalogue's contents.
type Item struct {
	Part  string `json:"part"` // department, platform, family, fieldset, codes, dataset, policy, rules, calendar
	ID    string `json:"id"`
	Title Text   `json:"title"`
	Note  string `json:"note"` // what tells it from its neighbours: sector, family and way, validity
}

// List gives the contents part by part, each in the order of the catalogue.
func (c *Catalog) List() []Item {
	var all []Item
	add := func(part, id string, title Text, note ...string) {
		all = append(all, Item{Part: part, ID: id, Title: title, Note: strings.Join(note, " ")})
	}
	for _, d := range c.Departments {
		add("department", d.ID, d.Title, d.Sector.ZH)
	}
	for _, p := range c.Platforms {
		add("platform", p.ID, p.Title, p.Way)
	}
	for _, f := range c.Families {
		add("family", f.ID, f.Title, fmt.Sprintf("%d columns", len(f.Columns)))
	}
	for _, s := range c.FieldSets {
		add("fieldset", s.ID, s.Title, fmt.Sprintf("%d fields", len(s.Fields)))
	}
	for _, l := range c.CodeLists {
		add("codes", l.ID, l.Title, fmt.Sprintf("%d values", len(l.Values)))
	}
	for _, d := range c.Datasets {
		add("dataset", d.ID, d.Title, d.Family, d.Class, d.Share, d.Way, d.Cycle)
	}
	for _, p := range c.Policies {
		add("policy", p.ID, p.Title, p.Status, p.Cycle)
	}
	for _, s := range c.Rules.Severity {
		add("rules", s.ID, s.Title, s.note())
	}
	for _, p := range c.Rules.Publicity {
		add("rules", p.ID, p.Title, p.note())
	}
	for _, y := range c.Calendars.Years() {
		id := fmt.Sprint(y.Year)
		add("calendar", id, Text{ZH: id + "年工作日", EN: "working days of " + id}, fmt.Sprintf("%d working days", y.count().total()))
	}
	return all
}

// Show gives the one thing of an id, of whatever part: a dataset with its field sets laid in, a policy, a code list.
func (c *Catalog) Show(id string) (any, bool) {
	for _, look := range []func(string) (any, bool){
		shown(c.Dataset), shown(c.Policy), shown(c.Family), shown(c.Department), shown(c.Platform), shown(c.FieldSet), shown(c.CodeList),
	} {
		if v, ok := look(id); ok {
			return v, true
		}
	}
	if s, ok := find(c.Rules.Severity, func(s SeverityRules) bool { return s.ID == id }); ok {
		return s, true
	}
	if p, ok := find(c.Rules.Publicity, func(p PublicityRules) bool { return p.ID == id }); ok {
		return p, true
	}
	if y, ok := find(c.Calendars.Years(), func(y Year) bool { return fmt.Sprint(y.Year) == id }); ok {
		return y, true
	}
	return nil, false
}

func shown[T any](look func(string) (T, bool)) func(string) (any, bool) {
	return func(id string) (any, bool) { return look(id) }
}

// Totals count the catalogue, datasets also by what they are counted by in the field's own statistics.
type Totals struct {
	Departments int            `json:"departments"`
	Platforms   int            `json:"platforms"`
	Families    int            `json:"families"`
	FieldSets   int            `json:"fieldsets"`
	CodeLists   int            `json:"codes"`
	Datasets    int            `json:"datasets"`
	OfPlatforms int            `json:"datasets_of_platforms"` // part of Datasets
	Policies    int            `json:"policies"`
	Rules       int            `json:"rules"`
	Calendars   int            `json:"calendars"`
	ByFamily    map[string]int `json:"by_family"`
	ByClass     map[string]int `json:"by_class"`
	ByWay       map[string]int `json:"by_way"`
}

// Totals counts what was loaded; a file with a fault is not in it.
func (c *Catalog) Totals() Totals {
	t := Totals{
		Departments: len(c.Departments), Platforms: len(c.Platforms), Families: len(c.Families), FieldSets: len(c.FieldSets),
		CodeLists: len(c.CodeLists), Datasets: len(c.Datasets), Policies: len(c.Policies),
		Rules: len(c.Rules.Severity) + len(c.Rules.Publicity), Calendars: len(c.Calendars.years),
		ByFamily: map[string]int{}, ByClass: map[string]int{}, ByWay: map[string]int{},
	}
	for _, d := range c.Datasets {
		t.ByFamily[d.Family]++
		t.ByClass[d.Class]++
		t.ByWay[d.Way]++
		if _, ok := c.Platform(d.Owner); ok {
			t.OfPlatforms++
		}
	}
	return t
}

// Report is the answer of a check of the catalogue.
type Report struct {
	Totals Totals  `json:"totals"`
	Faults []Fault `json:"faults"` // never nil; all of them at once
}

// Check reports what stands and what is wrong.
func (c *Catalog) Check() Report {
	return Report{Totals: c.Totals(), Faults: append([]Fault{}, c.Faults...)}
}

func (t Term) note() string {
	days := func(d *Date) string {
		if d == nil {
			return ""
		}
		return d.String()
	}
	return strings.TrimSpace(fmt.Sprintf("%s..%s %s", days(t.ValidFrom), days(t.ValidUntil), t.Department))
}

// PlatformDatasets are the ids of the datasets that platforms send, and not departments.
func (c *Catalog) PlatformDatasets() []string {
	var ids []string
	for _, d := range c.Datasets {
		if slices.ContainsFunc(c.Platforms, func(p Platform) bool { return p.ID == d.Owner }) {
			ids = append(ids, d.ID)
		}
	}
	return ids
}
