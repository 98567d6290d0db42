package catalog

import (
	"slices"
	"testing"
)

func TestWhatHoldsForADrift(t *testing.T) {
	d := Drift{Missing: Freeze, Fields: map[string]string{"colour": Quarantine, "amount": Evolve, "name": Freeze}}
	for _, c := range []struct{ kind, name, want string }{
		{UnknownColumn, "anything", Evolve},
		{UnknownColumn, "colour", Quarantine},
		{MissingColumn, "address", Freeze},
		{MissingColumn, "amount", Evolve},
		{ChangedType, "address", Quarantine},
		{ChangedType, "amount", Quarantine}, // a value of another type cannot be taken in
		{ChangedType, "name", Freeze},
	} {
		if got := d.Of(c.kind, c.name); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.kind, c.name, got, c.want)
		}
	}
	if (Drift{}).TypeShare() != 20 || (Drift{Share: 5}).TypeShare() != 5 {
		t.Error("the share is 20 percent unless the contract says otherwise")
	}
}

func TestADiffTellsWhatBreaks(t *testing.T) {
	old := Dataset{ID: "a.b", Key: []string{"id"}, Family: "penalty", Version: 1, Fields: []Field{
		{Name: "id", Type: "text", Required: true}, {Name: "amount", Type: "integer"}, {Name: "on", Type: "date", Max: 10}, {Name: "who", Type: "text", Sensitivity: "personal"}},
		Aliases: map[string]string{"nr": "id"}, Map: map[string]Mapping{"doc_no": {Field: "id"}}}
	change := func(edit func(*Dataset)) []Change {
		next := old
		next.Fields = slices.Clone(old.Fields)
		edit(&next)
		return Diff(old, next)
	}
	for name, c := range map[string]struct {
		edit func(*Dataset)
		want string // of the one change; ! in front of a breaking one
	}{
		"an optional field more":       {func(d *Dataset) { d.Fields = append(d.Fields, Field{Name: "new", Type: "text"}) }, "  + field new: text, "},
		"a required field more":        {func(d *Dataset) { d.Fields = append(d.Fields, Field{Name: "new", Type: "text", Required: true}) }, "! + field new: text, required, "},
		"a field less":                 {func(d *Dataset) { d.Fields = d.Fields[:3] }, "! - field who: text, personal, "},
		"a wider type":                 {func(d *Dataset) { d.Fields[1].Type = "decimal" }, "  ~ field amount: integer,  -> decimal, "},
		"a narrower type":              {func(d *Dataset) { d.Fields[2].Type = "datetime"; d.Fields[2].Max = 8 }, "! ~ field on: date, max 10,  -> datetime, max 8, "},
		"a person no longer protected": {func(d *Dataset) { d.Fields[3].Sensitivity = "" }, "! ~ field who: text, personal,  -> text, "},
		"another key":                  {func(d *Dataset) { d.Key = []string{"id", "on"} }, "! ~ key : id -> id, on"},
		"an alias more":                {func(d *Dataset) { d.Aliases = map[string]string{"nr": "id", "no": "id"} }, "  + alias no: id"},
		"an alias less":                {func(d *Dataset) { d.Aliases = nil }, "! - alias nr: id"},
		"a column from another field":  {func(d *Dataset) { d.Map = map[string]Mapping{"doc_no": {Field: "who"}} }, "! ~ map doc_no: id -> who"},
		"a check more":                 {func(d *Dataset) { d.Checks = []Check{{Code: "X", Rule: "not_future", Fields: []string{"on"}}} }, "! + check X on: not_future"},
		"another cycle breaks nothing": {func(d *Dataset) { d.Cycle = "weekly" }, "  + cycle : weekly"},
	} {
		got := change(c.edit)
		if len(got) != 1 || got[0].String() != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
	if same := change(func(*Dataset) {}); len(same) != 0 {
		t.Errorf("no change: %v", same)
	}
}
