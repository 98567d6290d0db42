package api

import (
	"context"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/release"
)

// CatalogueFile is the text of one file of the catalogue.
type CatalogueFile struct {
	File string `json:"file" example:"datasets/court/debtor.yaml"`
	Text string `json:"text" doc:"YAML, as it is in force or approved: what a next one is written over"`
}

// ProposalIn is the next text of one file of the catalogue.
type ProposalIn struct {
	File    string `json:"file" minLength:"1" maxLength:"200" doc:"of the catalogue: datasets/<owner>/<name>.yaml of a contract, policies/<id>.yaml of a policy" example:"datasets/court/debtor.yaml"`
	Text    string `json:"text" minLength:"1" maxLength:"200000"`
	Note    string `json:"note" minLength:"1" maxLength:"1000" doc:"why"`
	InForce string `json:"in_force,omitempty" format:"date" doc:"empty: today"`
}

// AnswerIn is what a second person says to a proposal.
type AnswerIn struct {
	Answer release.State `json:"answer" enum:"approved,refused"`
	Reason string        `json:"reason,omitempty" maxLength:"1000"`
}

func (a *API) proposals() {
	const base, tag = "/v1/proposals", "proposals"
	type listInput struct {
		Paged
		Part    release.Part  `query:"part" maxLength:"32" doc:"Contracts or policies only."`
		Subject string        `query:"subject" maxLength:"100" doc:"Of this dataset or policy."`
		State   release.State `query:"state" enum:"proposed,approved,refused,withdrawn" doc:"Only in this state."`
	}
	pages(a, op{Path: base, ID: "listProposals", Tag: tag, Right: auth.CatalogueSee, Words: "Proposals for contracts and policies", ZH: "数据标准与评价办法的变更提案。"},
		func(ctx context.Context, in *listInput, after string, most int) ([]release.Proposal, string, error) {
			all, err := a.Desk.Releases(ctx, release.Filter{Part: in.Part, Subject: in.Subject, State: in.State, Before: after, Most: most + 1})
			if err != nil || len(all) <= most {
				return all, "", err
			}
			return all[:most], all[most-1].ID, nil
		})
	get(a, op{Path: base + "/{id}", ID: "getProposal", Tag: tag, Right: auth.CatalogueSee, Words: "One proposal with what it changes", ZH: "一个提案及其改动。"},
		func(ctx context.Context, in *ByID) (desk.ReleaseView, error) { return a.Desk.Release(ctx, in.ID) })
	a.proposalsOf(release.Contract, "/contracts", "Contract", "contract", "数据标准", auth.CataloguePropose, auth.CatalogueApprove)
	a.proposalsOf(release.Policy, "/policies", "Policy", "policy", "评价办法", auth.PoliciesPropose, auth.PoliciesApprove)
	type contractInput struct{ DatasetID }
	get(a, op{Path: "/v1/catalogue/{dataset}/text", ID: "getContractText", Tag: tag, Right: auth.CataloguePropose, Words: "The text over which a contract's next one is written", ZH: "数据标准的文本，供提出变更。"},
		func(ctx context.Context, in *contractInput) (CatalogueFile, error) {
			return a.text(ctx, release.Contract, in.Dataset)
		})
	type policyInput struct {
		Policy string `path:"policy" maxLength:"64" doc:"Id of the policy." example:"henan-2020"`
	}
	get(a, op{Path: "/v1/policies/{policy}/text", ID: "getPolicyText", Tag: tag, Right: auth.PoliciesPropose, Words: "The text over which a policy's next one is written", ZH: "评价办法的文本，供提出变更。"},
		func(ctx context.Context, in *policyInput) (CatalogueFile, error) {
			return a.text(ctx, release.Policy, in.Policy)
		})
}

func (a *API) text(ctx context.Context, part release.Part, subject string) (CatalogueFile, error) {
	file, text, err := a.Desk.CatalogueText(ctx, part, subject)
	return CatalogueFile{file, string(text)}, err
}

// proposalsOf adds what is done with proposals of one part. Contracts and policies have rights of
// their own: who may propose one may also take his own back.
func (a *API) proposalsOf(part release.Part, under, name, en, zh string, propose, approve auth.Right) {
	const tag = "proposals"
	base := "/v1/proposals" + under
	type proposeInput struct{ Body ProposalIn }
	post(a, op{Path: base, ID: "propose" + name, Tag: tag, Right: propose, Body: 1 << 20, Status: 201, Words: "Propose the next text of a " + en, ZH: "提出" + zh + "的变更。"},
		func(ctx context.Context, in *proposeInput) (desk.ReleaseView, error) {
			day := catalog.NoDate // today
			if in.Body.InForce != "" {
				var err error
				if day, err = catalog.ParseDate(in.Body.InForce); err != nil {
					return desk.ReleaseView{}, newProblem("invalid", "in_force is no date")
				}
			}
			return a.Desk.ProposeRelease(ctx, part, in.Body.File, []byte(in.Body.Text), in.Body.Note, day)
		})
	type answerInput struct {
		ByID
		Body AnswerIn
	}
	post(a, op{Path: base + "/{id}/answer", ID: "answer" + name, Tag: tag, Right: approve, Words: "Approve or refuse the change of a " + en + "; never one's own", ZH: "审批" + zh + "的变更；不得审批自己的提案。"},
		func(ctx context.Context, in *answerInput) (desk.ReleaseView, error) {
			return a.Desk.AnswerRelease(ctx, part, in.ID, in.Body.Answer, in.Body.Reason)
		})
	post(a, op{Path: base + "/{id}/withdraw", ID: "withdraw" + name, Tag: tag, Right: propose, Words: "Take one's own proposal for a " + en + " back", ZH: "撤回自己提出的" + zh + "变更。"},
		func(ctx context.Context, in *ByID) (desk.ReleaseView, error) {
			return a.Desk.AnswerRelease(ctx, part, in.ID, release.Withdrawn, "")
		})
}
