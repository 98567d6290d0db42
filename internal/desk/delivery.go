package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinshu/internal/fault"
	"xinshu/internal/state"
)

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
