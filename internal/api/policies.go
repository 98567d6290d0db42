package api

import (
	"context"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/desk"
)

// Comparison asks how everybody would move from one policy to another.
type Comparison struct {
	From    string `json:"from" minLength:"1" maxLength:"64" doc:"id of a policy"`
	To      string `json:"to" minLength:"1" maxLength:"64" doc:"id of another, or the number of a proposal"`
	AsOf    string `json:"as_of,omitempty" format:"date" doc:"empty: the last cut-off of the first"`
	Movers  int    `json:"movers,omitempty" minimum:"0" maximum:"200" default:"20" doc:"how many of those that move most"`
	Purpose string `json:"purpose,omitempty" maxLength:"220" doc:"what entities are named for; without it none is"`
}

func (a *API) policies() {
	const base, tag = "/v1/policies", "policies"
	get(a, op{Path: base, ID: "listPolicies", Tag: tag, Right: auth.PoliciesSee, Words: "Policies", ZH: "评价办法列表。"},
		func(ctx context.Context, _ *Empty) (List[PolicyLine], error) {
			out := listOf[PolicyLine](nil)
			for _, p := range a.Desk.Policies(ctx) {
				out.Items = append(out.Items, PolicyLine{ID: p.ID, Title: p.Title, Cycle: p.Cycle, AsOf: p.AsOf, Status: p.Status, Maker: p.Maker, SHA256: p.SHA256})
			}
			return out, nil
		})
	type compareInput struct{ Body Comparison }
	post(a, op{Path: base + "/preview", ID: "previewPolicy", Tag: tag, Right: auth.PoliciesSee, Words: "Grade everybody under two policies and tell who would move; nothing is published", ZH: "办法比对预览：变动矩阵，不发布。"},
		func(ctx context.Context, in *compareInput) (desk.PolicyPreview, error) {
			from, err := a.Desk.PolicyNamed(ctx, in.Body.From)
			if err != nil {
				return desk.PolicyPreview{}, err
			}
			to, err := a.Desk.PolicyNamed(ctx, in.Body.To)
			if err != nil {
				return desk.PolicyPreview{}, err
			}
			day := catalog.NoDate
			if in.Body.AsOf != "" {
				if day, err = catalog.ParseDate(in.Body.AsOf); err != nil {
					return desk.PolicyPreview{}, newProblem("invalid", "as_of is no date")
				}
			}
			return a.Desk.LookAtPreview(ctx, from, to, day, in.Body.Movers, in.Body.Purpose)
		})
}

// PolicyLine is a policy in the list.
type PolicyLine struct {
	ID     string       `json:"id"`
	Title  catalog.Text `json:"title"`
	Maker  catalog.Text `json:"maker"`
	Cycle  string       `json:"cycle" doc:"yearly or dynamic"`
	AsOf   string       `json:"as_of,omitempty" doc:"cut-off day of a yearly policy, MM-DD"`
	Status string       `json:"status" doc:"official or trial"`
	SHA256 string       `json:"sha256"`
}
