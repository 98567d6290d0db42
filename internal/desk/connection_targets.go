package desk

import (
	"context"
	"iter"

	"xinshu/internal/state"
)

// made yields the connections of a role that run state keeps, with their secrets.
func (d *Desk) made(ctx context.Context, role string) iter.Seq2[Given, error] {
	return func(yield func(Given, error) bool) {
		kept, err := d.State.Connections(ctx, role)
		if err != nil {
			yield(Given{}, err)
			return
		}
		for _, k := range kept {
			g, err := d.opened(k)
			if !yield(g, err) || err != nil {
				return
			}
		}
	}
}

// SetTargets tells run state which targets there are and what each may get: those of the config and
// those that were made. It is done at start and after every change of a target.
func (d *Desk) SetTargets(ctx context.Context) error {
	all, err := d.Connections(ctx, TargetRole)
	if err != nil {
		return err
	}
	targets := make([]state.Target, len(all))
	for i, c := range all {
		l := c.Limits
		targets[i] = state.Target{ID: c.ID, Kind: c.Kind, Public: l.Public, Policies: l.Policies, Regions: l.Regions, Industries: l.Industries, Fields: l.Fields}
	}
	return d.State.SetTargets(ctx, targets)
}
