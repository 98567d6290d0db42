package console

import (
	"net/http"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/console/chart"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/internal/release"
)

func (c *Console) policyPages() []Page {
	return []Page{
		{Pattern: "GET /policies", Right: auth.PoliciesSee, Do: c.policies},
		{Pattern: "GET /proposals/policies", Right: auth.PoliciesSee, Do: c.policyProposals},
		{Pattern: "GET /proposals/policies/{id}", Right: auth.PoliciesSee, Do: c.policyProposal},
		{Pattern: "POST /proposals/policies/{id}/answer", Right: auth.PoliciesApprove, Do: c.answerPolicy},
		{Pattern: "POST /proposals/policies/{id}/withdraw", Right: auth.PoliciesPropose, Do: c.withdrawPolicy},
		{Pattern: "GET /policies/{id}", Right: auth.PoliciesSee, Do: c.onePolicy},
		{Pattern: "GET /policies/{id}/preview", Right: auth.PoliciesSee, Do: c.previewPolicy},
		{Pattern: "GET /policies/{id}/propose", Right: auth.PoliciesPropose, Do: c.writePolicy},
		{Pattern: "POST /policies/{id}/propose", Right: auth.PoliciesPropose, Do: c.proposePolicy, Body: 2 << 20},
	}
}

func (c *Console) policies(q *Request) error {
	open, err := c.Desk.Releases(q.Context(), release.Filter{Part: release.Policy, State: release.Proposed})
	if err != nil {
		return err
	}
	return q.Render("policies/list", map[string]any{"Policies": c.Desk.Catalog.Policies, "Open": open})
}

func (c *Console) onePolicy(q *Request) error {
	p, err := c.Desk.PolicyNamed(q.Context(), q.PathValue("id"))
	if err != nil {
		return err
	}
	history, err := c.Desk.Releases(q.Context(), release.Filter{Part: release.Policy, Subject: p.ID, Most: 20})
	if err != nil {
		return err
	}
	return q.Render("policies/one", map[string]any{"Policy": p, "Others": c.Desk.Catalog.Policies, "Releases": history})
}

// previewPolicy shows who would move to another policy, or to a proposal of one. Entities are named
// only to who may see their grades.
func (c *Console) previewPolicy(q *Request) error {
	query := q.URL.Query()
	from, err := c.Desk.PolicyNamed(q.Context(), q.PathValue("id"))
	if err != nil {
		return err
	}
	open, err := c.Desk.Releases(q.Context(), release.Filter{Part: release.Policy, Subject: from.ID, State: release.Proposed})
	if err != nil {
		return err
	}
	data := map[string]any{"Policy": from, "Others": c.Desk.Catalog.Policies, "Open": open, "To": query.Get("to"), "AsOf": query.Get("as_of"), "Purposed": q.purposeForm("", query)}
	if query.Get("to") == "" {
		return q.Render("policies/preview", data)
	}
	to, err := c.Desk.PolicyNamed(q.Context(), query.Get("to"))
	if err != nil {
		return err
	}
	asOf := catalog.NoDate
	if day := query.Get("as_of"); day != "" {
		if asOf, err = catalog.ParseDate(day); err != nil {
			return &fault.Error{Op: "preview", Code: fault.Invalid, Err: err, Hint: "give as_of as 2006-01-02"}
		}
	}
	purpose := ""
	if q.Actor.May(auth.GradesSee) {
		purpose = purposeOf(query)
	}
	p, err := c.Desk.LookAtPreview(q.Context(), from, to, asOf, 50, purpose)
	if fault.Is(err, fault.Invalid) {
		data["Fault"], q.Status = faultOf(err), http.StatusUnprocessableEntity
		return q.Render("policies/preview", data)
	}
	if err != nil {
		return err
	}
	data["Preview"], data["Matrix"] = p, q.previewMatrix(p)
	return q.Render("policies/preview", data)
}

func (q *Request) previewMatrix(p desk.PolicyPreview) chart.Picture {
	x := chart.Matrix{Title: q.say("policies.matrix"), Corner: q.say("policies.corner")}
	gone := q.say("policies.notgraded")
	x.Cols = append(append([]string{}, p.To.Grades...), gone)
	for i, row := range p.Matrix {
		name := gone
		if i < len(p.From.Grades) {
			name = p.From.Grades[i]
		}
		x.Rows = append(x.Rows, name)
		var cells []chart.Cell
		for j, n := range row {
			cell := chart.Cell{N: n, Shown: number(n), Same: name == x.Cols[j]}
			if n == 0 {
				cell.Shown = "·"
			}
			cells = append(cells, cell)
		}
		x.Cells = append(x.Cells, cells)
	}
	return x
}

func (c *Console) policyProposals(q *Request) error {
	return c.proposals(q, release.Policy, "policies/proposals")
}

func (c *Console) policyProposal(q *Request) error {
	return c.proposal(q, "policies/proposal", nil)
}

func (c *Console) answerPolicy(q *Request) error {
	return c.answer(q, release.Policy, "/proposals/policies", "policies/proposal")
}

func (c *Console) withdrawPolicy(q *Request) error {
	return c.withdraw(q, release.Policy, "/proposals/policies")
}

func (c *Console) writePolicy(q *Request) error {
	return c.writeNext(q, release.Policy, "policies/propose", nil)
}

func (c *Console) proposePolicy(q *Request) error {
	return c.proposeNext(q, release.Policy, "/proposals/policies", "policies/propose")
}
