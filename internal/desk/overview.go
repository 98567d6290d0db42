package desk

import (
	"cmp"
	"context"
	"slices"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/state"
)

// What else a feed can be on the overview, before its freshness counts.
const (
	Held   = "held"   // an alarm of its feed lasts
	Broken = "broken" // its newest pull failed
)

// Overview is how the hub stands.
type Overview struct {
	Feeds  []OwnerFeeds     // departments in their order, then platforms
	Tally  map[string]int   // datasets by state
	Today  state.RunDay     // of the hub's day
	Days   []RunDay         // of the last 26 weeks, those without runs left out
	Road   Road             // of the days asked for
	Grades []Distribution   // of every policy that was published
	Todo   []Todo           // most pressing first
	Counts []state.Count    // deliveries by target
	Last   []chain.Run      // newest runs
	Now    map[string]int64 // running, by step
}

// OwnerFeeds are the datasets of one department or platform that a source brings.
type OwnerFeeds struct {
	ID       string
	Title    catalog.Text
	Datasets []FeedState
	Worst    string
}

// FeedState is how one dataset stands.
type FeedState struct {
	Dataset catalog.Dataset
	State   string // held, broken, late, never, fresh, free
	Freshness
	Last  chain.Run       // newest pull; the zero run: none yet
	Alarm *state.FeedHold // that holds it
}

// pressing puts what a person should look at first.
var pressing = []string{Broken, Held, Late, Never, Fresh, Free}

// Worse says which of two states presses more.
func worse(a, b string) string {
	if a == "" || slices.Index(pressing, b) < slices.Index(pressing, a) {
		return b
	}
	return a
}

// Overview looks at everything. The road counts so many days, today included.
func (d *Desk) Overview(ctx context.Context, days int) (o Overview, err error) {
	midnight := Midnight(d.Now())
	if o.Days, err = d.days.list(ctx, d.State, midnight); err != nil {
		return o, err
	}
	for _, day := range o.Days {
		if day.Day.Equal(wallDay(midnight)) {
			o.Today = day
		}
	}
	if o.Feeds, err = d.feeds(ctx); err != nil {
		return o, err
	}
	o.Tally = map[string]int{}
	for _, owner := range o.Feeds {
		for _, f := range owner.Datasets {
			o.Tally[f.State]++
		}
	}
	if o.Last, err = d.State.Runs(ctx, 8); err != nil {
		return o, err
	}
	if o.Counts, _, err = d.counts(ctx); err != nil {
		return o, err
	}
	if auth.From(ctx).May(auth.GradesSum) {
		if o.Grades, err = d.gradesNow(ctx); err != nil {
			return o, err
		}
	}
	if o.Road, err = d.road(ctx, o, wallDay(midnight).AddDate(0, 0, 1-max(days, 1))); err != nil {
		return o, err
	}
	o.Todo, err = d.todo(ctx, o)
	return o, err
}

// feeds gives every dataset that a source brings, by who owes it.
func (d *Desk) feeds(ctx context.Context) ([]OwnerFeeds, error) {
	brought, err := d.brought(ctx)
	if err != nil {
		return nil, err
	}
	holds, err := d.State.Holds(ctx)
	if err != nil {
		return nil, err
	}
	var owners []OwnerFeeds
	for _, dep := range d.Catalog.Departments {
		owners = append(owners, OwnerFeeds{ID: dep.ID, Title: dep.Title})
	}
	for _, p := range d.Catalog.Platforms {
		owners = append(owners, OwnerFeeds{ID: p.ID, Title: p.Title})
	}
	scope := auth.From(ctx).Scope
	for _, ds := range d.Catalog.Datasets {
		i := slices.IndexFunc(owners, func(o OwnerFeeds) bool { return o.ID == ds.Owner })
		if i < 0 || !brought[ds.ID] || !scope.HasDepartment(ds.Owner) {
			continue
		}
		f, err := d.feedState(ctx, ds, holds)
		if err != nil {
			return nil, err
		}
		owners[i].Datasets = append(owners[i].Datasets, f)
		owners[i].Worst = worse(owners[i].Worst, f.State)
	}
	return slices.DeleteFunc(owners, func(o OwnerFeeds) bool { return len(o.Datasets) == 0 }), nil
}

// brought gives the datasets that a source of the config or of the console has.
func (d *Desk) brought(ctx context.Context) (map[string]bool, error) {
	made, err := d.MadeSources(ctx)
	if err != nil {
		return nil, err
	}
	brought := map[string]bool{}
	for _, s := range slices.Concat(d.Pipeline.Sources, made) {
		for id := range s.Datasets {
			brought[id] = true
		}
	}
	return brought, nil
}

func (d *Desk) feedState(ctx context.Context, ds catalog.Dataset, holds []state.FeedHold) (FeedState, error) {
	f := FeedState{Dataset: ds}
	arrived, err := d.State.LastArrival(ctx, ds.ID)
	if err != nil {
		return f, err
	}
	rowsOn := ""
	if !arrived.IsZero() {
		rowsOn = arrived.In(connectors.Shanghai).Format(time.DateOnly)
	}
	f.Freshness = d.Freshness(ds, rowsOn)
	f.State = f.Freshness.State
	last, err := d.State.FilterRuns(ctx, state.RunFilter{Step: "pull", Subjects: []string{ds.ID}}, 1)
	if err != nil {
		return f, err
	}
	if len(last) > 0 {
		if f.Last = last[0]; f.Last.Status == "failed" {
			f.State = Broken
		}
	}
	if i := slices.IndexFunc(holds, func(h state.FeedHold) bool { return h.Dataset == ds.ID && h.EndedOn == "" }); i >= 0 {
		f.State, f.Alarm = worse(f.State, Held), &holds[i]
	}
	return f, nil
}

// gradesNow counts the grades of every policy that the actor may see and that has published.
func (d *Desk) gradesNow(ctx context.Context) ([]Distribution, error) {
	var all []Distribution
	for _, p := range d.Policies(ctx) {
		dist, err := d.Distribution(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		if dist.Release != nil {
			all = append(all, dist)
		}
	}
	slices.SortStableFunc(all, func(a, b Distribution) int { return cmp.Compare(b.Entities, a.Entities) })
	return all, nil
}

// Midnight is when the day of a moment began in Shanghai.
func Midnight(t time.Time) time.Time {
	y, m, day := t.In(connectors.Shanghai).Date()
	return time.Date(y, m, day, 0, 0, 0, 0, connectors.Shanghai)
}

// wallDay gives the day of a midnight as state names it.
func wallDay(midnight time.Time) time.Time {
	y, m, day := midnight.Date()
	return time.Date(y, m, day, 0, 0, 0, 0, time.UTC)
}
