package catalog

import (
	"cmp"
	"slices"
)

// What staging does when a source no longer sends what the contract says.
const (
	Evolve     = "evolve"     // take what can be taken and tell the steward
	Quarantine = "quarantine" // refuse the rows that show it, and tell the steward
	Freeze     = "freeze"     // fail the pull before anything of it is committed
)

// Kinds of drift.
const (
	UnknownColumn = "unknown" // the source sends a column that the contract does not know
	MissingColumn = "missing" // the source no longer sends a field of the contract
	ChangedType   = "type"    // values of a field stopped being of its type
)

// Drift is a dataset's policy about change at its source. An empty member takes the default: evolve
// for columns, quarantine for types, because a value of another type cannot be taken in.
type Drift struct {
	Unknown string            `yaml:"unknown" json:"unknown,omitempty"`
	Missing string            `yaml:"missing" json:"missing,omitempty"`
	Type    string            `yaml:"type" json:"type,omitempty"`     // quarantine or freeze
	Share   int               `yaml:"share" json:"share,omitempty"`   // percent of a field's values that must not parse before its type counts as changed; 0: 20
	Fields  map[string]string `yaml:"fields" json:"fields,omitempty"` // by field, or by the name of an unknown column: what holds for it alone
}

// Of gives what holds for one kind of drift in one column or field.
func (d Drift) Of(kind, name string) string {
	own := d.Fields[name]
	switch kind {
	case UnknownColumn:
		return cmp.Or(own, d.Unknown, Evolve)
	case MissingColumn:
		return cmp.Or(own, d.Missing, Evolve)
	}
	if own == Evolve { // of a type it would mean to invent values
		own = Quarantine
	}
	return cmp.Or(own, d.Type, Quarantine)
}

// TypeShare is the percentage from which a field's type counts as changed.
func (d Drift) TypeShare() int { return cmp.Or(d.Share, 20) }

func (c *checker) drift(d *Dataset) {
	actions := []string{"", Evolve, Quarantine, Freeze}
	c.oneOf([]any{"drift", "unknown"}, d.Drift.Unknown, actions...)
	c.oneOf([]any{"drift", "missing"}, d.Drift.Missing, actions...)
	c.oneOf([]any{"drift", "type"}, d.Drift.Type, "", Quarantine, Freeze)
	if d.Drift.Share < 0 || d.Drift.Share > 100 {
		c.fail([]any{"drift", "share"}, "share is a percentage")
	}
	for name, action := range d.Drift.Fields {
		if !slices.Contains(actions[1:], action) {
			c.fail([]any{"drift", "fields", name}, "%q is none of evolve, quarantine, freeze", action)
		}
	}
}
