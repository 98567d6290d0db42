package console

import (
	"io"
	"maps"
	"net/http"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/internal/release"
)

// releasePages are those of contracts: what is proposed, its review, and the catalogue in the forms of
// others. Those of policies stand with the policies.
func (c *Console) releasePages() []Page {
	return []Page{
		{Pattern: "GET /catalogue/proposals", Right: auth.CatalogueSee, Do: c.contractProposals},
		{Pattern: "GET /catalogue/proposals/{id}", Right: auth.CatalogueSee, Do: c.contractProposal},
		{Pattern: "POST /catalogue/proposals/{id}/answer", Right: auth.CatalogueApprove, Do: c.answerContract},
		{Pattern: "POST /catalogue/proposals/{id}/withdraw", Right: auth.CataloguePropose, Do: c.withdrawContract},
		{Pattern: "GET /catalogue/datasets/{id}/propose", Right: auth.CataloguePropose, Do: c.writeContract},
		{Pattern: "POST /catalogue/datasets/{id}/propose", Right: auth.CataloguePropose, Do: c.proposeContract, Body: 3 << 20},
		{Pattern: "GET /catalogue/datasets/{id}/odcs", Right: auth.CatalogueSee, Do: c.odcs},
		{Pattern: "GET /catalogue/guideline", Right: auth.CatalogueSee, Do: c.guideline},
	}
}

func (c *Console) contractProposals(q *Request) error {
	return c.proposals(q, release.Contract, "catalogue/proposals")
}

func (c *Console) contractProposal(q *Request) error {
	return c.proposal(q, "catalogue/proposal", nil)
}

func (c *Console) answerContract(q *Request) error {
	return c.answer(q, release.Contract, "/catalogue/proposals", "catalogue/proposal")
}

func (c *Console) withdrawContract(q *Request) error {
	return c.withdraw(q, release.Contract, "/catalogue/proposals")
}

func (c *Console) writeContract(q *Request) error {
	return c.writeNext(q, release.Contract, "catalogue/propose", nil)
}

func (c *Console) proposeContract(q *Request) error {
	return c.proposeNext(q, release.Contract, "/catalogue/proposals", "catalogue/propose")
}

func (c *Console) proposals(q *Request, part release.Part, view string) error {
	all, err := c.Desk.Releases(q.Context(), release.Filter{Part: part, Subject: q.URL.Query().Get("subject"), Most: 200})
	if err != nil {
		return err
	}
	return q.Render(view, map[string]any{"Releases": all})
}

// proposal shows one with what it changes, and the form of the answer to who may give it.
func (c *Console) proposal(q *Request, view string, bad *fault.Error) error {
	v, err := c.Desk.Release(q.Context(), q.PathValue("id"))
	if err != nil {
		return err
	}
	right := auth.CatalogueApprove
	if v.Part == release.Policy {
		right = auth.PoliciesApprove
	}
	data := map[string]any{"Release": v, "Own": c.Desk.Own(q.Context(), v.Proposal), "Approve": q.Actor.May(right)}
	if bad != nil {
		data["Fault"], q.Status = bad, http.StatusUnprocessableEntity
	}
	return q.Render(view, data)
}

func (c *Console) answer(q *Request, part release.Part, base, view string) error {
	id, answer := q.PathValue("id"), release.State(q.PostFormValue("answer"))
	if answer != release.Approved && answer != release.Refused {
		return fault.Newf(fault.Invalid, "answer "+id, "%q is no answer", answer)
	}
	return c.answered(q, id, part, base, view, answer, q.PostFormValue("reason"))
}

func (c *Console) withdraw(q *Request, part release.Part, base string) error {
	return c.answered(q, q.PathValue("id"), part, base, "", release.Withdrawn, "")
}

func (c *Console) answered(q *Request, id string, part release.Part, base, view string, answer release.State, reason string) error {
	if _, err := c.Desk.AnswerRelease(q.Context(), part, id, answer, reason); err != nil {
		if f := faultOf(err); f != nil && view != "" && (f.Code == fault.Invalid || f.Code == fault.Conflict) {
			return c.proposal(q, view, f)
		}
		return err
	}
	return q.See(address(base, id), q.say("release.answered."+string(answer)))
}

// writeNext shows the form in which the next text of a file is written, over the newest.
func (c *Console) writeNext(q *Request, part release.Part, view string, draft map[string]any) error {
	subject := q.PathValue("id")
	file, text, err := c.Desk.CatalogueText(q.Context(), part, subject)
	if err != nil {
		return err
	}
	data := map[string]any{"Subject": subject, "File": file, "Text": string(text), "Today": c.Desk.Today()}
	maps.Copy(data, draft)
	if draft != nil {
		q.Status = http.StatusUnprocessableEntity
	}
	return q.Render(view, data)
}

// proposeNext takes the next text: as it was written, or a contract in ODCS that was uploaded.
func (c *Console) proposeNext(q *Request, part release.Part, base, view string) error {
	if err := q.readForm(); err != nil {
		return err
	}
	subject, text, note := q.PathValue("id"), []byte(q.PostFormValue("text")), q.PostFormValue("note")
	file, _, err := c.Desk.CatalogueText(q.Context(), part, subject)
	if err != nil {
		return err
	}
	again := func(err error) error {
		if f := faultOf(err); f != nil && (f.Code == fault.Invalid || f.Code == fault.Conflict) {
			return c.writeNext(q, part, view, map[string]any{"Text": string(text), "Note": note, "From": q.PostFormValue("from"), "Fault": f})
		}
		return err
	}
	if uploaded, name, err := q.uploaded("file", release.Most); err != nil {
		return again(err)
	} else if uploaded != nil && part == release.Contract {
		into, contract, _, err := c.Desk.ImportODCS(name, uploaded)
		if err != nil {
			return again(err)
		}
		if into != file {
			return again(fault.Newf(fault.Invalid, "read "+name, "the contract is that of %s, not of %s", into, file))
		}
		text = contract
	}
	from := catalog.NoDate
	if day := q.PostFormValue("from"); day != "" {
		if from, err = catalog.ParseDate(day); err != nil {
			return again(&fault.Error{Op: "propose " + subject, Code: fault.Invalid, Err: err})
		}
	}
	v, err := c.Desk.ProposeRelease(q.Context(), part, file, normalLines(text), note, from)
	if err != nil {
		return again(err)
	}
	return q.See(address(base, v.ID), q.say("release.proposed"))
}

// normalLines turns the line ends that browsers send into those of files.
func normalLines(text []byte) []byte {
	out := make([]byte, 0, len(text)+1)
	for i, b := range text {
		if b == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			continue
		}
		out = append(out, b)
	}
	if n := len(out); n > 0 && out[n-1] != '\n' {
		out = append(out, '\n')
	}
	return out
}

// uploaded reads a small file of a form; nil where none was chosen.
func (q *Request) uploaded(field string, most int64) ([]byte, string, error) {
	if q.MultipartForm == nil || len(q.MultipartForm.File[field]) == 0 {
		return nil, "", nil
	}
	header := q.MultipartForm.File[field][0]
	f, err := header.Open()
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = f.Close() }() // it was read
	body, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(body)) > most {
		err = fault.Newf(fault.Invalid, "read "+header.Filename, "the file is larger than %d bytes", most)
	}
	return body, header.Filename, err
}

func (c *Console) odcs(q *Request) error {
	id := q.PathValue("id")
	body, err := c.Desk.ExportODCS(id)
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	q.w.Header().Set("Content-Disposition", `attachment; filename="`+id+`.odcs.yaml"`)
	_, err = q.w.Write(body)
	return err
}

func (c *Console) guideline(q *Request) error {
	body, err := c.Desk.Guideline(desk.XLSX)
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	q.w.Header().Set("Content-Disposition", `attachment; filename="catalogue.xlsx"`)
	_, err = q.w.Write(body)
	return err
}
