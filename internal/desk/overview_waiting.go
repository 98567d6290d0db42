package desk

import (
	"context"
	"slices"

	"xinshu/internal/auth"
	"xinshu/internal/cases"
	"xinshu/internal/release"
	"xinshu/pipelines/schedule"
)

// Waiting is something that waits for a person.
type Waiting struct {
	What  string // broken, held, late, alerts, tasks ...
	Count int64
	Path  string // of the console
	Tone  string // bad, warn, hold, info
	right auth.Right

	Counting int // datasets that are still being counted: there may be more than Count
}

// waiting gathers what waits for a person, the most pressing first, as far as the actor may see to it.
func (d *Desk) waiting(ctx context.Context, o Overview) ([]Waiting, error) {
	actor := auth.From(ctx)
	var person, rejected int64
	for _, c := range o.Counts {
		person += c.ForPerson
		rejected += c.Rejected
	}
	list := []Waiting{
		{What: Broken, Count: int64(o.Tally[Broken]), Path: "/sources?state=broken", Tone: "bad", right: auth.SourcesSee},
		{What: Held, Count: int64(o.Tally[Held]), Path: "/sources?state=held", Tone: "hold", right: auth.SourcesSee},
		{What: "for_person", Count: person, Path: "/deliveries", Tone: "bad", right: auth.DeliveriesSee},
	}
	if actor.May(auth.CasesSee) {
		cases, err := d.waitingCases(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, cases...)
	}
	for _, ask := range []struct {
		right auth.Right
		count func(context.Context) (Waiting, error)
	}{{auth.AlertsSee, d.waitingAlerts}, {auth.RunsSee, d.waitingTasks}, {auth.PoliciesApprove, d.waitingPolicies}, {auth.CatalogueApprove, d.waitingContracts}, {auth.QuarantineSee, d.waitingQuarantine}} {
		if !actor.May(ask.right) {
			continue
		}
		t, err := ask.count(ctx)
		if err != nil {
			return nil, err
		}
		t.right = ask.right
		list = append(list, t)
	}
	list = append(list, Waiting{What: "rejected", Count: rejected, Path: "/deliveries", Tone: "warn", right: auth.DeliveriesSee},
		Waiting{What: Late, Count: int64(o.Tally[Late]), Path: "/sources?state=late", Tone: "warn", right: auth.SourcesSee},
		Waiting{What: Never, Count: int64(o.Tally[Never]), Path: "/sources?state=never", Tone: "warn", right: auth.SourcesSee})
	return slices.DeleteFunc(list, func(t Waiting) bool { return t.Count == 0 && t.Counting == 0 || !actor.May(t.right) }), nil
}

func (d *Desk) waitingAlerts(ctx context.Context) (Waiting, error) {
	open, err := d.OpenAlerts(ctx)
	return Waiting{What: "alerts", Count: int64(len(open)), Path: "/alerts", Tone: "bad"}, err
}

// waitingTasks counts the newest tasks that failed; more than a page of them is one trouble.
func (d *Desk) waitingTasks(ctx context.Context) (Waiting, error) {
	t := Waiting{What: "tasks", Path: "/runs?state=failed", Tone: "bad"}
	if d.Book == nil {
		return t, nil
	}
	page, err := d.Book.Tasks(ctx, schedule.Filter{States: []string{schedule.Failed}, Most: 100})
	since := d.Now().AddDate(0, 0, -1)
	for _, task := range page.Tasks {
		if task.Ended.After(since) {
			t.Count++
		}
	}
	return t, err
}

// waitingCases counts those whose last day is over apart from those that have time.
func (d *Desk) waitingCases(ctx context.Context) ([]Waiting, error) {
	open, err := d.Cases(ctx, cases.Filter{Undecided: true})
	late := Waiting{What: "cases_late", Count: 0, Path: "/cases?undecided=true", Tone: "bad", right: auth.CasesSee}
	for _, c := range open {
		if c.Clock.Late {
			late.Count++
		}
	}
	return []Waiting{late, {What: "cases", Count: int64(len(open)) - late.Count, Path: "/cases?undecided=true", Tone: "info", right: auth.CasesSee}}, err
}

// waitingContracts and waitingPolicies count proposals that somebody else made.
func (d *Desk) waitingContracts(ctx context.Context) (Waiting, error) {
	n, err := d.toReview(ctx, release.Contract)
	return Waiting{What: "contracts", Count: n, Path: "/catalogue/proposals", Tone: "info"}, err
}

func (d *Desk) waitingPolicies(ctx context.Context) (Waiting, error) {
	n, err := d.toReview(ctx, release.Policy)
	return Waiting{What: "policies", Count: n, Path: "/proposals/policies", Tone: "info"}, err
}

func (d *Desk) toReview(ctx context.Context, part release.Part) (n int64, err error) {
	proposals, err := d.Releases(ctx, release.Filter{Part: part, State: release.Proposed})
	for _, p := range proposals {
		if p.By != auth.From(ctx).ID {
			n++
		}
	}
	return n, err
}

func (d *Desk) waitingQuarantine(ctx context.Context) (Waiting, error) {
	sum, behind, err := d.QuarantineAtHand(ctx, RefusedRows{})
	return Waiting{What: "quarantine", Count: sum.Total.Open, Path: "/quarantine", Tone: "warn", Counting: behind}, err
}
