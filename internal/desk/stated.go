package desk

import (
	"cmp"
	"context"
	"encoding/json"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/pipelines/push"
)

// StatedGrade is what is published about one entity under one policy, as the actor may see it.
type StatedGrade struct {
	Policy    string
	Version   int64
	Retracted bool
	Body      json.RawMessage
}

// Stated gives what is published about an entity now, under one policy or under every one that the
// actor may see. Somebody outside the actor's scope is answered as somebody of whom nothing is
// published: that there is a result is not told either.
func (d *Desk) Stated(ctx context.Context, uscc, policy, purpose string) ([]StatedGrade, error) {
	const op = "read what is published about an entity"
	verdict := d.Catalog.CheckUSCC(uscc)
	if !verdict.Valid {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Hint: "this is not a unified social credit code: 18 characters, the last one a check digit"}
	}
	uscc = verdict.Normalized
	policies, err := d.readable(ctx, op, policy)
	if err != nil {
		return nil, err
	}
	scope := auth.From(ctx).Scope
	purpose = cmp.Or(purpose, scope.Purpose)
	if err := purposed(ctx, op, purpose); err != nil {
		return nil, err
	}
	if err := d.viewed(ctx, Asked{USCC: uscc, Policy: policy, Purpose: purpose}); err != nil {
		return nil, err
	}
	tailor := push.NewTailor(scope.Fields)
	var grades []StatedGrade
	for _, p := range policies {
		st, found, err := d.State.Stated(ctx, p, uscc)
		if err != nil {
			return nil, err
		}
		if !found || !scope.SeesEntity(st.USCC, st.Division, st.Industry) {
			continue
		}
		body, err := tailor.Cut(st.Body, st.Kind)
		if err != nil {
			return nil, fault.Newf(fault.Internal, op, "%w", err)
		}
		grades = append(grades, StatedGrade{Policy: p, Version: st.Version, Retracted: st.Kind == "retraction", Body: body})
	}
	if len(grades) == 0 {
		return nil, &fault.Error{Op: op, Code: fault.NotFound, Hint: "nothing that this account may see is published about this code"}
	}
	return grades, nil
}
