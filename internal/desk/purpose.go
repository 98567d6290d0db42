package desk

import (
	"cmp"
	"context"

	"xinshu/internal/auth"
)

// fetched is passed by everyone who takes many results at once: the purpose is named, or the one the
// account was approved for, and it is kept with what was taken.
func (d *Desk) fetched(ctx context.Context, action, policy, purpose string) error {
	return d.look(ctx, auth.Act{Action: action, Kind: "policy", ID: policy}, cmp.Or(purpose, auth.From(ctx).Scope.Purpose))
}
