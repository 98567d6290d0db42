package desk

import (
	"context"

	"xinshu/internal/chain"
)

// Runs gives the newest runs first, at most so many.
func (d *Desk) Runs(ctx context.Context, most int) ([]chain.Run, error) {
	return d.State.Runs(ctx, most)
}
