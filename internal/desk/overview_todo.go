package desk

import (
	"context"
	"slices"

	"xinshu/internal/auth"
	"xinshu/internal/cases"
	"xinshu/internal/release"
	"xinshu/pipelines/schedule"
)

// Todo is something that waits for a person.
type Todo struct {
	What  string // broken, held, late, alerts, tasks ...
	Count int64
	Path  string // of the console
	Tone  string // bad, warn, hold, info
	right auth.Right
}

// todo gathers what waits for a person, the most pressing first, as far as the actor may see to it.
func (d *Desk) todo(ctx context.Context, o Overview) ([]Todo, error) {
	actor := auth.From(ctx)
	var person, rejected int64
	for _, c := range o.Counts {
		person += c.ForPerson
		rejected += c.Rejected
	}
	list := []Todo{
		{Broken, int64(o.Tally[Broken]), "/sources?state=broken", "bad", auth.SourcesSee},
		{Held, int64(o.Tally[Held]), "/sources?state=held", "hold", auth.SourcesSee},
		{"for_person", person, "/deliveries", "bad", auth.DeliveriesSee},
	}
	for _, ask := range []struct {
		right auth.Right
		count func(context.Context) (Todo, error)
	}{{auth.AlertsSee, d.alertsTodo}, {auth.RunsSee, d.tasksTodo}, {auth.CasesSee, d.casesTodo}, {auth.PoliciesApprove, d.policiesTodo}, {auth.CatalogueApprove, d.contractsTodo}, {auth.QuarantineSee, d.quarantineTodo}} {
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
	list = append(list, Todo{"rejected", rejected, "/deliveries", "warn", auth.DeliveriesSee},
		Todo{Late, int64(o.Tally[Late]), "/sources?state=late", "warn", auth.SourcesSee},
		Todo{Never, int64(o.Tally[Never]), "/sources?state=never", "warn", auth.SourcesSee})
	return slices.DeleteFunc(list, func(t Todo) bool { return t.Count == 0 || !actor.May(t.right) }), nil
}

func (d *Desk) alertsTodo(ctx context.Context) (Todo, error) {
	open, err := d.OpenAlerts(ctx)
	return Todo{What: "alerts", Count: int64(len(open)), Path: "/alerts", Tone: "bad"}, err
}

// tasksTodo counts the newest tasks that failed; more than a page of them is one trouble.
func (d *Desk) tasksTodo(ctx context.Context) (Todo, error) {
	t := Todo{What: "tasks", Path: "/runs?state=failed", Tone: "bad"}
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

func (d *Desk) casesTodo(ctx context.Context) (Todo, error) {
	open, err := d.Cases(ctx, cases.Filter{Undecided: true})
	return Todo{What: "cases", Count: int64(len(open)), Path: "/cases?undecided=true", Tone: "info"}, err
}

// contractsTodo and policiesTodo count proposals that somebody else made.
func (d *Desk) contractsTodo(ctx context.Context) (Todo, error) {
	n, err := d.toReview(ctx, release.Contract)
	return Todo{What: "contracts", Count: n, Path: "/catalogue/proposals", Tone: "info"}, err
}

func (d *Desk) policiesTodo(ctx context.Context) (Todo, error) {
	n, err := d.toReview(ctx, release.Policy)
	return Todo{What: "policies", Count: n, Path: "/policies/proposals", Tone: "info"}, err
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

func (d *Desk) quarantineTodo(ctx context.Context) (Todo, error) {
	sum, err := d.QuarantineSummary(ctx, RefusedRows{})
	return Todo{What: "quarantine", Count: sum.Total.Open, Path: "/quarantine", Tone: "warn"}, err
}
