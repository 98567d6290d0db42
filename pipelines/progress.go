package pipelines

import (
	"context"
	"iter"
	"time"

	"xinshu/connectors"
	"xinshu/internal/chain"
)

// tellEvery is how often a long pull says how far it is.
const tellEvery = 2 * time.Second

// counted passes pages on and tells the task that pulls them, now and then, how many rows came.
func counted(ctx context.Context, pages iter.Seq2[connectors.Page, error]) iter.Seq2[connectors.Page, error] {
	told := chain.HolderOf(ctx).Told
	if told == nil {
		return pages
	}
	return func(yield func(connectors.Page, error) bool) {
		var rows, count int64
		last := time.Now()
		for page, err := range pages {
			if page.Batch != nil {
				rows += page.Batch.NumRows()
			}
			count++
			if now := time.Now(); now.Sub(last) >= tellEvery {
				last = now
				told(chain.Notef("read %d rows in %d pages so far", rows, count))
			}
			if !yield(page, err) {
				return
			}
		}
	}
}
