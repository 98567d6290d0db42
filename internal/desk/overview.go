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
	Feeds   []OwnerFeeds   // departments in their order, then platforms
	Tally   map[string]int // datasets by state
	Today   state.RunDay   // of the hub's day
	Days    []RunDay       // of the last 26 weeks, those without runs left out
	Road    Road           // of the days asked for
	Grades  []Distribution // of every policy that was published
	Waiting []Waiting      // most pressing first
	Counts  []state.Count  // deliveries by target
	Last    []chain.Run    // newest runs
}

// OwnerFeeds are the datasets of one department or platform that a source brings.
type OwnerFeeds struct {
	ID       string
	Title    catalog.Text
	Datasets []FeedState
}

// FeedState is how one dataset stands.
type FeedState struct {
	Dataset catalog.Dataset
	State   string // held, broken, late, never, fresh, free
	Freshness
	Last chain.Run   // newest pull; the zero run: none yet
	Hold *chain.Hold // the alarm that holds it; nil: none
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
	o.Waiting, err = d.waiting(ctx, o)
	return o, err
}

// stands gives how every dataset stands that a source brings; of one alone when it is named. One that
// several sources bring stands as the newest of its rows, and is in trouble when one of them is.
func (d *Desk) stands(ctx context.Context, dataset string) (map[string]FeedState, error) {
	all, err := d.Connections(ctx, SourceRole)
	if err != nil {
		return nil, err
	}
	newest, err := d.State.NewestRuns(ctx, "pull")
	if err != nil {
		return nil, err
	}
	head, err := d.headsNow(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[string]FeedState{}
	for _, c := range all {
		if dataset != "" && !slices.Contains(c.IDs(), dataset) {
			continue
		}
		lines, err := d.feedsOf(c, newest, head)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			f := FeedState{Dataset: l.Dataset, State: l.State, Freshness: l.Fresh, Last: l.Last, Hold: l.Feed.Hold}
			byID[l.Dataset.ID] = together(byID[l.Dataset.ID], f)
		}
	}
	return byID, nil
}

// feeds gives every dataset that a source brings, by who owes it.
func (d *Desk) feeds(ctx context.Context) (owners []OwnerFeeds, err error) {
	byID, err := d.stands(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, dep := range d.Catalog.Departments {
		owners = append(owners, OwnerFeeds{ID: dep.ID, Title: dep.Title})
	}
	for _, p := range d.Catalog.Platforms {
		owners = append(owners, OwnerFeeds{ID: p.ID, Title: p.Title})
	}
	scope := auth.From(ctx).Scope
	for _, ds := range d.Catalog.Datasets {
		i := slices.IndexFunc(owners, func(o OwnerFeeds) bool { return o.ID == ds.Owner })
		if line, brought := byID[ds.ID]; i >= 0 && brought && scope.HasDepartment(ds.Owner) {
			owners[i].Datasets = append(owners[i].Datasets, line)
		}
	}
	return slices.DeleteFunc(owners, func(o OwnerFeeds) bool { return len(o.Datasets) == 0 }), nil
}

// together puts two feeds of one dataset together.
func together(a, b FeedState) FeedState {
	if a.State == "" {
		return b
	}
	if a.RowsOn < b.RowsOn {
		a, b = b, a
	}
	if b.State == Broken || b.State == Held {
		if state := worse(a.State, b.State); state != a.State {
			return b
		}
	}
	return a
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
