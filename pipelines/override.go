package pipelines

import (
	"context"

	"xinshu/catalog"
	"xinshu/pipelines/settle"
)

// Override states in the lake that a code is good, or no longer is. It says whether that is news.
func (p *Pipeline) Override(ctx context.Context, o settle.Override) (stated bool, err error) {
	return p.state(ctx, "override", o.Code, []settle.Statement{o.Statement(catalog.DateOf(p.Now()))})
}
