package cases

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// The bounds of what an application may hold.
const (
	mostText     = 4000 // characters
	mostEvidence = 50
)

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Check refuses an application that nobody could work on, and masks resident ids in its words.
func (c *Case) Check(cat *catalog.Catalog, today catalog.Date) error {
	op := "open a case"
	bad := func(hint, format string, args ...any) error {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: fmt.Errorf(format, args...), Hint: hint}
	}
	verdict := cat.CheckUSCC(c.USCC)
	switch {
	case !slices.Contains(Kinds, c.Kind):
		return bad("it is objection, repair or completion", "%q is no kind of case", c.Kind)
	case !verdict.Valid:
		return bad("see xinshu uscc check", "%q is no valid code (%s)", verdict.Input, verdict.Reason)
	case strings.TrimSpace(c.Claim) == "":
		return bad("say what is asked for and why", "the application says nothing")
	case c.ReceivedOn == catalog.NoDate || c.ReceivedOn > today:
		return bad("the clock starts on the day the formal application was received, which is not after today", "the day of receipt %q is wrong", c.ReceivedOn)
	case len(c.Evidence) > mostEvidence:
		return bad("bring them together in fewer files", "%d pieces of evidence are more than %d", len(c.Evidence), mostEvidence)
	case c.Target.Record == "" && c.Target.DocNo == "" && (c.Target.Dataset == "" || c.Target.Key == ""):
		return bad("name its id (xinshu explain --json), its document number, or dataset and key", "the application names no record")
	}
	c.USCC = verdict.Normalized
	if _, known := cat.Dataset(c.Target.Dataset); c.Target.Dataset != "" && !known {
		return bad("see xinshu catalog list dataset", "there is no dataset %q", c.Target.Dataset)
	}
	if _, known := cat.Policy(c.Policy); c.Policy != "" && !known {
		return bad("see xinshu policy list", "there is no policy %q", c.Policy)
	}
	for i := range c.Evidence {
		e := &c.Evidence[i]
		if e.Kind == "" {
			e.Kind = "document"
		}
		switch {
		case !slices.Contains(EvidenceKinds, e.Kind):
			return bad("it is one of "+strings.Join(EvidenceKinds, ", "), "%q is no kind of evidence", e.Kind)
		case strings.TrimSpace(e.Title) == "" || len([]rune(e.Title)) > 200:
			return bad("give each piece a title of at most 200 characters", "evidence %d has no good title", i+1)
		case e.SHA256 != "" && !digest.MatchString(e.SHA256):
			return bad("it is 64 hex digits in lower case", "evidence %d: %q is no SHA-256 digest", i+1, e.SHA256)
		}
		e.Title = clean(e.Title)
	}
	for _, s := range []*string{&c.Claim, &c.Name, &c.Target.DocNo, &c.Target.Key} {
		if *s = clean(*s); len([]rune(*s)) > mostText {
			return bad("put the details into a file and name it as evidence", "a text is longer than %d characters", mostText)
		}
	}
	if c.Way == "" {
		c.Way = "platform"
	}
	if c.Kind != Repair {
		return nil
	}
	return c.repairable(cat, today)
}

// clean masks resident ids: evidence is text and digests, never personal data in clear.
func clean(s string) string {
	masked, _ := catalog.MaskIDs(strings.TrimSpace(s))
	return masked
}

// courtOnly are kinds of records that only their source takes away: executed debtors leave the list
// when the court says so, not by a repair here.
var courtOnly = []string{"judgment_debtor", "spending_limit"}

// repairable refuses a repair that the law does not give yet or not here. An application may come
// early by a day or a year: it is told the first possible date.
func (c *Case) repairable(cat *catalog.Catalog, today catalog.Date) error {
	op := "open a repair"
	if slices.Contains(courtOnly, c.Target.Kind) {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: fmt.Errorf("a record of kind %s is lifted by the court alone", c.Target.Kind),
			Hint: "the entity turns to the court; the list exit then arrives with its dataset"}
	}
	if len(c.Evidence) == 0 {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: fmt.Errorf("a repair brings evidence and this one has none"),
			Hint: "name at least one of " + strings.Join(EvidenceKinds, ", ")}
	}
	first, known := FirstRepair(c.Target, cat)
	if known && today < first {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: fmt.Errorf("the shortest publicity period of this record is not over"),
			Hint: "it can be applied for from " + first.String() + " on"}
	}
	return nil
}

// FirstRepair is the first day on which a record may be repaired: the end of its shortest period of
// publicity, which counts from the day of the decision. It is unknown for what has no such period.
func FirstRepair(t Target, cat *catalog.Catalog) (catalog.Date, bool) {
	if t.Kind != "penalty" || t.DecidedOn == catalog.NoDate {
		return catalog.NoDate, false
	}
	owner := ""
	if ds, ok := cat.Dataset(t.Dataset); ok {
		owner = ds.Owner
	}
	p, ok := cat.Rules.Period(t.DecidedOn, owner, t.Level)
	if !ok {
		return catalog.NoDate, false
	}
	return t.DecidedOn.AddMonths(p.Shortest), true
}

// checkDecision refuses a decision that its notice does not allow.
func (c Case) checkDecision(d *Decision, cat *catalog.Catalog, today catalog.Date) error {
	op := "decide " + c.No
	bad := func(hint, format string, args ...any) error {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: fmt.Errorf(format, args...), Hint: hint}
	}
	if d.Reason = clean(d.Reason); d.Reason == "" || len([]rune(d.Reason)) > mostText {
		return bad("the entity is told why", "the decision has no reason of at most %d characters", mostText)
	}
	if d.DocNo = clean(d.DocNo); len([]rune(d.DocNo)) > 128 {
		return bad("", "the number of the decision is longer than 128 characters")
	}
	if d.DecidedOn < c.ReceivedOn || d.DecidedOn > today {
		return bad("it lies between the day of receipt, "+c.ReceivedOn.String()+", and today", "the day of the decision %q is wrong", d.DecidedOn)
	}
	if d.Authority != "" {
		v := cat.CheckUSCC(d.Authority)
		if !v.Valid {
			return bad("see xinshu uscc check", "the deciding body %q is no valid code (%s)", v.Input, v.Reason)
		}
		d.Authority = v.Normalized
	}
	if c.Kind != Repair || !d.Upheld {
		return nil
	}
	// Who made the finding decides on its repair (Wugang, four (three)).
	switch {
	case d.Authority == "":
		return bad("give the code of the body that made the record, with --authority", "a repair is decided by who made the record, and nobody is named")
	case c.Target.Authority != "" && d.Authority != c.Target.Authority:
		return bad("the record was made by "+c.Target.Authority+"; only its decision counts", "%s did not make the record", d.Authority)
	case d.DocNo == "":
		return bad("give the number of the decision", "a repair is decided in a document, and none is named")
	}
	if first, known := FirstRepair(c.Target, cat); known && d.DecidedOn < first {
		return bad("the first possible day is "+first.String(), "the decision lies before the end of the shortest publicity period")
	}
	return nil
}
