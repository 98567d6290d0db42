package desk

import (
	"cmp"
	"context"
	"slices"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/state"
	"xinshu/pipelines/schedule"
)

// SourceLine is a source in the list.
type SourceLine struct {
	Connection
	Owners []string      // departments and platforms of its datasets
	State  string        // broken, held, late, never, fresh, free
	Wanted int           // datasets that are broken, held or late
	Last   chain.Run     // its newest pull; zero: none
	RowsOn catalog.Date  // day of its newest rows
	Next   time.Time     // when a schedule pulls from it next; zero: none does
	Busy   schedule.Task // the task that works on it now; zero: none
}

// FeedLine is one dataset of a source.
type FeedLine struct {
	Source  string
	Dataset catalog.Dataset
	Feed    chain.Feed
	Fresh   Freshness
	State   string
	Last    chain.Run // its newest pull; zero: none
}

// Sources lists all sources by id.
func (d *Desk) Sources(ctx context.Context) ([]SourceLine, error) {
	all, err := d.Connections(ctx, SourceRole)
	if err != nil {
		return nil, err
	}
	newest, err := d.State.NewestRuns(ctx, "pull")
	if err != nil {
		return nil, err
	}
	schedules, err := d.Book.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	busy, err := d.Book.Tasks(ctx, schedule.Filter{States: []string{schedule.Running}, Most: 500})
	if err != nil {
		return nil, err
	}
	head, err := d.headsNow(ctx)
	if err != nil {
		return nil, err
	}
	var lines []SourceLine
	for _, c := range all {
		line := SourceLine{Connection: c, RowsOn: catalog.NoDate, Next: nextPull(schedules, c.ID)}
		feeds, err := d.feedsOf(c, newest, head)
		if err != nil {
			return nil, err
		}
		line.sum(feeds)
		if i := slices.IndexFunc(busy.Tasks, func(t schedule.Task) bool { return pulls(t.Work) && t.Work.Source == c.ID }); i >= 0 {
			line.Busy = busy.Tasks[i]
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// sum takes a source for its worst feed.
func (l *SourceLine) sum(feeds []FeedLine) {
	l.State = Free
	for _, f := range feeds {
		l.State = worse(l.State, f.State)
		if f.State == Broken || f.State == Held || f.State == Late {
			l.Wanted++
		}
		if f.Last.Started.After(l.Last.Started) {
			l.Last = f.Last
		}
		l.RowsOn = max(l.RowsOn, f.Fresh.RowsOn)
		if !slices.Contains(l.Owners, f.Dataset.Owner) {
			l.Owners = append(l.Owners, f.Dataset.Owner)
		}
	}
}

// Feeds gives the datasets of one source as they stand.
func (d *Desk) Feeds(ctx context.Context, source string) ([]FeedLine, error) {
	c, err := d.Connection(ctx, SourceRole, source)
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
	return d.feedsOf(c, newest, head)
}

func (d *Desk) feedsOf(c Connection, newest []chain.Run, headOf func(chain string) (chain.Entry, error)) ([]FeedLine, error) {
	var lines []FeedLine
	for _, id := range c.IDs() {
		head, err := headOf(chain.Stage(id))
		if err != nil {
			return nil, err
		}
		ds, _ := d.Catalog.Dataset(id)
		ds.ID = id
		line := FeedLine{Source: c.ID, Dataset: ds, Feed: head.Feeds[c.ID]}
		line.Fresh = d.Freshness(ds, line.Feed.RowsOn)
		line.Last = newestOf(newest, c.ID, id)
		switch {
		case line.Last.Status == "failed":
			line.State = Broken
		case line.Feed.Hold != nil:
			line.State = Held
		default:
			line.State = line.Fresh.State
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// newestOf finds the newest pull of a source and dataset; where there is none, that of a hub which did
// not note yet whose rows a run took in.
func newestOf(newest []chain.Run, source, dataset string) chain.Run {
	for _, wanted := range []chain.Run{{Source: source, Subject: dataset}, {Subject: dataset}} {
		if i, found := slices.BinarySearchFunc(newest, wanted, func(a, b chain.Run) int {
			return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Subject, b.Subject))
		}); found {
			return newest[i]
		}
	}
	return chain.Run{}
}

// pulls says whether a piece of work reads from sources.
func pulls(w schedule.Work) bool { return w.Do == schedule.DoPull || w.Do == schedule.DoRun }

func nextPull(schedules []schedule.Schedule, source string) (next time.Time) {
	for _, s := range schedules {
		if s.Paused || s.NextAt.IsZero() || !pulls(s.Work) || s.Work.Source != "" && s.Work.Source != source {
			continue
		}
		if next.IsZero() || s.NextAt.Before(next) {
			next = s.NextAt
		}
	}
	return next
}

// SourceHistory gives the newest pulls of a source, of one dataset or all, the newest first.
func (d *Desk) SourceHistory(ctx context.Context, source, dataset string, most int) ([]chain.Run, error) {
	f := state.RunFilter{Source: source}
	if dataset != "" {
		f.Subjects = []string{dataset}
	}
	return d.State.FilterRuns(ctx, f, most)
}
