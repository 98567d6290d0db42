package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/results"
)

// policyFor gives a policy whose results the actor may see.
func (d *Desk) policyFor(ctx context.Context, id string) (catalog.Policy, error) {
	p, ok := d.Catalog.Policy(id)
	if !ok {
		return p, &fault.Error{Op: "choose the policy", Code: fault.NotFound, Err: fmt.Errorf("there is no policy %q", id), Hint: "see xinshu policy list"}
	}
	if !auth.From(ctx).Scope.HasPolicy(id) {
		return p, &fault.Error{Op: "choose the policy", Code: fault.Forbidden, Err: errors.New("results of this policy are outside of what the account may see"), Hint: "an administrator can widen its scope"}
	}
	return p, nil
}

// Policies lists those whose results the actor may see, drafts aside.
func (d *Desk) Policies(ctx context.Context) []catalog.Policy {
	scope := auth.From(ctx).Scope
	return slices.DeleteFunc(slices.Clone(d.Catalog.Policies), func(p catalog.Policy) bool { return p.Status == "draft" || !scope.HasPolicy(p.ID) })
}

// entityFor gives an entity that the actor may see.
func (d *Desk) entityFor(ctx context.Context, uscc string) (e results.Entity, err error) {
	if err := d.registry(ctx, func(r *results.Registry) error {
		e, err = r.Entity(ctx, uscc)
		return err
	}); err != nil {
		return e, err
	}
	if !auth.From(ctx).Scope.SeesEntity(e.USCC, e.Division, e.Industry) {
		return e, &fault.Error{Op: "look up " + uscc, Code: fault.Forbidden, Err: errors.New("this entity is outside of what the account may see"), Hint: "an administrator can widen its areas, industries or entities"}
	}
	return e, nil
}

// purposed refuses a question about an entity that names no purpose, or another one than the actor's
// access was approved for.
func purposed(ctx context.Context, op, purpose string) error {
	if err := auth.From(ctx).MayFor(purpose); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}
