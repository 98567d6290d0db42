package api

import (
	"context"
	"net/http"
	"time"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/desk"
	"xinshu/pipelines/schedule"
)

// Source is a source with how its data stand.
type Source struct {
	desk.Connection
	Owners []string     `json:"owners" doc:"departments and platforms of its datasets"`
	State  string       `json:"state" doc:"broken, held, late, never, fresh or free"`
	Wanted int          `json:"wanted" doc:"datasets that are broken, held or late"`
	RowsOn catalog.Date `json:"rows_on" doc:"day of its newest rows"`
	Last   *Run         `json:"last,omitempty" doc:"its newest pull"`
	Next   *time.Time   `json:"next,omitempty" doc:"when a schedule pulls from it next"`
}

// SourceFeed is one dataset of a source.
type SourceFeed struct {
	Dataset string         `json:"dataset"`
	Title   catalog.Text   `json:"title"`
	State   string         `json:"state"`
	Fresh   desk.Freshness `json:"fresh"`
	Feed    chain.Feed     `json:"feed" doc:"what is remembered of its way of delivering: usual counts, hold, drift"`
	Last    *Run           `json:"last,omitempty"`
}

// Draft is a connection as somebody fills it in.
type Draft struct {
	ID        string                       `json:"id" minLength:"1" maxLength:"64" doc:"as people name it" example:"court"`
	Kind      string                       `json:"kind" minLength:"1" maxLength:"64" doc:"kind of connector" example:"restapi"`
	Values    map[string]string            `json:"values" doc:"by setting; a secret left empty keeps what is kept"`
	Datasets  map[string]map[string]string `json:"datasets,omitempty" doc:"of a source: by dataset id the settings of the job"`
	Forget    []string                     `json:"forget,omitempty" maxItems:"100" doc:"places of secrets that are to be kept no longer"`
	Collected string                       `json:"collected,omitempty" maxLength:"10" doc:"of a source: collection date of the stock that the first load brings"`
	Limits    desk.Limits                  `json:"limits,omitzero" doc:"of a target: what it may get"`
}

func (d Draft) desk(role string, version int64) desk.Draft {
	return desk.Draft{Role: role, ID: d.ID, Kind: d.Kind, Values: d.Values, Datasets: d.Datasets, Forget: d.Forget, Collected: d.Collected, Limits: d.Limits, Version: version}
}

// TryInput asks to reach a connection and look at first rows; nothing is kept.
type TryInput struct {
	Connection Draft    `json:"connection"`
	Datasets   []string `json:"datasets,omitempty" maxItems:"20" doc:"of which rows are wanted"`
	Rows       int      `json:"rows,omitempty" minimum:"1" maximum:"50" default:"10"`
}

// TrySavedInput asks the same of a saved connection.
type TrySavedInput struct {
	Datasets []string `json:"datasets,omitempty" maxItems:"20"`
	Rows     int      `json:"rows,omitempty" minimum:"1" maximum:"50" default:"10"`
}

func (a *API) sources() {
	a.connections("sources", "Source", desk.SourceRole, auth.SourcesSee, auth.SourcesChange)
	get(a, op{Path: "/v1/sources", ID: "listSources", Tag: "sources", Right: auth.SourcesSee, Words: "Sources and how their data stand", ZH: "数据来源及其数据的新鲜程度。"},
		func(ctx context.Context, _ *Empty) (List[Source], error) {
			lines, err := a.Desk.Sources(ctx)
			out := listOf[Source](nil)
			for _, l := range lines {
				s := Source{Connection: l.Connection, Owners: l.Owners, State: l.State, Wanted: l.Wanted, RowsOn: l.RowsOn, Last: lastRun(l.Last)}
				if !l.Next.IsZero() {
					s.Next = &l.Next
				}
				out.Items = append(out.Items, s)
			}
			return out, err
		})
	get(a, op{Path: "/v1/sources/{id}/feeds", ID: "listSourceFeeds", Tag: "sources", Right: auth.SourcesSee, Words: "The datasets of a source, with holds and drift", ZH: "一个来源的各数据集：新鲜度、暂挂与漂移。"},
		func(ctx context.Context, in *ByID) (List[SourceFeed], error) {
			feeds, err := a.Desk.Feeds(ctx, in.ID)
			out := listOf[SourceFeed](nil)
			for _, f := range feeds {
				out.Items = append(out.Items, SourceFeed{Dataset: f.Dataset.ID, Title: f.Dataset.Title, State: f.State, Fresh: f.Fresh, Feed: f.Feed, Last: lastRun(f.Last)})
			}
			return out, err
		})
	type historyInput struct {
		ByID
		Dataset string `query:"dataset" maxLength:"100" doc:"Only pulls of this dataset."`
		Limit   int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"At most so many."`
	}
	get(a, op{Path: "/v1/sources/{id}/runs", ID: "listSourceRuns", Tag: "sources", Right: auth.SourcesSee, Words: "The newest pulls of a source, with ledgers", ZH: "一个来源最近的拉取记录与收支账。"},
		func(ctx context.Context, in *historyInput) (List[Run], error) {
			runs, err := a.Desk.SourceHistory(ctx, in.ID, in.Dataset, in.Limit)
			return runsOf(runs), err
		})
	type releaseInput struct {
		ByID
		Dataset string `path:"dataset" maxLength:"100" doc:"Id of the dataset."`
		Body    Reason
	}
	post(a, op{Path: "/v1/sources/{id}/feeds/{dataset}/release", ID: "releaseFeed", Tag: "sources", Right: auth.FeedsRelease, Words: "End a feed's hold", ZH: "解除一个数据集的暂挂：此后，来源未再提供的记录视为消失。"},
		func(ctx context.Context, in *releaseInput) (chain.Ended, error) {
			return a.Desk.ReleaseFeed(ctx, in.ID, in.Dataset, in.Body.Reason)
		})
	type startInput struct{ Body schedule.Work }
	post(a, op{Path: "/v1/tasks", ID: "startTask", Tag: "tasks", Right: auth.RunsStart, Status: http.StatusCreated, Words: "Queue a piece of work", ZH: "立即执行：拉取、重新读取、补数（backfill）或整个流程。",
		More: "With `again` a stretch of the source's watermark is read once more (backfill); with `reload` the source is read from its beginning."},
		func(ctx context.Context, in *startInput) (schedule.Task, error) { return a.Desk.Start(ctx, in.Body) })
}

func lastRun(r chain.Run) *Run {
	if r.ID == "" {
		return nil
	}
	run := runOf(r)
	return &run
}

func runsOf(runs []chain.Run) List[Run] {
	out := listOf[Run](nil)
	for _, r := range runs {
		out.Items = append(out.Items, runOf(r))
	}
	return out
}
