package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"xinshu/internal/alerts"
	"xinshu/pipelines/schedule"
	"xinshu/pipelines/work"
)

// followEvery is how often a node takes in what others committed and could not record.
const followEvery = time.Minute

// worker does the steps of tasks.
func (a *app) worker() *work.Worker {
	w := work.New(a.pipeline)
	w.Policies = a.policies
	w.Targets = func(ctx context.Context) ([]string, error) {
		targets, err := a.pipeline.AllTargets(ctx)
		ids := make([]string, len(targets))
		for i, t := range targets {
			ids[i] = t.ID
		}
		return ids, err
	}
	w.Follow = func(ctx context.Context, chain string) error {
		if chain == "" {
			return a.follow(ctx)
		}
		return a.state.FollowChain(ctx, chain)
	}
	w.Ready = func(ctx context.Context) error {
		_, err := a.overrides(ctx)
		return err
	}
	return w
}

// newBook is what people ask of schedules and tasks.
func (a *app) newBook() *schedule.Book {
	w := a.worker()
	return &schedule.Book{Store: a.state, Planner: schedule.Planner{Calendar: a.catalog.Calendars}, Now: a.now, Known: w.Known, Fresh: w.KnownDatasets}
}

// engine takes ticks and tasks on this node.
func (a *app) engine() *schedule.Engine {
	c, w, log := a.config.Serve, a.worker(), slog.Default()
	e := &schedule.Engine{Keeper: a.state, Planner: schedule.Planner{Calendar: a.catalog.Calendars}, Do: w.Do, Name: a.config.Node, Version: version, Now: a.now, Log: log,
		Workers: c.Workers, Poll: duration(c.Poll), Lease: duration(c.Lease), Grace: duration(c.Grace), Backoff: duration(c.Backoff), OnTime: duration(c.OnTime)}
	followed := time.Now() // opening the hub did it
	e.Each = func(ctx context.Context) error {
		if now := time.Now(); now.Sub(followed) >= followEvery {
			followed = now
			if err := a.follow(ctx); err != nil {
				return err
			}
		}
		return work.Retry(ctx, a.state, a.now())
	}
	return e
}

// duration reads a setting that was checked when the config was read; empty: 0.
func duration(s string) time.Duration {
	d, _ := time.ParseDuration(s)
	return d
}

// beside runs the engine until the context ends and then until it let go of its tasks, keeps what the
// desk has open as new as the data, looks for trouble, and makes the daily pass.
func (a *app) beside(ctx context.Context, keeper *alerts.Keeper) (wait func() error) {
	var err error
	var running sync.WaitGroup
	running.Go(func() { a.desk.Keep(ctx, slog.Default()) })
	running.Go(func() { a.watch(ctx, keeper, slog.Default()) })
	running.Go(func() { a.upkeepDaily(ctx, slog.Default()) })
	if a.config.Serve.Workers < 0 {
		return func() error { running.Wait(); return nil }
	}
	running.Go(func() { err = a.engine().Run(ctx) })
	return func() error { running.Wait(); return err }
}
