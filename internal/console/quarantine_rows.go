package console

import (
	"net/http"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
)

func (c *Console) refusedPage(q *Request) error {
	query, id := q.URL.Query(), q.PathValue("dataset")
	state := strings.TrimSpace(query.Get("state"))
	if !query.Has("state") {
		state = quarantine.Open
	}
	w := quarantine.Wanted{State: state, Reason: query.Get("reason"), Run: query.Get("run"), Contains: strings.TrimSpace(query.Get("q")), Most: 50}
	page, err := c.Desk.RefusedPage(q.Context(), id, w, query.Get("cursor"))
	if err != nil {
		return err
	}
	sum, err := c.Desk.QuarantineSummary(q.Context(), desk.RefusedRows{Datasets: []string{id}})
	if err != nil {
		return err
	}
	ds, _ := c.Desk.Catalog.Dataset(id)
	rows := make([]refusedLine, len(page.Rows))
	for i, row := range page.Rows {
		rows[i] = refusedLine{row, c.Desk.Sentence(id, row.Reason)}
	}
	return q.Render("quarantine/dataset", map[string]any{"Dataset": ds, "Owner": ownerTitle(c.Desk.Catalog, ds.Owner), "Rows": rows, "Next": page.Next, "Sum": sum.Total,
		"Reasons": c.byOwner(sum), "Wanted": w, "State": state, "States": []string{quarantine.Open, quarantine.Corrected, quarantine.Withdrawn, quarantine.Again, ""}})
}

type refusedLine struct {
	quarantine.Row
	Sentence catalog.Text
}

func (q *Request) refusedID() string {
	return q.PathValue("dataset") + "/" + q.PathValue("n") + "/" + q.PathValue("row")
}

func (c *Console) refusedRow(q *Request) error { return c.refusedForm(q, nil, nil, nil) }

// refusedForm shows one row with its form. typed holds what was written into it before.
func (c *Console) refusedForm(q *Request, typed map[string]string, faults []desk.FieldFault, problem *fault.Error) error {
	row, err := c.Desk.Refused(q.Context(), q.refusedID())
	if err != nil {
		return err
	}
	wrong := map[string]catalog.Text{}
	for _, f := range faults {
		wrong[f.Field] = f.Text
	}
	lists := map[string]catalog.CodeList{}
	for _, f := range row.Fields {
		if list, ok := c.Desk.Catalog.CodeList(f.Codes); ok && f.Codes != "" {
			lists[f.Name] = list
		}
	}
	return q.Render("quarantine/row", map[string]any{"Row": row, "Typed": typed, "Faults": wrong, "Problem": problem, "Codes": lists})
}

// fixRow stages the row as the form has it. Fields that were left as they were are not a change.
func (c *Console) fixRow(q *Request) error {
	if err := q.readForm(); err != nil {
		return err
	}
	typed := map[string]string{}
	for name, values := range q.PostForm {
		if field, ok := strings.CutPrefix(name, "field/"); ok {
			typed[field] = values[0]
		}
	}
	fixed, faults, err := c.Desk.FixRow(q.Context(), q.refusedID(), typed)
	if len(faults) > 0 || fault.Is(err, fault.Invalid) {
		q.Status = http.StatusUnprocessableEntity
		return c.refusedForm(q, typed, faults, shownFault(err))
	}
	if err != nil {
		return err
	}
	if fixed.Reject != nil {
		reason := pick(c.Desk.Sentence(q.PathValue("dataset"), fixed.Reject.Reason), q.Lang)
		return q.See(address("/quarantine", q.PathValue("dataset")), q.Say("quarantine.refused.again", reason))
	}
	return q.See(address("/quarantine", q.PathValue("dataset")), q.Say("quarantine.fixed", q.Say("outcome."+fixed.Outcome)))
}

func (c *Console) strikeOut(q *Request) error {
	if _, err := c.Desk.StrikeOut(q.Context(), q.refusedID(), q.PostFormValue("reason")); err != nil {
		if fault.Is(err, fault.Invalid) {
			q.Status = http.StatusUnprocessableEntity
			return c.refusedForm(q, nil, nil, shownFault(err))
		}
		return err
	}
	return q.See(address("/quarantine", q.PathValue("dataset")), q.Say("quarantine.struck"))
}

func (c *Console) retryRefused(q *Request) error {
	w := desk.RefusedRows{Department: q.PostFormValue("department"), Reason: q.PostFormValue("reason")}
	if id := q.PostFormValue("dataset"); id != "" {
		w.Datasets = []string{id}
	}
	done, err := c.Desk.RetryRefused(q.Context(), w)
	if err != nil {
		return err
	}
	var open, taken int64
	for _, r := range done {
		open, taken = open+r.Open, taken+r.Accepted+r.Duplicate+r.Skipped
	}
	to := "/quarantine"
	if len(w.Datasets) > 0 {
		to = address(to, w.Datasets[0])
	}
	return q.See(to, q.Say("quarantine.retried", number(open), number(taken)))
}
