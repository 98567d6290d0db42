package desk

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

// Use is one place where records of a kind count: a rule of an indicator, or an override, of a policy.
type Use struct {
	Policy    string         `json:"policy"`
	Title     catalog.Text   `json:"policy_title"`
	Indicator string         `json:"indicator,omitempty"` // empty: an override of the whole
	Name      catalog.Text   `json:"indicator_title,omitzero"`
	Rule      string         `json:"rule"`
	Kind      string         `json:"kind"`
	Level     string         `json:"level"`
	Points    catalog.Points `json:"points"`
	Months    int            `json:"months,omitempty"` // 0: while the fact holds
}

// FieldRoad is the way of one field of a contract: to the family's columns, and what it says there.
type FieldRoad struct {
	Field   string       `json:"field"`
	Title   catalog.Text `json:"title"`
	Columns []string     `json:"columns"` // of the family, and code, name, kind: what says whom and what a record is about
}

// Lineage is the way of a dataset's data: fields to columns, rows to records of kinds, records to rules
// of indicators. It is worked out from the contract and the policies, so it is what happens.
type Lineage struct {
	Dataset string         `json:"dataset"`
	Family  catalog.Family `json:"-"`
	Fields  []FieldRoad    `json:"fields"`
	Kinds   []string       `json:"kinds"`
	Uses    []Use          `json:"uses"`
}

// What a field says of a record beside the family's columns.
const (
	roadCode = "uscc"
	roadName = "name"
	roadKind = "kind"
	roadKey  = "record_key"
)

// Lineage follows a dataset's fields to the indicators.
func (d *Desk) Lineage(ctx context.Context, dataset string) (Lineage, error) {
	ds, err := d.datasetFor(ctx, dataset)
	if err != nil {
		return Lineage{}, err
	}
	l := Lineage{Dataset: ds.ID, Fields: roads(ds), Kinds: ds.Kinds(), Uses: []Use{}}
	l.Family, _ = d.Catalog.Family(ds.Family)
	for _, p := range d.Catalog.Policies {
		if p.Status != "draft" {
			l.Uses = append(l.Uses, usesOf(p, l.Kinds)...)
		}
	}
	return l, nil
}

// roads follows each field of a contract to what it becomes.
func roads(ds catalog.Dataset) []FieldRoad {
	becomes := map[string][]string{}
	add := func(m catalog.Mapping, column string) {
		for _, field := range append([]string{m.Field}, m.First...) {
			if field != "" {
				becomes[field] = append(becomes[field], column)
			}
		}
	}
	add(catalog.Mapping{Field: ds.Subject.USCC}, roadCode)
	add(catalog.Mapping{Field: ds.Subject.Name}, roadName)
	add(ds.Kind, roadKind)
	for _, column := range slices.Sorted(maps.Keys(ds.Map)) {
		add(ds.Map[column], column)
	}
	for _, field := range ds.Key {
		becomes[field] = append(becomes[field], roadKey)
	}
	all := make([]FieldRoad, len(ds.Fields))
	for i, f := range ds.Fields {
		all[i] = FieldRoad{Field: f.Name, Title: f.Title, Columns: becomes[f.Name]}
	}
	return all
}

// usesOf finds the rules and overrides of a policy under which records of some kinds count.
func usesOf(p catalog.Policy, kinds []string) []Use {
	var uses []Use
	for _, x := range p.Indicators {
		for _, r := range x.Rules {
			if !slices.Contains(kinds, r.Kind) {
				continue
			}
			u := Use{Policy: p.ID, Title: p.Title, Indicator: x.ID, Name: x.Title, Rule: r.ID, Kind: r.Kind, Level: r.Level, Points: r.Points}
			if r.Months != nil {
				u.Months = *r.Months
			}
			uses = append(uses, u)
		}
	}
	for _, o := range p.Overrides {
		if !o.Off && slices.Contains(kinds, o.When) {
			uses = append(uses, Use{Policy: p.ID, Title: p.Title, Rule: o.ID, Kind: o.When, Level: o.Level})
		}
	}
	return uses
}

// Origin is where an indicator comes from: for each of its rules the datasets whose rows become records
// of the rule's kind, with the fields that are used.
type Origin struct {
	Policy    string       `json:"policy"`
	Indicator string       `json:"indicator"`
	Title     catalog.Text `json:"title"`
	Rules     []RuleOrigin `json:"rules"`
}

// RuleOrigin is one rule of it.
type RuleOrigin struct {
	Use
	Clause   string       `json:"clause,omitempty"`
	Datasets []DatasetUse `json:"datasets"`
}

// DatasetUse is a dataset that feeds a rule.
type DatasetUse struct {
	ID     string       `json:"id"`
	Title  catalog.Text `json:"title"`
	Owner  string       `json:"owner"`
	Fields []FieldRoad  `json:"fields"`
}

// IndicatorOrigin follows an indicator back to fields of datasets.
func (d *Desk) IndicatorOrigin(ctx context.Context, policy, indicator string) (Origin, error) {
	p, ok := d.Catalog.Policy(policy)
	if !ok {
		return Origin{}, &fault.Error{Op: "follow an indicator", Code: fault.NotFound, Err: fmt.Errorf("there is no policy %q", policy), Hint: "see xinshu policy list"}
	}
	x, ok := p.Indicator(indicator)
	if !ok {
		return Origin{}, &fault.Error{Op: "follow an indicator", Code: fault.NotFound, Err: fmt.Errorf("%s has no indicator %q", policy, indicator), Hint: "see xinshu policy show " + policy}
	}
	out := Origin{Policy: p.ID, Indicator: x.ID, Title: x.Title}
	scope := auth.From(ctx).Scope
	for _, r := range x.Rules {
		rule := RuleOrigin{Use: Use{Policy: p.ID, Title: p.Title, Indicator: x.ID, Name: x.Title, Rule: r.ID, Kind: r.Kind, Level: r.Level, Points: r.Points}, Clause: r.Clause, Datasets: []DatasetUse{}}
		if r.Months != nil {
			rule.Months = *r.Months
		}
		for _, ds := range d.Catalog.Datasets {
			if !scope.HasDepartment(ds.Owner) || !slices.Contains(ds.Kinds(), r.Kind) {
				continue
			}
			used := slices.DeleteFunc(roads(ds), func(f FieldRoad) bool { return len(f.Columns) == 0 })
			rule.Datasets = append(rule.Datasets, DatasetUse{ID: ds.ID, Title: ds.Title, Owner: ds.Owner, Fields: used})
		}
		out.Rules = append(out.Rules, rule)
	}
	return out, nil
}
