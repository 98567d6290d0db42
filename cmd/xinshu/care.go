package main

import (
	"cmp"
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/lineage"
	"xinshu/internal/metrics"
	"xinshu/internal/state"
	"xinshu/pipelines"
	"xinshu/pipelines/schedule"
)

// care is what looks after a hub: it counts, tells and logs what others do.
type care struct {
	metrics *metrics.Metrics
	lineage *lineage.Writer // nil: no events are written
	log     *slog.Logger    // nil: a command, which prints for a person
}

// newCare makes it; run state, lake and catalogue are asked once they are there.
func (a *app) newCare() *care {
	return &care{metrics: metrics.New(version, a.config.Node, a.now, a.standing)}
}

// startLineage begins to write events, where the config says where to.
func (a *app) startLineage() {
	c := a.config.Lineage
	var sink lineage.Sink
	switch {
	case c.File != "":
		sink = &lineage.File{Path: c.File, Most: cmp.Or(c.FileMB, 100) << 20, Keep: cmp.Or(c.Keep, 5)}
	case c.URL != "":
		sink = &lineage.HTTP{URL: c.URL, Key: c.Key}
	default:
		return
	}
	w := &lineage.Writer{Namespace: cmp.Or(c.Namespace, "xinshu://"+a.config.Node), Lake: "xinshu://lake", Producer: "urn:xinshu:" + version, Entry: a.lake.Entry, Sink: sink}
	w.Columns = func(id string) []lineage.Column {
		ds, _ := a.catalog.Dataset(id)
		columns := make([]lineage.Column, len(ds.Fields))
		for i, f := range ds.Fields {
			columns[i] = lineage.Column{Name: f.Name, Type: f.Type, Description: f.Title.ZH + " " + f.Title.EN}
		}
		return columns
	}
	w.Failed = func(err error) { slog.Default().Warn("a lineage event was lost", "error", err.Error()) }
	a.care.lineage = w.Start()
}

// seenRuns keeps the record of runs and lets the hub's carers see each of them.
type seenRuns struct {
	*state.State
	care *care
}

var _ pipelines.Runs = seenRuns{}

// SaveRun stores a run as it stands.
func (s seenRuns) SaveRun(ctx context.Context, r chain.Run) error {
	err := s.State.SaveRun(ctx, r)
	s.care.saw(r)
	return err
}

// CommitRun stores a run that committed.
func (s seenRuns) CommitRun(ctx context.Context, r chain.Run) error {
	err := s.State.CommitRun(ctx, r)
	s.care.saw(r)
	return err
}

func (c *care) saw(r chain.Run) {
	c.metrics.Run(r)
	if c.lineage != nil {
		c.lineage.Saw(r)
	}
	if c.log != nil {
		logRun(c.log, r)
	}
}

// close writes what is still to be written.
func (c *care) close() error {
	if c.lineage == nil {
		return nil
	}
	return c.lineage.Close(10 * time.Second)
}

// seenLately is how long ago a node may have been heard of to count as there.
const seenLately = 2 * time.Minute

// cycleDays is what a department promises, in days.
var cycleDays = map[string]int{"realtime": 1, "daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "half-yearly": 184, "yearly": 366}

// standing is how the hub stands, for a scrape.
func (a *app) standing(ctx context.Context) (s metrics.Standing, err error) {
	tasks, err := a.state.TaskCounts(ctx)
	if err != nil {
		return s, err
	}
	for _, t := range tasks {
		q := metrics.Queue{State: t.State, Tasks: t.Tasks}
		if t.State == schedule.Waiting || t.State == schedule.Running {
			q.Oldest = t.Oldest
		}
		s.Tasks = append(s.Tasks, q)
	}
	waiting, err := a.state.WaitingRows(ctx)
	if err != nil {
		return s, err
	}
	for _, w := range waiting {
		s.Deliveries = append(s.Deliveries, metrics.Deliveries(w))
	}
	if s.Lags, err = a.lags(ctx); err != nil {
		return s, err
	}
	for _, ds := range a.catalog.Datasets {
		pulls, err := a.state.LastPulls(ctx, ds.ID, true, 1)
		if err != nil {
			return s, err
		}
		if len(pulls) == 1 {
			s.Pulls = append(s.Pulls, metrics.Pull{Dataset: ds.ID, Done: pulls[0].Ended, Cycle: time.Duration(cycleDays[ds.Cycle]*24) * time.Hour})
		}
	}
	holds, err := a.state.Holds(ctx)
	if err != nil {
		return s, err
	}
	for _, h := range holds {
		if h.EndedOn == "" {
			s.Holds++
		}
	}
	open, err := a.state.OpenAlerts(ctx)
	if err != nil {
		return s, err
	}
	s.Alerts = map[string]int64{}
	for _, alert := range open {
		s.Alerts[alert.Rule]++
	}
	nodes, err := a.state.Nodes(ctx, a.now().Add(-seenLately))
	s.Nodes = int64(len(nodes))
	return s, err
}

// lags is how long the oldest row has waited for each target.
func (a *app) lags(ctx context.Context) ([]metrics.Lag, error) {
	found, err := a.state.Lags(ctx)
	if err != nil {
		return nil, err
	}
	var lags []metrics.Lag
	for _, l := range found { // by target, then policy
		if last := len(lags) - 1; last >= 0 && lags[last].Target == l.Target {
			if lags[last].Since.IsZero() || !l.Since.IsZero() && l.Since.Before(lags[last].Since) {
				lags[last].Since = l.Since
			}
			continue
		}
		lags = append(lags, metrics.Lag{Target: l.Target, Since: l.Since})
	}
	return lags, nil
}

// cacheDir is where copies of objects lie that come from elsewhere.
func (c Config) cacheDir() string { return filepath.Join(c.Data, "cache") }
