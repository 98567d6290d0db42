package pipelines

import (
	"context"

	"xinshu/internal/chain"
	"xinshu/pipelines/settle"
)

// Mark puts what a case says about records into the lake, whatever is staged. It says whether that is
// news; the same statement again changes nothing.
func (p *Pipeline) Mark(ctx context.Context, caseNo string, m settle.Statement) (stated bool, err error) {
	return p.state(ctx, "case", caseNo, []settle.Statement{m})
}

// state commits marks alone, as a run of its own.
func (p *Pipeline) state(ctx context.Context, step, subject string, marks []settle.Statement) (stated bool, err error) {
	err = p.recorded(ctx, step, subject, func(run string) (chain.Run, string, error) {
		result, err := p.Settler.AddMarks(ctx, run, marks)
		done := chain.Run{}
		if stated = result.Committed; stated {
			done.Chain, done.N = chain.Settled, result.N
		}
		if !stated {
			return done, chain.Notef("stated before"), err
		}
		return done, chain.Notef("stated"), err
	})
	return stated, err
}
