package pipelines

import (
	"context"
	"fmt"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/pipelines/stage"
)

// Correct stages rows that somebody gives in the place of refused ones, as a run of its own.
func (p *Pipeline) Correct(ctx context.Context, ds catalog.Dataset, c stage.Correction) (result stage.Result, err error) {
	err = p.recorded(ctx, "correct", ds.ID, func(run string) (chain.Run, string, error) {
		var err error
		c.Run = run
		result, err = p.Stager.Correct(ctx, ds, c)
		done := chain.Run{Ledger: result.Ledger}
		if result.Entry.N > 0 {
			done.Chain, done.N = result.Entry.Chain, result.Entry.N
		}
		l := result.Ledger
		return done, fmt.Sprintf("read %d, accepted %d, duplicate %d, quarantined %d, skipped %d", l.Read, l.Accepted, l.Duplicate, l.Quarantined, l.Skipped), err
	})
	return result, err
}
