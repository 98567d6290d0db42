package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// DeliveryPage is a page of the deliveries to a target, the newest first.
type DeliveryPage struct {
	Deliveries []state.Delivery `json:"deliveries"`
	Next       string           `json:"next,omitempty"`
}

// DeliveriesTo lists deliveries of one state, or of any, from where the last page ended.
func (d *Desk) DeliveriesTo(ctx context.Context, target, deliveryState, cursor string, most int) (DeliveryPage, error) {
	var out DeliveryPage
	if deliveryState != "" && !slices.Contains([]string{"due", "awaiting", "done", "open", "void"}, deliveryState) {
		return out, &fault.Error{Op: "list deliveries", Code: fault.Invalid, Err: fmt.Errorf("%q is no state of a delivery", deliveryState), Hint: "choose due, awaiting, done, open or void"}
	}
	before, id, err := deliveryCursor(cursor)
	if err != nil {
		return out, err
	}
	most = bounded(most, 20)
	list, err := d.State.Deliveries(ctx, target, deliveryState, before, id, most+1)
	if err != nil {
		return out, err
	}
	if len(list) > most {
		list = list[:most]
		last := list[most-1]
		out.Next = strconv.FormatInt(last.Made.UnixMilli(), 10) + "." + last.ID
	}
	out.Deliveries = list
	return out, nil
}

func deliveryCursor(cursor string) (before time.Time, id string, err error) {
	if cursor == "" {
		return before, "", nil
	}
	for i, c := range cursor {
		if c != '.' {
			continue
		}
		ms, err := strconv.ParseInt(cursor[:i], 10, 64)
		if err == nil {
			return time.UnixMilli(ms), cursor[i+1:], nil
		}
		break
	}
	return before, "", badCursor()
}

func badCursor() error {
	return &fault.Error{Op: "go on with the list", Code: fault.Invalid, Err: errors.New("the place in the list cannot be read"), Hint: "begin the list anew"}
}

func bounded(most, usual int) int {
	if most <= 0 || most > mostHits {
		return usual
	}
	return most
}

// DeliveryDetail is one delivery with its tries, its receipts and its rows.
type DeliveryDetail struct {
	state.Delivery
	Tries    []state.Attempt  `json:"attempts"`
	Receipts []state.Received `json:"receipts"`
	Rows     []state.Told     `json:"rows"`
	Next     string           `json:"next,omitempty"` // code that the page of rows ended with
}

// mostTold bounds the attempts and receipts that are shown of a delivery.
const mostTold = 200

// Delivery tells all of one delivery; rows of a state alone, after a code.
func (d *Desk) Delivery(ctx context.Context, id, rowState, after string, most int) (DeliveryDetail, error) {
	var out DeliveryDetail
	var err error
	if out.Delivery, err = d.State.Delivery(ctx, id); err != nil {
		return out, err
	}
	if out.Tries, err = d.State.Attempts(ctx, id, mostTold); err != nil {
		return out, err
	}
	if out.Receipts, err = d.State.Receipts(ctx, id, mostTold); err != nil {
		return out, err
	}
	most = bounded(most, 50)
	if out.Rows, err = d.State.RowsOf(ctx, id, rowState, after, most+1); err != nil {
		return out, err
	}
	if len(out.Rows) > most {
		out.Rows = out.Rows[:most]
		out.Next = out.Rows[most-1].USCC
	}
	return out, nil
}

// RejectedPage is a page of what a target rejected for a reason.
type RejectedPage struct {
	Rows []Told `json:"rows"`
	Next string `json:"next,omitempty"`
}

// Rejected lists the rows that stand rejected by a target with one code, the newest answer first.
func (d *Desk) Rejected(ctx context.Context, target, code, cursor string, most int) (RejectedPage, error) {
	after, err := toldCursor(cursor)
	if err != nil {
		return RejectedPage{}, err
	}
	most = bounded(most, 50)
	rows, err := d.State.Rejections(ctx, target, code, after, most+1)
	if err != nil {
		return RejectedPage{}, err
	}
	out := RejectedPage{Rows: rows}
	if len(rows) > most {
		last := rows[most-1]
		out.Rows = rows[:most]
		out.Next = fmt.Sprintf("%d,%s,%s,%d", last.Answered.UnixMilli(), last.Policy, last.USCC, last.Version)
	}
	return out, nil
}

func toldCursor(place string) (t Told, err error) {
	if place == "" {
		return t, nil
	}
	parts := strings.Split(place, ",")
	if len(parts) == 4 {
		ms, errAt := strconv.ParseInt(parts[0], 10, 64)
		version, errVersion := strconv.ParseInt(parts[3], 10, 64)
		if errAt == nil && errVersion == nil {
			return Told{Answered: time.UnixMilli(ms), Policy: parts[1], USCC: parts[2], Version: version}, nil
		}
	}
	return t, badCursor()
}

// ToldOf tells what targets were told of one entity, and what they answered. It is a question about
// the entity and wants a purpose.
func (d *Desk) ToldOf(ctx context.Context, uscc, purpose string) ([]state.Told, error) {
	if err := purposed(ctx, "read the deliveries of an entity", purpose); err != nil {
		return nil, err
	}
	uscc, err := d.CheckCode(uscc)
	if err != nil {
		return nil, err
	}
	if _, err := d.entityFor(ctx, uscc); err != nil {
		return nil, err
	}
	if err := d.viewed(ctx, Asked{USCC: uscc, Purpose: purpose}); err != nil {
		return nil, err
	}
	return d.toldOf(ctx, uscc)
}

func (d *Desk) toldOf(ctx context.Context, uscc string) ([]state.Told, error) {
	var policies []string
	for _, p := range d.Policies(ctx) {
		policies = append(policies, p.ID)
	}
	return d.State.ToldOf(ctx, uscc, policies, mostTold)
}

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
