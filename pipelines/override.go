package pipelines

import (
	"context"
	"fmt"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/pipelines/settle"
)

// Override states in the lake that a code is good, or no longer is. It says whether that is news.
func (p *Pipeline) Override(ctx context.Context, o settle.Override) (stated bool, err error) {
	err = p.recorded(ctx, "override", o.Code, func(run string) (chain.Run, string, error) {
		result, err := p.Settler.AddMarks(ctx, run, []settle.Statement{o.Statement(catalog.DateOf(p.Now()))})
		done := chain.Run{}
		if stated = result.Committed; stated {
			done.Chain, done.N = chain.Settled, result.N
		}
		return done, fmt.Sprintf("stated %t", stated), err
	})
	return stated, err
}
