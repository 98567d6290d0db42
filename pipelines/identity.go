package pipelines

import (
	"context"

	"xinshu/internal/chain"
	"xinshu/pipelines/settle"
)

// Judge puts a judgement about identity into the lake. Scores that are corrected to its day or later
// follow it; nothing is settled anew.
func (p *Pipeline) Judge(ctx context.Context, j settle.Judgement) (judged settle.JudgedResult, err error) {
	err = p.recorded(ctx, "identity", j.Kind, func(run string) (chain.Run, string, error) {
		var err error
		judged, err = p.Settler.Judge(ctx, run, j)
		done := chain.Run{}
		if judged.Committed {
			done.Chain, done.N = chain.Settled, judged.N
		}
		return done, chain.Notef("%s %s, by %s", judged.ID, j.Kind, j.By), err
	})
	return judged, err
}
