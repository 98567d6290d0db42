package api

import (
	"context"
	"time"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/desk"
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

func (a *API) runs() {
	type listInput struct {
		Paged
		Step    string `query:"step" maxLength:"32" doc:"Only runs of this step."`
		Status  string `query:"status" maxLength:"32" doc:"Only runs with this status."`
		Source  string `query:"source" maxLength:"64" doc:"Only pulls from this source."`
		Subject string `query:"subject" maxLength:"100" doc:"Only runs of this dataset, policy or target."`
		Day     string `query:"day" format:"date" doc:"Only runs that began on this day."`
	}
	pages(a, op{Path: "/v1/runs", ID: "listRuns", Tag: "runs", Right: auth.RunsSee, Words: "Runs with their ledgers, the newest first", ZH: "运行记录与收支账，最新在前。"},
		func(ctx context.Context, in *listInput, after string, most int) ([]Run, string, error) {
			w := desk.RunsWanted{Step: in.Step, Status: in.Status, Source: in.Source, Subject: in.Subject, After: after, Most: most}
			if in.Day != "" {
				day, err := catalog.ParseDate(in.Day)
				if err != nil {
					return nil, "", newProblem("invalid", "the day is no date")
				}
				w.Day = day
			}
			p, err := a.Desk.RunPage(ctx, w)
			return runsOf(p.Runs).Items, p.Next, err
		})
	get(a, op{Path: "/v1/runs/{id}", ID: "getRun", Tag: "runs", Right: auth.RunsSee, Words: "One run with its ledger", ZH: "一次运行及其收支账。"},
		func(ctx context.Context, in *ByID) (Run, error) {
			r, err := a.Desk.Run(ctx, in.ID)
			return runOf(r), err
		})
}

func runOf(r chain.Run) Run {
	out := Run{ID: r.ID, Step: r.Step, Subject: r.Subject, Status: r.Status, Started: r.Started, Error: r.Error, Ledger: Ledger(r.Ledger)}
	if !r.Ended.IsZero() {
		out.Ended = &r.Ended
	}
	return out
}
