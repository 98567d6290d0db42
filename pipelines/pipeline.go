package pipelines

import (
	"context"
	"errors"
	"slices"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/pipelines/publish"
	"xinshu/pipelines/push"
	"xinshu/pipelines/score"
	"xinshu/pipelines/settle"
	"xinshu/pipelines/stage"
)

// Heads is the part of the lake that tells where a chain stands.
type Heads interface {
	Head(ctx context.Context, chainName string) (chain.Entry, error)
}

// Pipeline runs steps. Its fields are set once, before use.
type Pipeline struct {
	Catalog   *catalog.Catalog
	Drivers   map[string]connectors.Driver // by kind
	Sources   []Source                     // of the config
	Targets   []Target                     // of the config
	Made      Made                         // nil where there are none but those of the config
	Heads     Heads
	Stager    *stage.Stager
	Settler   *settle.Settler
	Scorer    *score.Scorer
	Publisher *publish.Publisher
	Sender    *push.Sender
	Runs      Runs
	Posts     Posts // nil where nothing is received
	Told      Told  // nil where nothing is replayed
	Now       func() time.Time
	Watch     func(Event) // may be nil; called from several goroutines, one at a time each
	Parallel  int         // sources pulled side by side; 0: one after another

	posts turns
}

// Made gives the sources and targets that people made while the hub runs, as they stand now.
type Made interface {
	MadeSources(ctx context.Context) ([]Source, error)
	MadeTargets(ctx context.Context) ([]Target, error)
}

// AllSources gives those of the config, then those that were made.
func (p *Pipeline) AllSources(ctx context.Context) ([]Source, error) {
	if p.Made == nil {
		return p.Sources, nil
	}
	made, err := p.Made.MadeSources(ctx)
	return append(slices.Clip(p.Sources), made...), err
}

// AllTargets gives those of the config, then those that were made.
func (p *Pipeline) AllTargets(ctx context.Context) ([]Target, error) {
	if p.Made == nil {
		return p.Targets, nil
	}
	made, err := p.Made.MadeTargets(ctx)
	return append(slices.Clip(p.Targets), made...), err
}

// Target is one platform that results are pushed to.
type Target struct {
	ID     string
	Kind   string
	Values connectors.Values
	Fields []string
}

// Choice says what a run is about. No source and no datasets choose all of them; policies are scored
// only when they are named.
type Choice struct {
	Source   string
	Datasets []string
	Policies []string
	Clocks   score.Clocks // AsOf NoDate: a dynamic policy's today, a yearly one's last cut-off
	NoPush   bool
	Reload   bool   // pull from the beginning; what is known already is told as duplicate
	Again    *Again // pull this stretch and nothing else; it wants one source and one dataset
	// Around is handed each pull of a dataset and calls it, or not, with a context of its own; nil: it is just done.
	Around func(ctx context.Context, source, dataset string, pull func(context.Context) error) error
}

func (c Choice) dataset(id string) bool {
	return len(c.Datasets) == 0 || slices.Contains(c.Datasets, id)
}

// Outcome is what a run came to. Its members are filled as far as the run came.
type Outcome struct {
	Pulls   []Pulled
	Settled settle.Result
	Scores  []Scored
	Pushes  []push.Report
}

// Run does all steps in order: pull and stage, settle, score, publish, push. What fails in one source
// or policy does not hold up the others; the error names everything that failed.
func (p *Pipeline) Run(ctx context.Context, c Choice) (Outcome, error) {
	var (
		o    Outcome
		errs []error
	)
	pulls, err := p.Pull(ctx, c)
	o.Pulls = pulls
	errs = append(errs, err)
	if o.Settled, err = p.Settle(ctx); err != nil {
		return o, errors.Join(append(errs, err)...) // scoring would not see what was pulled
	}
	for _, policy := range p.chosen(c) {
		scored, err := p.Score(ctx, policy, c.Clocks)
		if err == nil {
			scored.Published, err = p.Publish(ctx, policy, scored.Result)
			o.Scores = append(o.Scores, scored)
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			return o, errors.Join(errs...)
		}
	}
	if !c.NoPush {
		o.Pushes, err = p.Push(ctx)
		errs = append(errs, err)
	}
	return o, errors.Join(errs...)
}

// chosen gives the policies that a choice names, in the catalogue's order.
func (p *Pipeline) chosen(c Choice) []catalog.Policy {
	var policies []catalog.Policy
	for _, policy := range p.Catalog.Policies {
		if slices.Contains(c.Policies, policy.ID) {
			policies = append(policies, policy)
		}
	}
	return policies
}
