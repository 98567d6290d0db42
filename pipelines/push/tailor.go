package push

import (
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

// tailor cuts each row of a delivery to what its target gets, and takes the wording from the rows.
func tailor(d *connectors.Delivery, fields []string) error {
	wanted := members(fields...)
	for i, row := range d.Rows {
		var body map[string]json.RawMessage
		if err := json.Unmarshal(row.Body, &body); err != nil {
			return fault.Newf(fault.Internal, "read the body of "+row.ID, "%w", err)
		}
		if d.Wording == "" {
			_ = json.Unmarshal(body["wording"], &d.Wording) // a policy without a wording has none
		}
		body["kind"] = json.RawMessage(`"` + row.Kind + `"`)
		for name := range body {
			switch {
			case row.Kind == "retraction" && !withdrawn[name],
				row.Kind != "retraction" && len(fields) > 0 && !always[name] && !wanted[name]:
				delete(body, name)
			}
		}
		cut, err := json.Marshal(body)
		if err != nil {
			return fault.Newf(fault.Internal, "write the body of "+row.ID, "%w", err)
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
