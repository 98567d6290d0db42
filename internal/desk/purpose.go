package desk

import (
	"cmp"
	"context"

	"xinshu/internal/auth"
)

// fetched is passed by everyone who takes many results at once: the purpose is named, or the one the
// account was approved for, and it is kept with what was taken.
func (d *Desk) fetched(ctx context.Context, op, policy, purpose string) error {
	purpose = cmp.Or(purpose, auth.From(ctx).Scope.Purpose)
	if err := purposed(ctx, op, purpose); err != nil {
		return err
	}
	return d.viewed(ctx, Asked{Policy: policy, Purpose: purpose})
}
