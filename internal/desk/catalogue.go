package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/state"
	"xinshu/pipelines/stage"
)

// Wanted narrows the list of datasets. Empty members do not.
type Wanted struct {
	Text   string // in id or title
	Owner  string
	Family string
	State  string // held, broken, late, never, fresh, free, unconnected
}

// Unconnected is the state of a dataset that no source brings.
const Unconnected = "unconnected"

// OwnerDatasets are a department's or a platform's datasets in the catalogue.
type OwnerDatasets struct {
	ID       string        `json:"id"`
	Title    catalog.Text  `json:"title"`
	Sector   catalog.Text  `json:"sector,omitzero"`
	Datasets []DatasetLine `json:"datasets"`
}

// DatasetLine is a dataset in the list.
type DatasetLine struct {
	FeedState
	Family catalog.Text `json:"family"`
}

// Catalogue lists the datasets that the actor may see, by who owes them, departments first.
func (d *Desk) Catalogue(ctx context.Context, w Wanted) ([]OwnerDatasets, error) {
	stands, err := d.stands(ctx, "")
	if err != nil {
		return nil, err
	}
	var owners []OwnerDatasets
	for _, dep := range d.Catalog.Departments {
		owners = append(owners, OwnerDatasets{ID: dep.ID, Title: dep.Title, Sector: dep.Sector})
	}
	for _, p := range d.Catalog.Platforms {
		owners = append(owners, OwnerDatasets{ID: p.ID, Title: p.Title})
	}
	scope := auth.From(ctx).Scope
	for _, ds := range d.Catalog.Datasets {
		line := DatasetLine{FeedState: FeedState{Dataset: ds, State: Unconnected}}
		if f, connected := stands[ds.ID]; connected {
			line.FeedState = f
		}
		if family, ok := d.Catalog.Family(ds.Family); ok {
			line.Family = family.Title
		}
		i := slices.IndexFunc(owners, func(o OwnerDatasets) bool { return o.ID == ds.Owner })
		if i >= 0 && scope.HasDepartment(ds.Owner) && w.admits(line, owners[i].Title) {
			owners[i].Datasets = append(owners[i].Datasets, line)
		}
	}
	return slices.DeleteFunc(owners, func(o OwnerDatasets) bool { return len(o.Datasets) == 0 }), nil
}

func (w Wanted) admits(l DatasetLine, owner catalog.Text) bool {
	ds := l.Dataset
	text := strings.ToLower(strings.TrimSpace(w.Text))
	named := text == "" || slices.ContainsFunc([]string{ds.ID, ds.Title.ZH, ds.Title.EN, owner.ZH, owner.EN}, func(s string) bool { return strings.Contains(strings.ToLower(s), text) })
	return named && (w.Owner == "" || w.Owner == ds.Owner) && (w.Family == "" || w.Family == ds.Family) && (w.State == "" || w.State == l.State)
}

// datasetFor gives a contract that the actor may see.
func (d *Desk) datasetFor(ctx context.Context, id string) (catalog.Dataset, error) {
	ds, ok := d.Catalog.Dataset(id)
	if !ok {
		return ds, &fault.Error{Op: "choose the dataset", Code: fault.NotFound, Err: fmt.Errorf("there is no dataset %q", id), Hint: "see xinshu catalog list dataset"}
	}
	if !auth.From(ctx).Scope.HasDepartment(ds.Owner) {
		return ds, &fault.Error{Op: "choose the dataset", Code: fault.Forbidden, Err: errors.New("the dataset is another department's"), Hint: "an administrator can widen the account's departments"}
	}
	return ds, nil
}

// DatasetDetail is everything about one dataset but its profile and its lineage.
type DatasetDetail struct {
	FeedState
	Owner    catalog.Text   `json:"owner"`
	Sector   catalog.Text   `json:"sector,omitzero"`
	Clause   string         `json:"clause,omitempty"`
	Family   catalog.Family `json:"family"`
	Feeds    []SourceFeed   `json:"feeds"`
	Runs     []chain.Run    `json:"runs"`     // pulls with rows or a fault, the oldest first
	Accepted int64          `json:"accepted"` // rows that the chain holds as accepted
}

// SourceFeed is how one source brings the dataset.
type SourceFeed struct {
	Source string `json:"source"`
	chain.Feed
}

// trendRuns is how many pulls a trend shows.
const trendRuns = 30

// Dataset tells how a dataset stands: its contract, who brings it, what came lately and how good it was.
func (d *Desk) Dataset(ctx context.Context, id string) (DatasetDetail, error) {
	ds, err := d.datasetFor(ctx, id)
	if err != nil {
		return DatasetDetail{}, err
	}
	out := DatasetDetail{FeedState: FeedState{Dataset: ds, State: Unconnected}, Feeds: []SourceFeed{}}
	for _, dep := range d.Catalog.Departments {
		if dep.ID == ds.Owner {
			out.Owner, out.Sector, out.Clause = dep.Title, dep.Sector, dep.Clause
		}
	}
	if p, ok := d.Catalog.Platform(ds.Owner); ok {
		out.Owner = p.Title
	}
	out.Family, _ = d.Catalog.Family(ds.Family)
	stands, err := d.stands(ctx, id)
	if err != nil {
		return out, err
	}
	if f, brought := stands[id]; brought {
		out.FeedState = f
	}
	head, err := d.head(ctx, chain.Stage(id))
	if err != nil {
		return out, err
	}
	for source, feed := range head.Feeds {
		out.Feeds = append(out.Feeds, SourceFeed{source, feed})
	}
	slices.SortFunc(out.Feeds, func(a, b SourceFeed) int { return strings.Compare(a.Source, b.Source) })
	for _, f := range head.Table(stage.RowsTable) {
		out.Accepted += f.Rows
	}
	runs, err := d.State.FilterRuns(ctx, state.RunFilter{Step: "pull", Subjects: []string{id}}, 3*trendRuns)
	if err != nil {
		return out, err
	}
	for _, r := range runs {
		if (r.Ledger.Read > 0 || r.Status == "failed") && len(out.Runs) < trendRuns {
			out.Runs = append(out.Runs, r)
		}
	}
	slices.Reverse(out.Runs)
	return out, nil
}

// Profile is what a pull brought in each field.
type Profile struct {
	Dataset string               `json:"dataset"`
	Run     string               `json:"run"`
	Commit  int64                `json:"commit"`
	Fields  []stage.FieldProfile `json:"fields"`
}

// Profile gives the profile of a run, or of the last one that brought rows.
func (d *Desk) Profile(ctx context.Context, dataset, run string) (Profile, error) {
	ds, err := d.datasetFor(ctx, dataset)
	if err != nil {
		return Profile{}, err
	}
	head, err := d.head(ctx, chain.Stage(ds.ID))
	if err != nil {
		return Profile{}, err
	}
	var found chain.File
	for _, f := range head.Table(stage.ProfileTable) {
		if (run == "" || runOf(f, ds.ID) == run) && f.N >= found.N {
			found = f
		}
	}
	if found.N == 0 {
		return Profile{}, &fault.Error{Op: "show a profile of " + ds.ID, Code: fault.NotFound, Err: fmt.Errorf("no run %s brought rows", run),
			Hint: "pull or ingest first; only runs that brought rows have a profile"}
	}
	p := Profile{Dataset: ds.ID, Run: runOf(found, ds.ID), Commit: found.N}
	p.Fields, err = d.Pipeline.Stager.Profile(ctx, found)
	return p, err
}

// runOf reads the run out of an object's key: data/<chain>/<run>/<table>/...
func runOf(f chain.File, dataset string) string {
	rest, _ := strings.CutPrefix(f.Key, "data/"+chain.Stage(dataset)+"/")
	run, _, _ := strings.Cut(rest, "/")
	return run
}
