package pipelines

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/pipelines/publish"
	"xinshu/pipelines/push"
	"xinshu/pipelines/score"
	"xinshu/pipelines/settle"
)

// Scored is what became of one policy.
type Scored struct {
	Policy    catalog.Policy
	Result    score.Result
	Published publish.Result
}

// Settle settles everything staged since the last time.
func (p *Pipeline) Settle(ctx context.Context) (result settle.Result, err error) {
	err = p.recorded(ctx, "settle", "", func(run string) (chain.Run, string, error) {
		var err error
		result, err = p.Settler.Run(ctx, run)
		done := chain.Run{}
		if result.Committed {
			done.Chain, done.N = chain.Settled, result.N
		}
		return done, chain.Notef("rows %d, marks %d, new entities %d, ranges %d", result.Rows, result.Marks, result.Entities, result.Ranges), err
	})
	return result, err
}

// Score scores one policy. Without as_of a dynamic policy takes the day of the clock, a yearly one
// its last cut-off date on or before that day.
func (p *Pipeline) Score(ctx context.Context, policy catalog.Policy, c score.Clocks) (scored Scored, err error) {
	if c.AsOf == catalog.NoDate {
		c.AsOf = LastCutOff(policy, catalog.DateOf(p.Now()))
	}
	scored.Policy = policy
	err = p.recorded(ctx, "score", policy.ID, func(run string) (chain.Run, string, error) {
		var err error
		scored.Result, err = p.Scorer.Run(ctx, run, policy, c)
		done := chain.Run{}
		if err == nil && !scored.Result.Repeated {
			done.Chain, done.N = scored.Result.Entry.Chain, scored.Result.Entry.N
		}
		return done, chain.Notef("as of %s, %d entities", c.AsOf, scored.Result.Seal.Entities), err
	})
	return scored, err
}

// LastCutOff is the as_of of a policy on a day: that day for a dynamic one, the last cut-off date on
// or before it for a yearly one.
func LastCutOff(policy catalog.Policy, today catalog.Date) catalog.Date {
	if policy.Cycle != "yearly" {
		return today
	}
	for d := today; d > today.AddDays(-367); d = d.AddDays(-1) {
		if policy.CutOff(d) {
			return d
		}
	}
	return today
}

// Publish states what a scored result changes.
func (p *Pipeline) Publish(ctx context.Context, policy catalog.Policy, r score.Result) (result publish.Result, err error) {
	err = p.recorded(ctx, "publish", policy.ID, func(run string) (chain.Run, string, error) {
		var err error
		before, err := p.Heads.Head(ctx, chain.Published(policy.ID))
		if err != nil {
			return chain.Run{}, "", err
		}
		result, err = p.Publisher.Publish(ctx, run, publish.Scored{Policy: policy, Entry: r.Entry, AsOf: r.Clocks.AsOf, CorrectedTo: r.Clocks.CorrectedTo, Seal: r.SealSHA})
		done := chain.Run{}
		if err == nil && result.Entry.N > before.N {
			done.Chain, done.N = result.Entry.Chain, result.Entry.N
		}
		return done, result.Note(), err
	})
	return result, err
}

// PublishNewest publishes the newest result of a policy that stands scored.
func (p *Pipeline) PublishNewest(ctx context.Context, policy catalog.Policy) (publish.Result, error) {
	newest, err := p.Scorer.Newest(ctx, policy)
	if err != nil {
		return publish.Result{}, err
	}
	return p.Publish(ctx, policy, newest)
}

// Push brings every target what is due, or those that are named. A target that cannot be reached is
// reported and does not hold up the others.
func (p *Pipeline) Push(ctx context.Context, only ...string) (reports []push.Report, err error) {
	all, err := p.AllTargets(ctx)
	if err != nil {
		return nil, err
	}
	subject := ""
	if len(only) > 0 {
		subject = strings.Join(only, ",")
		all = slices.DeleteFunc(slices.Clone(all), func(t Target) bool { return !slices.Contains(only, t.ID) })
	}
	targets := make([]push.Target, 0, len(all))
	var errs []error
	for _, t := range all {
		conn, err := p.open(ctx, t.Kind, t.Values)
		if err != nil {
			errs = append(errs, fmt.Errorf("target %s: %w", t.ID, err))
			continue
		}
		defer func() { _ = conn.Close() }() // what was handed over was answered
		pusher, ok := conn.(connectors.Pusher)
		if !ok {
			errs = append(errs, fault.Newf(fault.Invalid, "target "+t.ID, "a connection of kind %s cannot push", t.Kind))
			continue
		}
		targets = append(targets, push.Target{ID: t.ID, Fields: t.Fields, Pusher: pusher})
	}
	err = p.recorded(ctx, "push", subject, func(string) (chain.Run, string, error) {
		var err error
		reports, err = p.Sender.Push(ctx, targets)
		return chain.Run{}, pushNote(reports), err
	})
	return reports, errors.Join(append(errs, err)...)
}

func pushNote(reports []push.Report) string {
	var sum push.Report
	for _, r := range reports {
		sum.Sent += r.Sent
		sum.Acknowledged += r.Acknowledged
		sum.Rejected += r.Rejected
		sum.Open += r.Open
	}
	return chain.Notef("sent %d, acknowledged %d, rejected %d, open %d", sum.Sent, sum.Acknowledged, sum.Rejected, sum.Open)
}
