package api

import (
	"context"
	"time"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/desk"
)

// DatasetLine is a dataset in the catalogue with how new its data are.
type DatasetLine struct {
	ID     string         `json:"id"`
	Title  catalog.Text   `json:"title"`
	Family catalog.Text   `json:"family"`
	State  string         `json:"state" doc:"held, broken, late, never, fresh, free or unconnected"`
	Fresh  desk.Freshness `json:"fresh"`
	Last   *Run           `json:"last,omitempty"`
}

// OwnerDatasets are the datasets of one department or platform.
type OwnerDatasets struct {
	ID       string        `json:"id"`
	Title    catalog.Text  `json:"title"`
	Datasets []DatasetLine `json:"datasets" nullable:"false"`
}

// DatasetDetail is one dataset: its contract and how it is delivered.
type DatasetDetail struct {
	DatasetLine
	Owner    catalog.Text      `json:"owner"`
	Clause   string            `json:"clause,omitempty"`
	Contract any               `json:"contract" doc:"in the form of the catalogue's files: fields, types, keys, code lists, sensitivity"`
	Feeds    []desk.SourceFeed `json:"feeds"`
	Runs     []Run             `json:"runs" nullable:"false"`
	Accepted int64             `json:"accepted" doc:"rows held as accepted"`
}

func lineOf(f desk.FeedState, family catalog.Text) DatasetLine {
	return DatasetLine{ID: f.Dataset.ID, Title: f.Dataset.Title, Family: family, State: f.State, Fresh: f.Freshness, Last: lastRun(f.Last)}
}

// DatasetID names a dataset.
type DatasetID struct {
	Dataset string `path:"dataset" maxLength:"100" doc:"Id of the dataset." example:"amr.reg"`
}

func (a *API) catalogue() {
	const tag = "catalogue"
	type listInput struct {
		Text   string `query:"text" maxLength:"100" doc:"In id or title."`
		Owner  string `query:"owner" maxLength:"64" doc:"Of this department or platform."`
		Family string `query:"family" maxLength:"64" doc:"Of this family."`
		State  string `query:"state" enum:"held,broken,late,never,fresh,free,unconnected" doc:"Only in this state."`
	}
	get(a, op{Path: "/v1/catalogue", ID: "listDatasets", Tag: tag, Right: auth.CatalogueSee, Words: "Departments and platforms with their datasets", ZH: "目录：部门（平台）与数据集、新鲜程度。"},
		func(ctx context.Context, in *listInput) (List[OwnerDatasets], error) {
			owners, err := a.Desk.Catalogue(ctx, desk.Wanted{Text: in.Text, Owner: in.Owner, Family: in.Family, State: in.State})
			out := listOf[OwnerDatasets](nil)
			for _, o := range owners {
				one := OwnerDatasets{ID: o.ID, Title: o.Title, Datasets: []DatasetLine{}}
				for _, d := range o.Datasets {
					one.Datasets = append(one.Datasets, lineOf(d.FeedState, d.Family))
				}
				out.Items = append(out.Items, one)
			}
			return out, err
		})
	get(a, op{Path: "/v1/catalogue/{dataset}", ID: "getDataset", Tag: tag, Right: auth.CatalogueSee, Words: "One dataset: contract, freshness, quality, drift", ZH: "一个数据集：标准、新鲜度、质量与漂移。"},
		func(ctx context.Context, in *DatasetID) (DatasetDetail, error) {
			d, err := a.Desk.Dataset(ctx, in.Dataset)
			if err != nil {
				return DatasetDetail{}, err
			}
			contract, _ := a.Desk.Catalog.Show(in.Dataset)
			return DatasetDetail{DatasetLine: lineOf(d.FeedState, d.Family.Title), Owner: d.Owner, Clause: d.Clause, Contract: contract, Feeds: d.Feeds,
				Runs: runsOf(d.Runs).Items, Accepted: d.Accepted}, nil
		})
	type profileInput struct {
		DatasetID
		Run string `query:"run" maxLength:"100" doc:"What this run brought; empty: the newest."`
	}
	get(a, op{Path: "/v1/catalogue/{dataset}/profile", ID: "getProfile", Tag: tag, Right: auth.CatalogueSee, Words: "Profile of each field of a dataset", ZH: "字段概况：空值、取值数、最大最小与常见值。"},
		func(ctx context.Context, in *profileInput) (desk.Profile, error) {
			return a.Desk.Profile(ctx, in.Dataset, in.Run)
		})
	get(a, op{Path: "/v1/catalogue/{dataset}/lineage", ID: "getLineage", Tag: tag, Right: auth.CatalogueSee, Words: "Which indicators the fields of a dataset feed", ZH: "血缘：字段影响哪些评价指标。"},
		func(ctx context.Context, in *DatasetID) (desk.Lineage, error) {
			return a.Desk.Lineage(ctx, in.Dataset)
		})
	type originInput struct {
		Policy    string `path:"policy" maxLength:"64" doc:"Id of the policy." example:"henan-2020"`
		Indicator string `path:"indicator" maxLength:"64" doc:"Id of the indicator." example:"O1"`
	}
	get(a, op{Path: "/v1/policies/{policy}/indicators/{indicator}/origin", ID: "getIndicatorOrigin", Tag: "policies", Right: auth.CatalogueSee, Words: "Where an indicator comes from", ZH: "血缘：一个指标来自哪些数据集与字段。"},
		func(ctx context.Context, in *originInput) (desk.Origin, error) {
			return a.Desk.IndicatorOrigin(ctx, in.Policy, in.Indicator)
		})
	a.formsOfOthers()
	a.proposals()
}

// Overview is how the hub stands.
type Overview struct {
	At       time.Time           `json:"at"`
	Datasets map[string]int      `json:"datasets" doc:"by state"`
	Waiting  []Waiting           `json:"waiting" nullable:"false" doc:"what waits for a person, as far as the caller may see to it"`
	Rows     Ledger              `json:"rows" doc:"of the days asked for"`
	Records  int64               `json:"records" doc:"credit records and marks settled"`
	Entities int64               `json:"entities" doc:"graded"`
	Grades   []desk.Distribution `json:"grades"`
	Last     []Run               `json:"last" nullable:"false" doc:"newest runs"`
}

// Waiting is one kind of thing that waits for a person.
type Waiting struct {
	What  string `json:"what" doc:"broken, held, late, alerts, tasks, cases, quarantine and the like"`
	Count int64  `json:"count"`

	Counting int `json:"counting,omitempty" doc:"datasets that are being counted just now: there may be more than count"`
}

func (a *API) overview() {
	type input struct {
		Days int `query:"days" minimum:"1" maximum:"180" default:"1" doc:"Of how many days rows are counted."`
	}
	get(a, op{Path: "/v1/overview", ID: "getOverview", Tag: "overview", Right: auth.OverviewSee, Words: "How the hub stands", ZH: "总览：新鲜程度、今日行数、等级与最近运行。"},
		func(ctx context.Context, in *input) (Overview, error) {
			o, err := a.Desk.Overview(ctx, in.Days)
			waiting := []Waiting{}
			for _, t := range o.Waiting {
				waiting = append(waiting, Waiting{What: t.What, Count: t.Count, Counting: t.Counting})
			}
			return Overview{At: a.Now().UTC(), Datasets: o.Tally, Waiting: waiting, Rows: Ledger(o.Road.Rows), Records: o.Road.Records, Entities: o.Road.Entities,
				Grades: o.Grades, Last: runsOf(o.Last).Items}, err
		})
}
