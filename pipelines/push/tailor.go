package push

import (
	"bytes"
	"encoding/json"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// always are the members that travel with every result, whatever a target's fields: without them a
// receiver could not order versions, and a grade would be cited without its maker, its status and
// the notice's sentence (Heilongjiang annex 1, article 11; Wugang 二(二)).
var always = members("id", "kind", "version", "policy", "evaluation", "maker", "status", "uscc", "as_of", "corrected_to", "grade", "wording")

// withdrawn are the only members of a retraction: nothing of the result that is no longer shared. The
// successor of a merged code is one, or a receiver would not know where to look.
var withdrawn = members("id", "kind", "version", "policy", "evaluation", "maker", "status", "uscc", "as_of", "corrected_to", "wording", "successor")

// Tailor cuts the bodies of changes to what one receiver gets. Whoever hands a result out, pushed or
// fetched, cuts it here.
type Tailor struct {
	all    bool
	wanted map[string]bool
}

// NewTailor makes a tailor for a receiver's fields; none means all of a result.
func NewTailor(fields []string) Tailor {
	t := Tailor{all: len(fields) == 0, wanted: members(fields...)}
	for name := range always {
		t.wanted[name] = true
	}
	return t
}

// Gets says whether a receiver gets a member of a result.
func (t Tailor) Gets(member string) bool { return t.all || t.wanted[member] }

// Cut gives the body of a change as its receiver gets it, in the same order, with the kind that the
// receiver is told. It reads the flat objects that publishing writes, a million in a few seconds.
func (t Tailor) Cut(body []byte, kind string) ([]byte, error) {
	if t.all && kind != "retraction" && says(body, kind) {
		return body, nil // nothing is taken away and nothing changed
	}
	out := append(make([]byte, 0, len(body)), '{')
	for member, err := range each(body) {
		if err != nil {
			return nil, err
		}
		switch name := member.name; {
		case kind == "retraction" && !withdrawn[name], kind != "retraction" && !t.Gets(name):
			continue
		case name == "kind":
			member.text = []byte(`"kind":"` + kind + `"`)
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, member.text...)
	}
	return append(out, '}'), nil
}

// says tells whether a body has a kind. Within a text its quotation marks would not stand alone.
func says(body []byte, kind string) bool {
	const name = `"kind":"`
	_, rest, found := bytes.Cut(body, []byte(name))
	return found && len(rest) > len(kind) && string(rest[:len(kind)]) == kind && rest[len(kind)] == '"'
}

// tailor cuts each row of a delivery to what its target gets, and takes the wording from the rows.
func tailor(d *connectors.Delivery, fields []string) error {
	t := NewTailor(fields)
	for i, row := range d.Rows {
		if d.Wording == "" {
			var said struct{ Wording string }
			if err := json.Unmarshal(row.Body, &said); err != nil {
				return fault.Newf(fault.Internal, "read the body of "+row.ID, "%w", err)
			}
			d.Wording = said.Wording // a policy without a wording has none
		}
		cut, err := t.Cut(row.Body, row.Kind)
		if err != nil {
			return fault.Newf(fault.Internal, "read the body of "+row.ID, "%w", err)
		}
		d.Rows[i].Body = cut
	}
	return nil
}

func members(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}
