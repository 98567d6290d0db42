package desk

import (
	"context"
	"strconv"

	"xinshu/internal/auth"
)

// What is looked at is kept before it is shown: an answer that the trail cannot hold is not given.

// viewed keeps that an entity's data is looked at, and for what; it refuses a purpose that is none.
func (d *Desk) viewed(ctx context.Context, a Asked) error {
	act := auth.Act{Action: "grade.view", Kind: "grade", ID: a.Policy, USCC: a.USCC}
	if a.AsOf > 0 {
		act.Detail = map[string]string{"as_of": a.AsOf.String()}
	}
	return d.look(ctx, act, a.Purpose)
}

// searched keeps a search, and how many entities it named.
func (d *Desk) searched(ctx context.Context, s Search, found int) error {
	return d.look(ctx, auth.Act{Action: "entity.search", Kind: "entity", Detail: map[string]string{"text": s.Text, "found": strconv.Itoa(found)}}, s.Purpose)
}

// listed keeps that a list of those who moved is looked at.
func (d *Desk) listed(ctx context.Context, m Moving, found int) error {
	return d.look(ctx, auth.Act{Action: "grade.movers", Kind: "policy", ID: m.Policy, Detail: map[string]string{"from": m.GradeFrom, "to": m.GradeTo,
		"releases": strconv.FormatInt(m.From, 10) + " to " + strconv.FormatInt(m.To, 10), "found": strconv.Itoa(found)}}, m.Purpose)
}

func (d *Desk) look(ctx context.Context, act auth.Act, purpose string) error {
	if d.Trail == nil {
		return auth.From(ctx).MayFor(purpose)
	}
	return d.Trail.Look(ctx, act, purpose)
}
