package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"xinshu/internal/auth"
)

// Run is a step that the hub did.
type Run struct {
	ID      string    `json:"id"`
	Step    string    `json:"step" doc:"pull, settle, score, publish or push"`
	Subject string    `json:"subject" doc:"dataset, policy or target"`
	Status  string    `json:"status" enum:"running,done,failed,interrupted"`
	Started time.Time `json:"started"`
}

type runsInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

type runsOutput struct {
	Body struct {
		Items []Run `json:"items"`
	}
}

func (a *API) runs() {
	register(a, huma.Operation{Method: http.MethodGet, Path: "/v1/runs", OperationID: "listRuns", Summary: "Runs, the newest first", Tags: []string{"runs"}}, auth.RunsSee,
		func(ctx context.Context, in *runsInput) (*runsOutput, error) {
			runs, err := a.Desk.Runs(ctx, in.Limit)
			if err != nil {
				return nil, err
			}
			out := &runsOutput{}
			out.Body.Items = []Run{}
			for _, r := range runs {
				out.Body.Items = append(out.Body.Items, Run{ID: r.ID, Step: r.Step, Subject: r.Subject, Status: r.Status, Started: r.Started})
			}
			return out, nil
		})
}

// register adds one operation with its right.
func register[I, O any](a *API, op huma.Operation, right auth.Right, do func(context.Context, *I) (*O, error)) {
	a.all = append(a.all, Operation{Method: op.Method, Path: op.Path, Right: right})
	op.Middlewares = a.guard(right)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, problem(err)
		}
		return out, nil
	})
}
