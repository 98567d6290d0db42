package desk

import (
	"context"
	"fmt"
	"slices"

	"xinshu/catalog"
	"xinshu/internal/cases"
	"xinshu/internal/fault"
	"xinshu/pipelines"
	"xinshu/pipelines/schedule"
	"xinshu/pipelines/score"
)

// Corrected is a result that a decided case changes or may change: it is scored again under the same
// cut-off, corrected to the day of the decision or later, and published.
type Corrected struct {
	Policy      string       `json:"policy"`
	AsOf        catalog.Date `json:"as_of"`
	CorrectedTo catalog.Date `json:"corrected_to"`
	Done        bool         `json:"done"` // the newest published result follows the decision already
}

// Command is what does it by hand.
func (c Corrected) Command() string {
	return fmt.Sprintf("xinshu score --policy %s --as-of %s --corrected-to %s, then publish and push", c.Policy, c.AsOf, c.CorrectedTo)
}

// corrected works out which results a case's decision reaches: of a yearly policy its newest cut-off,
// of a dynamic one today's. A policy that no record of the kind counts for stays as it is.
func (d *Desk) corrected(ctx context.Context, c cases.Case) ([]Corrected, error) {
	results := []Corrected{}
	for _, p := range d.Catalog.Policies {
		if !counts(p, c.Target.Kind) {
			continue
		}
		newest, err := d.Pipeline.Scorer.Newest(ctx, p)
		if fault.Is(err, fault.NotFound) {
			continue // never scored: the first result follows the decision anyway
		}
		if err != nil {
			return nil, err
		}
		n, err := d.saidIn(ctx, c)
		if err != nil {
			return nil, err
		}
		r := Corrected{Policy: p.ID, AsOf: newest.Clocks.AsOf, CorrectedTo: d.Today()}
		if p.Cycle != "yearly" {
			r.AsOf = d.Today()
		}
		r.Done = newest.Clocks.MarksSeq >= n && newest.Clocks.CorrectedTo >= c.Decision.DecidedOn
		if r.Done {
			r.AsOf, r.CorrectedTo = newest.Clocks.AsOf, newest.Clocks.CorrectedTo
		}
		results = append(results, r)
	}
	return results, nil
}

// counts says whether a record of a kind means something to a policy; of an unknown kind it may.
func counts(p catalog.Policy, kind string) bool {
	if kind == "" || slices.ContainsFunc(p.Overrides, func(o catalog.Override) bool { return o.When == kind && !o.Off }) {
		return true
	}
	return slices.ContainsFunc(p.Indicators, func(i catalog.Indicator) bool {
		return slices.ContainsFunc(i.Rules, func(r catalog.Rule) bool { return r.Kind == kind })
	})
}

// saidIn gives the settled snapshot that brought a case's decision.
func (d *Desk) saidIn(ctx context.Context, c cases.Case) (int64, error) {
	marks, err := d.caseMarks(ctx, c.No)
	if err != nil {
		return 0, err
	}
	var n int64
	for _, m := range marks {
		n = max(n, m.KnownFrom)
	}
	return n, nil
}

// QueueCorrections queues what brings the results that a case reaches up to it.
func (d *Desk) QueueCorrections(ctx context.Context, no string) error {
	v, err := d.caseView(ctx, no)
	if err != nil {
		return err
	}
	for _, r := range v.Results {
		if r.Done {
			continue
		}
		w := schedule.Work{Do: schedule.DoGrade, Policies: []string{r.Policy}, AsOf: r.AsOf.String(), CorrectedTo: r.CorrectedTo.String()}
		if _, err := d.Start(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// Correct scores, publishes and pushes the results that a case reaches and that do not follow it yet.
func (d *Desk) Correct(ctx context.Context, no string) ([]pipelines.Scored, error) {
	v, err := d.caseView(ctx, no)
	if err != nil {
		return nil, err
	}
	var done []pipelines.Scored
	for _, r := range v.Results {
		if r.Done {
			continue
		}
		p, _ := d.Catalog.Policy(r.Policy)
		scored, err := d.Pipeline.Score(ctx, p, score.Clocks{AsOf: r.AsOf, CorrectedTo: r.CorrectedTo})
		if err == nil {
			scored.Published, err = d.Pipeline.Publish(ctx, p, scored.Result)
		}
		if err != nil {
			return done, err
		}
		done = append(done, scored)
	}
	return done, nil
}

// unanswered names the targets that have not taken the newest statement about an entity: it is on its
// way, or they refused it.
func (d *Desk) unanswered(ctx context.Context, uscc string) ([]string, error) {
	waits := []string{}
	for _, p := range d.Catalog.Policies {
		held, err := d.State.Holdings(ctx, p.ID, uscc)
		if err != nil {
			return nil, err
		}
		for _, h := range held {
			if h.Acknowledged != h.Sent {
				waits = append(waits, h.Target)
			}
		}
		open, err := d.State.Unanswered(ctx, p.ID, uscc)
		if err != nil {
			return nil, err
		}
		waits = append(waits, open...)
	}
	slices.Sort(waits)
	return slices.Compact(waits), nil
}
