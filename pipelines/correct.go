package pipelines

import (
	"context"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/pipelines/stage"
)

// Correct stages rows that somebody gives in the place of refused ones, as a run of its own.
func (p *Pipeline) Correct(ctx context.Context, ds catalog.Dataset, c stage.Correction) (result stage.Result, err error) {
	err = p.recordedAs(ctx, chain.Run{ID: newRunID(p.Now()), Step: "correct", Subject: ds.ID, Source: c.Source}, func(run string) (chain.Run, string, error) {
		var err error
		c.Run = run
		result, err = p.Stager.Correct(ctx, ds, c)
		return stagedRun(result), countsNote(result.Ledger), err
	})
	return result, err
}
