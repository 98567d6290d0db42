package work

import (
	"context"
	"errors"
	"slices"

	"xinshu/internal/chain"
	"xinshu/pipelines"
	"xinshu/pipelines/schedule"
)

// replay makes a window due again for a target, policy by policy. One that was broken off is made
// again from its beginning: a row that went out meanwhile goes out once more, under the same id.
func (w *Worker) replay(ctx context.Context, h *schedule.Hold) error {
	asked := h.Task().Work
	window := pipelines.Window{From: asked.Replay.From, Until: asked.Replay.Until, First: asked.Replay.First, Last: asked.Replay.Last}
	var errs []error
	for _, policy := range w.Pipeline.Catalog.Policies {
		if len(asked.Policies) > 0 && !slices.Contains(asked.Policies, policy.ID) {
			continue
		}
		if err := ended(ctx); err != nil {
			return err
		}
		if err := w.Follow(ctx, chain.Published(policy.ID)); err != nil { // what another node published and could not record
			return err
		}
		for _, target := range asked.Targets {
			k := schedule.Key{Step: schedule.DoReplay, Subject: target + "/" + policy.ID}
			errs = append(errs, h.Step(ctx, k, []string{"replay to " + target}, func(ctx context.Context) (string, error) {
				_, err := w.Pipeline.Replay(ctx, target, policy.ID, window)
				return "", err
			}))
		}
	}
	return errors.Join(errs...)
}
