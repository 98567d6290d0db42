package api

import (
	"context"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/results"
)

func (a *API) lookup() {
	const tag = "explanations"
	type searchInput struct {
		Purpose
		Paged
		Text string `query:"text" required:"true" minLength:"2" maxLength:"100" doc:"A code, its beginning, or part of a name." example:"龙江"`
	}
	pages(a, op{Path: "/v1/entities", ID: "searchEntities", Tag: tag, Right: auth.GradesSee, Words: "Entities by code or name, with their newest grades", ZH: "按代码或名称查找主体。"},
		func(ctx context.Context, in *searchInput, after string, most int) ([]desk.Hit, string, error) {
			found, err := a.Desk.Search(ctx, desk.Search{Text: in.Text, Purpose: in.named(), After: after, Most: min(most, 100)})
			return found.Hits, found.Next, err
		})
	type explainInput struct {
		Purpose
		USCC   string `path:"uscc" minLength:"1" maxLength:"64" doc:"统一社会信用代码" example:"91410000MA3X5ABC0X"`
		Policy string `path:"policy" maxLength:"64" doc:"Id of the policy." example:"henan-2020"`
		AsOf   string `query:"as_of" format:"date" doc:"Cut-off date of the result; empty: the newest."`
	}
	get(a, op{Path: "/v1/entities/{uscc}/explanations/{policy}", ID: "explainGrade", Tag: tag, Right: auth.GradesSee, Words: "Why an entity has its grade: every point to record and clause", ZH: "等级说明：逐项得分、依据的记录与条款、历次结果、下次变化日。"},
		func(ctx context.Context, in *explainInput) (desk.Explained, error) {
			day := catalog.NoDate
			if in.AsOf != "" {
				var err error
				if day, err = catalog.ParseDate(in.AsOf); err != nil {
					return desk.Explained{}, newProblem("invalid", "as_of is no date")
				}
			}
			return a.Desk.Explain(ctx, desk.Asked{USCC: in.USCC, Policy: in.Policy, AsOf: day, Purpose: in.named()})
		})
	type toldInput struct {
		Purpose
		USCC string `path:"uscc" minLength:"1" maxLength:"64" doc:"统一社会信用代码" example:"91410000MA3X5ABC0X"`
	}
	get(a, op{Path: "/v1/entities/{uscc}/deliveries", ID: "listEntityDeliveries", Tag: tag, Right: auth.DeliveriesSee, Words: "What each target was told of an entity", ZH: "一个主体的推送记录。"},
		func(ctx context.Context, in *toldInput) (List[Told], error) {
			all, err := a.Desk.ToldOf(ctx, in.USCC, in.named())
			out := listOf[Told](nil)
			for _, t := range all {
				out.Items = append(out.Items, toldOf(t))
			}
			return out, err
		})
	type policyInput struct {
		Policy string `path:"policy" maxLength:"64" doc:"Id of the policy." example:"henan-2020"`
	}
	get(a, op{Path: "/v1/policies/{policy}/distribution", ID: "countGrades", Tag: "policies", Right: auth.GradesSum, Words: "How many entities have which grade", ZH: "等级分布：按等级、地区与行业。"},
		func(ctx context.Context, in *policyInput) (desk.Distribution, error) {
			return a.Desk.Distribution(ctx, in.Policy)
		})
	get(a, op{Path: "/v1/distributions", ID: "listDistributions", Tag: "policies", Right: auth.GradesSum, Words: "How many entities have which grade, under every policy", ZH: "各评价办法的等级分布。"},
		func(ctx context.Context, _ *Empty) (List[desk.Distribution], error) {
			out := listOf[desk.Distribution](nil)
			for _, p := range a.Desk.Policies(ctx) {
				d, err := a.Desk.Distribution(ctx, p.ID)
				if err != nil {
					return out, err
				}
				out.Items = append(out.Items, d)
			}
			return out, nil
		})
	get(a, op{Path: "/v1/policies/{policy}/releases", ID: "listReleases", Tag: "policies", Right: auth.GradesSum, Words: "What was published under a policy, the newest first", ZH: "历次发布。"},
		func(ctx context.Context, in *policyInput) (List[results.Release], error) {
			d, err := a.Desk.Distribution(ctx, in.Policy)
			return listOf(d.Releases), err
		})
	type movementInput struct {
		Policy string `path:"policy" maxLength:"64" doc:"Id of the policy." example:"henan-2020"`
		From   int64  `query:"from" minimum:"0" doc:"Number of the earlier release; 0 and 0: the last two."`
		To     int64  `query:"to" minimum:"0" doc:"Number of the later release."`
	}
	get(a, op{Path: "/v1/policies/{policy}/movement", ID: "compareReleases", Tag: "policies", Right: auth.GradesSum, Words: "How entities moved between two releases", ZH: "两次发布之间的等级变动矩阵。"},
		func(ctx context.Context, in *movementInput) (desk.Movement, error) {
			return a.Desk.Movement(ctx, in.Policy, in.From, in.To)
		})
	type moversInput struct {
		Purpose
		Paged
		Policy    string `path:"policy" maxLength:"64" doc:"Id of the policy." example:"henan-2020"`
		From      int64  `query:"from" required:"true" minimum:"0" doc:"Number of the earlier release."`
		To        int64  `query:"to" required:"true" minimum:"1" doc:"Number of the later release."`
		GradeFrom string `query:"grade_from" maxLength:"20" doc:"Grade in the earlier release; empty: not graded."`
		GradeTo   string `query:"grade_to" maxLength:"20" doc:"Grade in the later release; empty: not graded."`
	}
	pages(a, op{Path: "/v1/policies/{policy}/movers", ID: "listMovers", Tag: "policies", Right: auth.GradesSee, Words: "Who moved from one grade to another", ZH: "等级变动的主体名单。"},
		func(ctx context.Context, in *moversInput, after string, most int) ([]results.Statement, string, error) {
			m, err := a.Desk.Movers(ctx, desk.Moving{Policy: in.Policy, Purpose: in.named(), From: in.From, To: in.To, GradeFrom: in.GradeFrom, GradeTo: in.GradeTo, After: after, Most: min(most, 100)})
			return m.Entities, m.Next, err
		})
}
