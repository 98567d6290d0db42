// Package work owns WHAT a task does: it turns the work that a schedule or a person asked for into
// steps of the pipeline, each once, each under the names it works on. It refuses to know when that is
// (pipelines/schedule) and how a step is done (pipelines). Tasks come from the engine; what the steps
// commit goes to the lake, and what they come to into the task's log.
package work

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/pipelines"
	"xinshu/pipelines/schedule"
	"xinshu/pipelines/score"
)

// Worker does tasks. Its fields are set once, before use.
type Worker struct {
	Pipeline *pipelines.Pipeline
	Policies func(asked []string) ([]string, error)        // those asked for, or those in use
	Targets  func(ctx context.Context) ([]string, error)   // every target's id
	Follow   func(ctx context.Context, chain string) error // takes a chain into run state; "" takes all
	Ready    func(ctx context.Context) error               // makes what people stated since count; may be nil

	heavy slot
}

// slot lets one settling or scoring run at a time in this process, whatever the number of workers: each
// of them may take all of DuckDB's memory.
type slot struct{ taken chan struct{} }

// New makes a worker over a pipeline.
func New(p *pipelines.Pipeline) *Worker {
	return &Worker{Pipeline: p, heavy: slot{make(chan struct{}, 1)}}
}

func (s slot) do(ctx context.Context, work func() error) error {
	select {
	case s.taken <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-s.taken }()
	return work()
}

// Do does a task. What fails in one source, policy or target does not hold up the others.
func (w *Worker) Do(ctx context.Context, h *schedule.Hold) error {
	t := h.Task()
	if t.Attempt > 1 { // whoever had it before may have committed what run state does not know
		if err := w.Follow(ctx, ""); err != nil {
			return err
		}
	}
	if w.Ready != nil {
		if err := w.Ready(ctx); err != nil {
			return err
		}
	}
	switch do := t.Work.Do; do {
	case schedule.DoPull:
		return w.pull(ctx, h)
	case schedule.DoSettle:
		return w.settle(ctx, h)
	case schedule.DoScore:
		return w.policies(ctx, h, true, false)
	case schedule.DoPublish:
		return w.policies(ctx, h, false, true)
	case schedule.DoReplay:
		return w.replay(ctx, h)
	case schedule.DoPush:
		return w.push(ctx, h)
	default:
		return w.whole(ctx, h, do == schedule.DoRun)
	}
}

// whole is the main job, or what of it follows the pulls.
func (w *Worker) whole(ctx context.Context, h *schedule.Hold, pulls bool) error {
	var pulled error
	if pulls {
		pulled = w.pull(ctx, h)
		if _, busy := errors.AsType[*schedule.Busy](pulled); busy { // what it waits for would be missing in the grades
			return pulled
		}
	}
	if err := ended(ctx); err != nil {
		return err
	}
	if err := w.settle(ctx, h); err != nil {
		return errors.Join(pulled, err) // scoring would not see what was pulled
	}
	scored := w.policies(ctx, h, true, true)
	var pushed error
	if !h.Task().Work.NoPush && ctx.Err() == nil {
		pushed = w.push(ctx, h)
	}
	return errors.Join(pulled, scored, pushed, ended(ctx))
}

// ended is why a task may not go on, if so.
func ended(ctx context.Context) error { return context.Cause(ctx) }

// pull does each dataset as a step of its own.
func (w *Worker) pull(ctx context.Context, h *schedule.Hold) error {
	asked := h.Task().Work
	c := pipelines.Choice{Source: asked.Source, Datasets: asked.Datasets, Reload: asked.Reload}
	if a := asked.Again; a != nil {
		c.Again = &pipelines.Again{From: a.From, Until: a.Until, Slice: a.Slice}
	}
	c.Around = func(ctx context.Context, source, dataset string, pull func(context.Context) error) error {
		k := schedule.Key{Step: schedule.DoPull, Subject: source + "/" + dataset}
		return h.Step(ctx, k, []string{"source " + source, chain.Stage(dataset)}, func(ctx context.Context) (string, error) {
			return "", pull(ctx)
		})
	}
	pulls, err := w.Pipeline.Pull(ctx, c)
	reached := map[string]bool{}
	for _, p := range pulls {
		if p.Dataset == "" { // its source could not be opened: none of its datasets was begun
			h.Refused(ctx, schedule.Key{Step: schedule.DoPull, Subject: p.Source}, p.Err)
		} else if !reached[p.Source] {
			reached[p.Source] = true
			h.Opened(ctx, schedule.Key{Step: schedule.DoPull, Subject: p.Source})
		}
	}
	return err
}

func (w *Worker) settle(ctx context.Context, h *schedule.Hold) error {
	return w.heavy.do(ctx, func() error {
		return h.Step(ctx, schedule.Key{Step: schedule.DoSettle}, []string{chain.Settled}, func(ctx context.Context) (string, error) {
			r, err := w.Pipeline.Settle(ctx)
			if err != nil || !r.Committed {
				return chain.Notef("nothing new was staged"), err
			}
			return chain.Notef("snapshot %d: rows %d, marks %d, new entities %d", r.N, r.Rows, r.Marks, r.Entities), nil
		})
	})
}

// policies scores, publishes, or does both, one policy after another.
func (w *Worker) policies(ctx context.Context, h *schedule.Hold, scores, publishes bool) error {
	ids, err := w.Policies(h.Task().Work.Policies)
	if err != nil {
		return err
	}
	clocks, err := w.clocks(h.Task())
	if err != nil {
		return err
	}
	var errs []error
	for _, policy := range w.Pipeline.Catalog.Policies {
		if !slices.Contains(ids, policy.ID) {
			continue
		}
		if err := ended(ctx); err != nil {
			return err
		}
		errs = append(errs, w.policy(ctx, h, policy, clocks(policy), scores, publishes))
	}
	return errors.Join(errs...)
}

// policy is one policy's share. A policy that was scored and not published is scored once more, which
// finds what was committed: what is published is the very result.
func (w *Worker) policy(ctx context.Context, h *schedule.Hold, policy catalog.Policy, c score.Clocks, scores, publishes bool) error {
	names := []string{chain.Scored(policy.ID), chain.Published(policy.ID)}
	scored, published := schedule.Key{Step: schedule.DoScore, Subject: policy.ID}, schedule.Key{Step: schedule.DoPublish, Subject: policy.ID}
	var result *pipelines.Scored
	rate := func(ctx context.Context) (string, error) {
		s, err := w.Pipeline.Score(ctx, policy, c)
		result = &s
		return chain.Notef("as of %s, %d entities", c.AsOf, s.Result.Seal.Entities), err
	}
	return w.heavy.do(ctx, func() error {
		if scores {
			if err := h.Step(ctx, scored, names, rate); err != nil || !publishes {
				return err
			}
		}
		return h.Step(ctx, published, names, func(ctx context.Context) (string, error) {
			if !scores {
				r, err := w.Pipeline.PublishNewest(ctx, policy)
				return r.Note(), err
			}
			if result == nil {
				if _, err := rate(ctx); err != nil {
					return "", err
				}
			}
			r, err := w.Pipeline.Publish(ctx, policy, result.Result)
			return r.Note(), err
		})
	})
}

// clocks gives a policy's clocks. A task stands for its tick's day, or the day it was asked for on, also
// when it is taken over after midnight: the steps that were done and those still to do belong together.
func (w *Worker) clocks(t schedule.Task) (func(catalog.Policy) score.Clocks, error) {
	day := t.Tick
	if day.IsZero() {
		day = t.Queued
	}
	asOf, corrected := catalog.NoDate, catalog.NoDate
	for text, into := range map[*string]*catalog.Date{&t.Work.AsOf: &asOf, &t.Work.CorrectedTo: &corrected} {
		if *text == "" {
			continue
		}
		var err error
		if *into, err = catalog.ParseDate(*text); err != nil {
			return nil, err
		}
	}
	return func(p catalog.Policy) score.Clocks {
		c := score.Clocks{AsOf: asOf, CorrectedTo: corrected}
		if asOf == catalog.NoDate {
			c.AsOf = pipelines.LastCutOff(p, catalog.DateOf(day.In(connectors.Shanghai)))
		}
		return c
	}, nil
}

// push does each target as a step of its own. A target that cannot be reached fails its step; when its
// delivery is tried again is the outbox's business, so it does not fail the task.
func (w *Worker) push(ctx context.Context, h *schedule.Hold) error {
	targets := h.Task().Work.Targets
	if len(targets) == 0 {
		var err error
		if targets, err = w.Targets(ctx); err != nil {
			return err
		}
	}
	for _, policy := range w.Pipeline.Catalog.Policies { // what another node published and could not record
		if err := w.Follow(ctx, chain.Published(policy.ID)); err != nil {
			return err
		}
	}
	var errs []error
	for _, target := range targets {
		if err := ended(ctx); err != nil {
			return err
		}
		k := schedule.Key{Step: schedule.DoPush, Subject: target}
		errs = append(errs, h.Step(ctx, k, []string{"target " + target}, func(ctx context.Context) (string, error) {
			reports, err := w.Pipeline.Push(ctx, target)
			if err != nil || len(reports) == 0 {
				return chain.Notef("nothing is due"), err
			}
			r := reports[0]
			said := chain.Notef("sent %d, acknowledged %d, rejected %d, open %d", r.Sent, r.Acknowledged, r.Rejected, r.Open)
			if r.Failure != "" {
				said += "; " + r.Failure
			}
			return said, nil
		}))
	}
	return errors.Join(errs...)
}

// Outbox is what run state knows of deliveries that are to be tried again.
type Outbox interface {
	// NextAttempt gives the earliest time at which a delivery that waits may be tried; the zero time when none waits.
	NextAttempt(ctx context.Context) (time.Time, error)
	// Enqueue stores a task; one whose id is there already stays as it is.
	Enqueue(ctx context.Context, t schedule.Task) (queued bool, err error)
}

// again is how often a push is queued for deliveries that stay due.
const again = 10 * time.Minute

// Retry queues a push when a delivery that failed is due again. Its id is made of that time, so that
// several nodes queue it once.
func Retry(ctx context.Context, o Outbox, now time.Time) error {
	at, err := o.NextAttempt(ctx)
	if err != nil || at.IsZero() || at.After(now) {
		return err
	}
	if now.Sub(at) > again { // a push at that time could not even reach the target
		at = now.Truncate(again)
	}
	_, err = o.Enqueue(ctx, schedule.Task{ID: fmt.Sprintf("outbox@%d", at.UnixMilli()), Work: schedule.Work{Do: schedule.DoPush}, State: schedule.Waiting,
		Queued: now, After: now, By: "outbox", Attempts: 1})
	return err
}
