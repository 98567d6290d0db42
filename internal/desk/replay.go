package desk

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Replay asks for a window of what was published to go to one target once more.
type Replay struct {
	Target      string
	Policies    []string  // empty: all
	From, Until time.Time // of publication, half open; or:
	First, Last int64     // releases of one policy, both included
	Reason      string
}

// Replayed is what came of it.
type Replayed struct {
	Releases int   `json:"releases"` // that lie in the window
	Unknown  int   `json:"unknown"`  // releases whose time this database does not know: it was rebuilt after them
	Rows     int64 `json:"rows"`     // that are due by it: answered before, and still the newest of their entity
}

// Replay sends a target again what was published in a window. Rows keep their ids, so the target keeps
// one record of each; what a newer version has replaced does not go out again.
func (d *Desk) Replay(ctx context.Context, r Replay) (Replayed, error) {
	var out Replayed
	op := "replay to " + r.Target
	if err := auth.Require(ctx, auth.DeliveriesChange); err != nil {
		return out, err
	}
	if err := d.hasTarget(ctx, r.Target); err != nil {
		return out, err
	}
	byTime := !r.From.IsZero() && r.From.Before(r.Until)
	byRelease := r.First > 0 && r.First <= r.Last && len(r.Policies) == 1
	switch {
	case byTime == byRelease:
		return out, &fault.Error{Op: op, Code: fault.Invalid, Err: errors.New("the window is not clear"),
			Hint: "give a beginning and a later end in time, or one policy with its first and last release"}
	case r.Reason == "":
		return out, &fault.Error{Op: op, Code: fault.Invalid, Err: errors.New("no reason is given"), Hint: "say why; it is kept in the audit trail"}
	}
	if len(r.Policies) == 0 {
		for _, p := range d.Catalog.Policies {
			r.Policies = append(r.Policies, p.ID)
		}
	}
	if err := d.note(ctx, "deliveries.replay", "target", r.Target, map[string]string{"reason": r.Reason, "window": r.window(), "policies": fmt.Sprint(r.Policies)}); err != nil {
		return out, err
	}
	defer d.forgetCounts()
	for _, policy := range r.Policies {
		if _, ok := d.Catalog.Policy(policy); !ok {
			return out, &fault.Error{Op: op, Code: fault.NotFound, Err: fmt.Errorf("there is no policy %q", policy), Hint: "see xinshu policy list"}
		}
		if err := d.replay(ctx, r, policy, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (r Replay) window() string {
	if r.First > 0 {
		return strconv.FormatInt(r.First, 10) + " to " + strconv.FormatInt(r.Last, 10)
	}
	return r.From.Format(time.RFC3339) + " to " + r.Until.Format(time.RFC3339)
}

// replay finds the files of the window in the log, which keeps the changes of all time, and makes
// their rows due.
func (d *Desk) replay(ctx context.Context, r Replay, policy string, out *Replayed) error {
	head, err := d.Lake.Head(ctx, chain.Published(policy))
	if err != nil || head.N == 0 {
		return err
	}
	times, err := d.State.ReleasedAt(ctx, policy)
	if err != nil {
		return err
	}
	inside, unknown := map[int64]bool{}, map[int64]bool{}
	window := head
	window.Files = nil
	for _, f := range head.Table("change") {
		at, known := times[f.N]
		switch {
		case r.First > 0 && (f.N < r.First || f.N > r.Last):
		case r.First == 0 && !known:
			unknown[f.N] = true
		case r.First == 0 && (at.Before(r.From) || !at.Before(r.Until)):
		default:
			inside[f.N] = true
			window.Files = append(window.Files, f)
		}
	}
	out.Releases, out.Unknown = out.Releases+len(inside), out.Unknown+len(unknown)
	if len(inside) == 0 {
		return nil
	}
	rows, err := d.State.Replay(ctx, r.Target, policy, d.Pipeline.Publisher.Changes(ctx, window, 0))
	out.Rows += rows
	return err
}
