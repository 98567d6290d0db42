package console

import (
	"fmt"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/cases"
	"xinshu/internal/fault"
)

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
	sum, err := cases.Digest(f)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", file.Filename, err)
	}
	return sum, nil
}
