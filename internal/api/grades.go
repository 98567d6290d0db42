package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
)

// Statement is one statement about one entity under one policy. The hub writes it as it was
// published, cut to the caller's fields; this type only says in the document what it may hold.
type Statement struct {
	ID              string  `json:"id" doc:"policy/uscc/version: what a receiver keeps one record of" example:"henan-2020/91410000MA3X5ABC0X/3"`
	Kind            string  `json:"kind" enum:"grade,correction,retraction" doc:"A correction replaces an earlier statement of the same cut-off date; a retraction says that the result is no longer shared"`
	Change          string  `json:"change,omitempty" doc:"Why: new, changed, corrected, restated, retracted"`
	Version         int64   `json:"version" doc:"Only grows for a policy and entity; keep the greatest"`
	PreviousVersion int64   `json:"previous_version,omitempty"`
	Policy          string  `json:"policy" doc:"评价办法" example:"henan-2020"`
	Title           string  `json:"title,omitempty"`
	Evaluation      string  `json:"evaluation" doc:"public or industry evaluation"`
	Maker           string  `json:"maker" doc:"Who makes the result; to be named beside it"`
	Status          string  `json:"status" enum:"official,trial" doc:"A trial result is not official and must be shown so"`
	Trial           bool    `json:"trial,omitempty"`
	USCC            string  `json:"uscc" doc:"统一社会信用代码" example:"91410000MA3X5ABC0X"`
	Name            string  `json:"name,omitempty"`
	Category        string  `json:"category,omitempty"`
	Division        string  `json:"division,omitempty" doc:"行政区划代码"`
	Industry        string  `json:"industry,omitempty"`
	AsOf            string  `json:"as_of" format:"date" doc:"评价基准日"`
	CorrectedTo     string  `json:"corrected_to" format:"date" doc:"Repairs and upheld objections up to this day count"`
	Score           float64 `json:"score,omitempty" doc:"Points, at most two places"`
	Grade           string  `json:"grade,omitempty" doc:"信用等级"`
	Rank            int64   `json:"rank,omitempty" doc:"1 is the best grade"`
	Class           string  `json:"class,omitempty"`
	PreviousGrade   string  `json:"previous_grade,omitempty"`
	Wording         string  `json:"wording,omitempty" doc:"The notice's sentence about what the result is not; to be shown with it"`
	Seal            string  `json:"seal,omitempty" doc:"What the score can be repeated from"`
	Successor       string  `json:"successor,omitempty" doc:"Of a retraction: the code that the entity was merged into"`
}

// Grades is what is published about one entity.
type Grades struct {
	USCC   string            `json:"uscc"`
	Grades []json.RawMessage `json:"grades"`
}

// Schema describes the grades as statements.
func (Grades) Schema(r huma.Registry) *huma.Schema {
	return listed(r, "uscc", "grades")
}

type gradeInput struct {
	Purpose
	USCC   string `path:"uscc" minLength:"1" maxLength:"64" doc:"统一社会信用代码" example:"91410000MA3X5ABC0X"`
	Policy string `query:"policy" maxLength:"64" doc:"One policy; otherwise every one that the account's scope holds." example:"henan-2020"`
}

type gradesOutput struct {
	Body Grades
}

func (a *API) grades() {
	register(a, op{Method: http.MethodGet, Path: "/v1/grades/{uscc}", ID: "getGrades", Tag: "grades", Right: auth.GradesSee,
		Words: "What is published about one entity", ZH: "查询一个主体现行的评价结果。",
		More:     "A result that was withdrawn is answered 410. An entity outside the account's scope is answered 404, like one of which nothing is published. The query is kept with its purpose.",
		Problems: []int{http.StatusGone}},
		func(ctx context.Context, in *gradeInput) (*gradesOutput, error) {
			stated, err := a.Desk.Stated(ctx, in.USCC, in.Policy, in.named())
			if err != nil {
				return nil, err
			}
			return gradesOf(in.USCC, stated)
		})
}

// gradesOf answers with the results that stand; gone when all were withdrawn.
func gradesOf(uscc string, stated []desk.StatedGrade) (*gradesOutput, error) {
	out := &gradesOutput{Body: Grades{USCC: uscc, Grades: []json.RawMessage{}}}
	for _, g := range stated {
		if !g.Retracted {
			out.Body.Grades = append(out.Body.Grades, g.Body)
		}
	}
	if len(out.Body.Grades) > 0 {
		return out, nil
	}
	var body struct{ Successor string }
	_ = json.Unmarshal(stated[0].Body, &body) // made by this house; without a successor the answer says less
	p := newProblem("retracted", "the result is no longer shared; do not show what you hold")
	p.Successor = body.Successor
	return nil, p
}

var (
	statementType = reflect.TypeFor[Statement]()
	bookmarkType  = reflect.TypeFor[Bookmark]()
)

// listed is the schema of an object with a list of statements.
func listed(r huma.Registry, text, list string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Required: []string{text, list}, Properties: map[string]*huma.Schema{
		text: {Type: huma.TypeString},
		list: {Type: huma.TypeArray, Items: r.Schema(statementType, true, "Statement")},
	}}
}
