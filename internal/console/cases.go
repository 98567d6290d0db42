package console

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strconv"
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

func (c *Console) newCase(q *Request) error {
	query := q.URL.Query()
	kind := cases.Kind(query.Get("kind"))
	if kind == "" {
		kind = cases.Objection
	}
	draft := cases.Case{Kind: kind, USCC: strings.TrimSpace(query.Get("uscc")), Policy: query.Get("policy"), ReceivedOn: c.Desk.Today(), Way: "platform",
		Target: cases.Target{Record: query.Get("record")}}
	return c.caseForm(q, draft, nil)
}

// caseForm shows the form of an application: the records to choose from once the entity is known.
func (c *Console) caseForm(q *Request, draft cases.Case, bad *fault.Error) error {
	data := map[string]any{"Draft": draft, "Kinds": cases.Kinds, "EvidenceKinds": cases.EvidenceKinds, "Policies": c.Desk.Policies(q.Context()), "Rows": []int{1, 2, 3}, "Today": c.Desk.Today()}
	if draft.USCC != "" {
		name, records, err := c.Desk.Contestable(q.Context(), draft.USCC, draft.Kind)
		switch {
		case err == nil:
			data["Name"], data["Records"] = name, records
		case fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound):
			if bad == nil {
				bad = faultOf(err)
			}
		default:
			return err
		}
	}
	if bad != nil {
		data["Fault"], q.Status = bad, http.StatusUnprocessableEntity
	}
	return q.Render("cases/new", data)
}

func (c *Console) openCase(q *Request) error {
	if err := q.readForm(); err != nil {
		return err
	}
	draft := cases.Case{Kind: cases.Kind(q.PostFormValue("kind")), USCC: q.PostFormValue("uscc"), Policy: q.PostFormValue("policy"), Way: q.PostFormValue("way"), Claim: q.PostFormValue("claim"),
		ReceivedOn: catalog.NoDate, WaitingSince: catalog.NoDate,
		Target: cases.Target{Record: q.PostFormValue("record"), DocNo: strings.TrimSpace(q.PostFormValue("doc_no")), Authority: strings.TrimSpace(q.PostFormValue("authority")), DecidedOn: catalog.NoDate}}
	var err error
	if draft.ReceivedOn, err = catalog.ParseDate(q.PostFormValue("received_on")); err != nil {
		draft.ReceivedOn = c.Desk.Today()
		return c.caseForm(q, draft, &fault.Error{Op: "open a case", Code: fault.Invalid, Err: err})
	}
	if draft.Evidence, err = q.evidence(); err != nil {
		return err
	}
	v, err := c.Desk.OpenCase(q.Context(), draft, q.Actor.May(auth.CasesDecide) && q.PostFormValue("accept") != "")
	if f := faultOf(err); f != nil && (f.Code == fault.Invalid || f.Code == fault.NotFound) {
		return c.caseForm(q, draft, f)
	}
	if err != nil {
		return err
	}
	return q.See(address("/cases", v.No), q.say("case.opened", v.No))
}

// evidence reads the pieces of a form: kind, title and, where a file came, its digest. The file is read
// once and not kept.
func (q *Request) evidence() ([]cases.Item, error) {
	items := []cases.Item{}
	for i := 1; i <= 3; i++ {
		n := strconv.Itoa(i)
		item := cases.Item{Kind: q.PostFormValue("evidence_kind_" + n), Title: strings.TrimSpace(q.PostFormValue("evidence_title_" + n))}
		if q.MultipartForm != nil {
			for _, file := range q.MultipartForm.File["evidence_file_"+n] {
				sum, err := digestOf(file)
				if err != nil {
					return nil, err
				}
				if item.SHA256 = sum; item.Title == "" {
					item.Title = filepath.Base(file.Filename)
				}
			}
		}
		if item.Title != "" {
			items = append(items, item)
		}
	}
	return items, nil
}

func digestOf(file *multipart.FileHeader) (string, error) {
	f, err := file.Open()
	if err != nil {
		return "", fmt.Errorf("read %s: %w", file.Filename, err)
	}
	defer func() { _ = f.Close() }() // it was read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", file.Filename, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
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
