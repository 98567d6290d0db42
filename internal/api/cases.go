package api

import (
	"context"
	"net/http"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/cases"
	"xinshu/internal/desk"
	"xinshu/internal/explain"
)

// Application is an objection, a repair or a completion as it is applied for.
type Application struct {
	Kind       cases.Kind   `json:"kind" enum:"objection,repair,completion"`
	USCC       string       `json:"uscc" minLength:"1" maxLength:"64" example:"91410000MA3X5ABC0X"`
	Target     cases.Target `json:"target" doc:"the record that is meant"`
	Policy     string       `json:"policy,omitempty" maxLength:"64" doc:"the evaluation whose result is contested; empty: any"`
	Way        string       `json:"way,omitempty" enum:",platform,department,site,province"`
	Claim      string       `json:"claim" minLength:"1" maxLength:"4000"`
	Evidence   []cases.Item `json:"evidence,omitempty" maxItems:"100"`
	ReceivedOn string       `json:"received_on,omitempty" format:"date" doc:"day 0 of the clock; empty: today"`
	Accept     bool         `json:"accept,omitempty" doc:"take it up at once"`
}

// Step is one step of a case.
type Step struct {
	Do       string          `json:"do" enum:"accept,refuse,ask,decide,confirm,return,correct,close" doc:"correct queues what an upheld case makes necessary once more"`
	Reason   string          `json:"reason,omitempty" maxLength:"4000"`
	Decision *cases.Decision `json:"decision,omitempty" doc:"of decide"`
}

// Brought is what comes from the side of the applicant.
type Brought struct {
	Do       string       `json:"do" enum:"supply,withdraw" doc:"bring papers that were asked for, or take the application back"`
	Reason   string       `json:"reason,omitempty" maxLength:"4000"`
	Evidence []cases.Item `json:"evidence,omitempty" maxItems:"100"`
}

func (a *API) cases() {
	const base, one, tag = "/v1/cases", "/v1/cases/{id}", "cases"
	type listInput struct {
		Paged
		Undecided bool        `query:"undecided" doc:"Only those whose clock runs."`
		Kind      cases.Kind  `query:"kind" enum:"objection,repair,completion" doc:"Only of this kind."`
		State     cases.State `query:"state" maxLength:"32" doc:"Only in this state."`
		USCC      string      `query:"uscc" maxLength:"64" doc:"Only about this code."`
		Dataset   []string    `query:"dataset" maxItems:"200" doc:"Only about records of these datasets."`
	}
	pages(a, op{Path: base, ID: "listCases", Tag: tag, Right: auth.CasesSee, Words: "Cases with their clocks", ZH: "异议、修复与补充案件及办理时限。"},
		func(ctx context.Context, in *listInput, after string, most int) ([]desk.CaseLine, string, error) {
			lines, err := a.Desk.Cases(ctx, cases.Filter{Undecided: in.Undecided, Kind: in.Kind, State: in.State, USCC: in.USCC, Datasets: in.Dataset, Before: after, Most: most + 1})
			if err != nil || len(lines) <= most {
				return lines, "", err
			}
			return lines[:most], lines[most-1].No, nil
		})
	get(a, op{Path: one, ID: "getCase", Tag: tag, Right: auth.CasesSee, Words: "One case: record, marks, history, results", ZH: "一个案件：记录、标记、经过与结果。"},
		func(ctx context.Context, in *ByID) (desk.CaseView, error) { return a.Desk.Case(ctx, in.ID) })
	type openInput struct{ Body Application }
	post(a, op{Path: base, ID: "openCase", Tag: tag, Right: auth.CasesOpen, Status: http.StatusCreated, Words: "Register an application", ZH: "登记申请。"},
		func(ctx context.Context, in *openInput) (desk.CaseView, error) {
			b := in.Body
			c := cases.Case{Kind: b.Kind, USCC: b.USCC, Target: b.Target, Policy: b.Policy, Way: b.Way, Claim: b.Claim, Evidence: b.Evidence, ReceivedOn: a.Desk.Today()}
			if b.ReceivedOn != "" {
				day, err := catalog.ParseDate(b.ReceivedOn)
				if err != nil {
					return desk.CaseView{}, newProblem("invalid", "received_on is no date")
				}
				c.ReceivedOn = day
			}
			return a.Desk.OpenCase(ctx, c, b.Accept)
		})
	type recordsInput struct {
		USCC string     `query:"uscc" required:"true" minLength:"18" maxLength:"18" doc:"统一社会信用代码。Of this entity."`
		Kind cases.Kind `query:"kind" enum:"objection,repair,completion" default:"objection" doc:"What is applied for; it is what the records are looked at for."`
	}
	get(a, op{Path: base + "/records", ID: "listContestable", Tag: tag, Right: auth.CasesOpen, Words: "The records of an entity that an application may be about", ZH: "可申请异议或修复的记录。"},
		func(ctx context.Context, in *recordsInput) (List[explain.Record], error) {
			_, records, err := a.Desk.Contestable(ctx, in.USCC, in.Kind)
			return listOf(records), err
		})
	type stepInput struct {
		ByID
		Body Step
	}
	work := func(ctx context.Context, in *stepInput) (desk.CaseView, error) {
		step := desk.CaseStep{Do: in.Body.Do, Reason: in.Body.Reason, Queue: true}
		if in.Body.Decision != nil {
			step.Decision = *in.Body.Decision
		}
		return a.Desk.WorkCase(ctx, in.ID, step)
	}
	post(a, op{Path: one + "/steps", ID: "workCase", Tag: tag, Right: auth.CasesDecide, Words: "Take a step in a case: accept, refuse, decide, confirm, close", ZH: "办理案件：受理、不予受理、决定、复核、办结等。"}, work)
	type bringInput struct {
		ByID
		Body Brought
	}
	post(a, op{Path: one + "/bring", ID: "bringToCase", Tag: tag, Right: auth.CasesOpen, Words: "Bring the papers that were asked for, or take an application back", ZH: "补充材料或撤回申请。"},
		func(ctx context.Context, in *bringInput) (desk.CaseView, error) {
			return a.Desk.WorkCase(ctx, in.ID, desk.CaseStep{Do: in.Body.Do, Reason: in.Body.Reason, Evidence: in.Body.Evidence})
		})
	get(a, op{Path: "/v1/marks/waiting", ID: "listWaitingMarks", Tag: tag, Right: auth.CasesSee, Words: "Marks that wait for their record", ZH: "尚未找到对应记录的标记。"},
		func(ctx context.Context, _ *Empty) (List[explain.Mark], error) {
			marks, err := a.Desk.Orphans(ctx)
			return listOf(marks), err
		})
}
