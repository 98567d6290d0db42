package api

import (
	"context"
	"net/http"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/chain"
)

// Run is a step that the hub did.
type Run struct {
	ID      string     `json:"id"`
	Step    string     `json:"step" doc:"pull, settle, score, publish, push or receive" example:"pull"`
	Subject string     `json:"subject" doc:"dataset, policy or target" example:"amr.reg"`
	Status  string     `json:"status" enum:"running,done,failed,interrupted"`
	Started time.Time  `json:"started"`
	Ended   *time.Time `json:"ended,omitempty"`
	Error   string     `json:"error,omitempty"`
	Ledger  Ledger     `json:"ledger"`
}

// Ledger accounts for every row read: read = accepted + duplicate + quarantined + skipped.
type Ledger struct {
	Declared    *int64 `json:"declared,omitempty" doc:"What the source says it has"`
	Read        int64  `json:"read"`
	Accepted    int64  `json:"accepted"`
	Duplicate   int64  `json:"duplicate"`
	Quarantined int64  `json:"quarantined"`
	Skipped     int64  `json:"skipped" doc:"Rows about natural persons: counted, not stored"`
}

type runsInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"At most so many."`
}

type runsOutput struct {
	Body struct {
		Items []Run `json:"items"`
	}
}

func (a *API) runs() {
	register(a, op{Method: http.MethodGet, Path: "/v1/runs", ID: "listRuns", Tag: "runs", Right: auth.RunsSee,
		Words: "Runs, the newest first", ZH: "运行记录，最新在前。"},
		func(ctx context.Context, in *runsInput) (*runsOutput, error) {
			runs, err := a.Desk.Runs(ctx, in.Limit)
			if err != nil {
				return nil, err
			}
			out := &runsOutput{}
			out.Body.Items = []Run{}
			for _, r := range runs {
				out.Body.Items = append(out.Body.Items, runOf(r))
			}
			return out, nil
		})
}

func runOf(r chain.Run) Run {
	out := Run{ID: r.ID, Step: r.Step, Subject: r.Subject, Status: r.Status, Started: r.Started, Error: r.Error, Ledger: Ledger(r.Ledger)}
	if !r.Ended.IsZero() {
		out.Ended = &r.Ended
	}
	return out
}
