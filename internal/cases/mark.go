package cases

import (
	"cmp"
	"strings"

	"xinshu/catalog"
)

// Mark is what a case says about its record, as it goes to the lake. Its name is made of the case's
// number, so that it is said once however often the work is done.
type Mark struct {
	ID          string
	Kind        string // objection_open, objection_upheld, objection_rejected, repair, completion
	Target      Target
	USCC        string
	EffectiveOn catalog.Date
	DecidedBy   string
	Evidence    string
}

// markPrefix tells a case's marks from those that sources send.
const markPrefix = "case-"

// CaseOf gives the number of the case that a mark was made by, empty where it is a source's.
func CaseOf(markID string) string {
	rest, ours := strings.CutPrefix(markID, markPrefix)
	if !ours {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "/") // a further record of the same statement
	no, _, found := strings.Cut(rest, "_")
	if !found {
		return ""
	}
	return no
}

func (c Case) mark(step, kind string, on catalog.Date, by, evidence string) Mark {
	return Mark{ID: markPrefix + c.No + "_" + step, Kind: kind, Target: c.Target, USCC: c.USCC, EffectiveOn: on, DecidedBy: by, Evidence: evidence}
}

// opened says that the record is disputed. It holds from the day of receipt, so that no day between
// receipt and acceptance counts against the entity.
func (c Case) opened(by string) (Mark, bool) {
	return c.mark("open", "objection_open", c.ReceivedOn, by, c.Claim), c.Kind == Objection
}

// settled says what a decision does to the record; not every one does something.
func (c Case) settled(d Decision) (Mark, bool) {
	kind := map[Kind]map[bool]string{
		Objection:  {true: "objection_upheld", false: "objection_rejected"},
		Repair:     {true: "repair"},
		Completion: {true: "completion"},
	}[c.Kind][d.Upheld]
	return c.mark("decision", kind, d.DecidedOn, cmp.Or(d.Authority, d.By), strings.TrimSpace(d.DocNo+" "+d.Reason)), kind != ""
}
