package console

import (
	"net/http"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/cases"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
)

// evidenceBody is the most that the files of an application may come to; only their digests are kept.
const evidenceBody = 64 << 20

func (c *Console) casePages() []Page {
	return []Page{
		{Pattern: "GET /cases", Right: auth.CasesSee, Do: c.cases},
		{Pattern: "GET /cases/orphans", Right: auth.CasesSee, Do: c.orphans},
		{Pattern: "GET /cases/new", Right: auth.CasesOpen, Do: c.newCase},
		{Pattern: "POST /cases/new", Right: auth.CasesOpen, Do: c.openCase, Body: evidenceBody},
		{Pattern: "GET /cases/{no}", Right: auth.CasesSee, Do: c.oneCase},
		{Pattern: "POST /cases/{no}/bring", Right: auth.CasesOpen, Do: c.bringToCase, Body: evidenceBody},
		{Pattern: "POST /cases/{no}/decide", Right: auth.CasesDecide, Do: c.workCase},
	}
}

// caseTones say in which colour a case's state is shown.
var caseTones = map[cases.State]string{cases.Open: "warn", cases.Accepted: "info", cases.Waiting: "hold", cases.Proposed: "info",
	cases.Upheld: "good", cases.Rejected: "idle", cases.Withdrawn: "idle", cases.Refused: "idle", cases.Closed: "idle"}

func (c *Console) cases(q *Request) error {
	query := q.URL.Query()
	f := cases.Filter{Kind: cases.Kind(query.Get("kind")), State: cases.State(query.Get("state")), USCC: strings.ToUpper(strings.TrimSpace(query.Get("uscc"))), Before: query.Get("before"), Most: 100}
	f.Undecided = query.Get("all") == "" && f.State == ""
	if f.Undecided {
		f.Most = 1000
	}
	lines, err := c.Desk.Cases(q.Context(), f)
	if err != nil {
		return err
	}
	if f.Undecided {
		desk.ByUrgency(lines)
	}
	late, soon := 0, 0
	for _, l := range lines {
		switch {
		case l.Clock.Late && !l.State.Decided():
			late++
		case !l.State.Decided() && l.Clock.Due != catalog.NoDate && l.Clock.Left <= 2 && !l.Clock.Paused:
			soon++
		}
	}
	older := ""
	if !f.Undecided && len(lines) == f.Most {
		older = lines[len(lines)-1].No
	}
	return q.Render("cases/list", map[string]any{"Cases": lines, "Filter": f, "Late": late, "Soon": soon, "Kinds": cases.Kinds, "States": cases.States, "Tones": caseTones, "Older": older})
}

func (c *Console) orphans(q *Request) error {
	marks, err := c.Desk.Orphans(q.Context())
	if err != nil {
		return err
	}
	return q.Render("cases/orphans", map[string]any{"Marks": marks})
}

func (c *Console) oneCase(q *Request) error {
	v, err := c.Desk.Case(q.Context(), q.PathValue("no"))
	if err != nil {
		return err
	}
	return c.showCase(q, v, nil)
}

func (c *Console) showCase(q *Request, v desk.CaseView, bad *fault.Error) error {
	open := 0
	for _, r := range v.Results {
		if !r.Done {
			open++
		}
	}
	first, known := cases.FirstRepair(v.Target, c.Desk.Catalog)
	data := map[string]any{"Case": v, "Tones": caseTones, "ToCorrect": open, "Today": c.Desk.Today(), "EvidenceKinds": cases.EvidenceKinds, "Rows": []int{1, 2, 3}}
	if v.Kind == cases.Repair && known {
		data["FirstRepair"] = first
	}
	if bad != nil {
		data["Fault"], q.Status = bad, http.StatusUnprocessableEntity
	}
	return q.Render("cases/one", data)
}

// bringToCase is what the side of the applicant does: papers brought, the application taken back.
func (c *Console) bringToCase(q *Request) error {
	if err := q.readForm(); err != nil {
		return err
	}
	step := desk.CaseStep{Do: "supply", Reason: q.PostFormValue("reason")}
	if q.PostFormValue("do") == "withdraw" {
		step.Do = "withdraw"
	}
	var err error
	if step.Evidence, err = q.evidence(); err != nil {
		return err
	}
	return c.stepCase(q, step)
}

// workCase is what who decides does.
func (c *Console) workCase(q *Request) error {
	step := desk.CaseStep{Do: q.PostFormValue("do"), Reason: q.PostFormValue("reason"), Queue: true}
	switch step.Do {
	case "decide":
		step.Decision = cases.Decision{Upheld: q.PostFormValue("outcome") == "upheld", Reason: q.PostFormValue("reason"), Authority: strings.TrimSpace(q.PostFormValue("authority")),
			DocNo: q.PostFormValue("doc_no"), DecidedOn: catalog.NoDate}
		if outcome := q.PostFormValue("outcome"); outcome != "upheld" && outcome != "rejected" {
			step.Do = "" // nothing was chosen
		}
		if on, err := catalog.ParseDate(q.PostFormValue("decided_on")); err == nil {
			step.Decision.DecidedOn = on
		}
	case "correct":
		no := q.PathValue("no")
		if err := c.Desk.QueueCorrections(q.Context(), no); err != nil {
			return err
		}
		return q.See(address("/cases", no), q.say("case.queued"))
	}
	return c.stepCase(q, step)
}

func (c *Console) stepCase(q *Request, step desk.CaseStep) error {
	no := q.PathValue("no")
	v, err := c.Desk.WorkCase(q.Context(), no, step)
	if f := faultOf(err); f != nil && (f.Code == fault.Invalid || f.Code == fault.Conflict) {
		if v.No == "" {
			return err
		}
		return c.showCase(q, v, f)
	}
	if err != nil {
		return err
	}
	return q.See(address("/cases", no), q.say("case.state."+string(v.State)))
}
