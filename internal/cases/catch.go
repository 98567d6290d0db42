package cases

import (
	"context"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// Said is a mark as the lake holds it, with the day it was received on.
type Said struct {
	Mark
	ReceivedOn catalog.Date
}

// Catch brings rows up to what the lake says: a process may have died between the two, or the
// database may be an older copy or new. What only the database knew, such as papers asked for, is
// then lost; that a case was opened or decided is not. It says how many rows it changed.
func (o *Office) Catch(ctx context.Context, said []Said) (int, error) {
	caught := 0
	for _, s := range said {
		no := CaseOf(s.ID)
		if no == "" || strings.Contains(s.ID, "/") {
			continue
		}
		changed, err := o.catch(ctx, no, s)
		if err != nil {
			return caught, err
		}
		if changed {
			caught++
		}
	}
	return caught, nil
}

func (o *Office) catch(ctx context.Context, no string, s Said) (bool, error) {
	const by = "lake"
	c, _, err := o.Rows.Case(ctx, no)
	lost := fault.Is(err, fault.NotFound)
	if err != nil && !lost {
		return false, err
	}
	if lost {
		c = Case{No: no, Kind: kindOf(s.Kind), State: Open, USCC: s.USCC, Target: s.Target, Way: "platform", Claim: s.Evidence,
			ReceivedOn: s.ReceivedOn, WaitingSince: catalog.NoDate, Evidence: []Item{}}
		if s.Kind == "objection_open" {
			c.ReceivedOn = s.EffectiveOn
		}
		c.Limit = LimitOf(c.Kind, "", o.Catalog.Policies)
		if _, err := o.Rows.RestoreCase(ctx, c, Event{By: by, What: Open, Note: s.Evidence}); err != nil {
			return false, err
		}
		if c, _, err = o.Rows.Case(ctx, no); err != nil {
			return false, err
		}
	}
	switch {
	case s.Kind == "objection_open":
		if c.State != Open {
			return lost, nil
		}
		_, err = o.move(ctx, c, Accepted, by, s.Evidence)
	case c.State.Decided():
		return lost, nil
	default:
		d := c.Decision
		if d == nil {
			d = &Decision{Upheld: s.Kind != "objection_rejected", Withdrawn: strings.HasPrefix(s.Evidence, withdrawnWords),
				DecidedOn: s.EffectiveOn, Reason: s.Evidence, By: s.DecidedBy}
		}
		c.Decision = d
		_, err = o.move(ctx, c, outcome(*d), by, s.Evidence)
	}
	if fault.Is(err, fault.Conflict) {
		return false, nil // another node was faster
	}
	return err == nil, err
}

func kindOf(mark string) Kind {
	switch mark {
	case "repair":
		return Repair
	case "completion":
		return Completion
	}
	return Objection
}
