package desk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/state"
)

// TargetLine is how deliveries to one target stand.
type TargetLine struct {
	ID        string      `json:"id"`
	Kind      string      `json:"kind"`
	Limits    Limits      `json:"limits"`
	Count     state.Count `json:"count"`
	CountedAt time.Time   `json:"counted_at"`
	Waiting   int64       `json:"waiting"`        // rows that waited when it was counted
	Since     time.Time   `json:"since,omitzero"` // when the oldest of them was published
	Lag       string      `json:"lag"`            // fresh, late
	Failing   string      `json:"failing"`        // code of the last failure of what waits; empty: none
	Message   string      `json:"message"`        // of that failure
	Next      time.Time   `json:"next,omitzero"`  // when it is tried again; zero: it waits for a person, or nothing waits
	Problems  []Problem   `json:"problems"`       // what was tried and is not done
}

// What run state says of deliveries, for who may not ask it.
type (
	// Problem is a delivery that was tried and is not done.
	Problem = state.Problem
	// Told is a row as a target was told it.
	Told = state.Told
	// Count is how far the deliveries to one target are, in rows.
	Count = state.Count
	// Day is what a target answered on one day.
	Day = state.Day
)

// lagLate is how long something may wait before the target counts as late.
const lagLate = time.Hour

// Deliveries tells how each target stands.
func (d *Desk) Deliveries(ctx context.Context) ([]TargetLine, error) {
	targets, err := d.Connections(ctx, TargetRole)
	if err != nil {
		return nil, err
	}
	counts, lags, at, err := d.standOfTargets(ctx)
	if err != nil {
		return nil, err
	}
	problems, err := d.State.Problems(ctx)
	if err != nil {
		return nil, err
	}
	lines := make([]TargetLine, len(targets))
	for i, t := range targets {
		l := TargetLine{ID: t.ID, Kind: t.Kind, Limits: t.Limits, CountedAt: at, Lag: "fresh", Problems: []Problem{}}
		if j := slices.IndexFunc(counts, func(c state.Count) bool { return c.Target == t.ID }); j >= 0 {
			l.Count = counts[j]
		}
		for _, lag := range lags {
			if lag.Target != t.ID {
				continue
			}
			l.Waiting += lag.Rows
			if !lag.Since.IsZero() && (l.Since.IsZero() || lag.Since.Before(l.Since)) {
				l.Since = lag.Since
			}
		}
		if l.Waiting > 0 && !l.Since.IsZero() && d.Now().Sub(l.Since) > lagLate {
			l.Lag = "late"
		}
		for _, p := range problems {
			if p.Target != t.ID {
				continue
			}
			l.Problems = append(l.Problems, p)
			if p.Code != "" {
				l.Failing, l.Message, l.Next = p.Code, p.Message, p.Next
			}
		}
		lines[i] = l
	}
	return lines, nil
}

// TargetDetail is one target with what it answered.
type TargetDetail struct {
	TargetLine
	Days    []state.Day    `json:"days"`    // the last thirty on which it answered
	Reasons []state.Reason `json:"reasons"` // why rows stand rejected
}

// daysShown is how far back the chart of a target goes.
const daysShown = 30

// Target tells how one target stands.
func (d *Desk) Target(ctx context.Context, id string) (TargetDetail, error) {
	lines, err := d.Deliveries(ctx)
	if err != nil {
		return TargetDetail{}, err
	}
	i := slices.IndexFunc(lines, func(l TargetLine) bool { return l.ID == id })
	if i < 0 {
		return TargetDetail{}, noTarget(id)
	}
	out := TargetDetail{TargetLine: lines[i]}
	if out.Days, err = d.State.Days(ctx, id, d.Today().AddDays(1-daysShown).Time().Add(-8*time.Hour)); err != nil {
		return out, err
	}
	out.Reasons, err = d.State.Reasons(ctx, id)
	return out, err
}

func noTarget(id string) error {
	return &fault.Error{Op: "choose the target", Code: fault.NotFound, Err: fmt.Errorf("there is no target %q", id), Hint: "see the list of targets"}
}

// mostTold bounds the attempts and receipts that are shown of a delivery.
const mostTold = 200

// Retry has tried again what waits for a person at a target: open deliveries, and rows that stand
// rejected. It gives how many rows are due by it.
func (d *Desk) Retry(ctx context.Context, target string) (int64, error) {
	if err := auth.Require(ctx, auth.DeliveriesChange); err != nil {
		return 0, err
	}
	if err := d.hasTarget(ctx, target); err != nil {
		return 0, err
	}
	if err := d.note(ctx, "deliveries.retry", "target", target, nil); err != nil {
		return 0, err
	}
	defer d.forgetCounts()
	return d.State.Reopen(ctx, target)
}

func (d *Desk) hasTarget(ctx context.Context, id string) error {
	targets, err := d.Connections(ctx, TargetRole)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(targets, func(c Connection) bool { return c.ID == id }) {
		return noTarget(id)
	}
	return nil
}
