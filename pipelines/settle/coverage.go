package settle

import (
	"context"
	"path/filepath"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
)

// deliveryColumns are what each dataset brought: up to which day of receipt, and how many rows.
var deliveryColumns = []duck.Column{{Name: "dataset", Type: "VARCHAR"}, {Name: "received_to", Type: "DATE"}, {Name: "rows", Type: "BIGINT"}}

// holdColumns are the datasets that a feed of is on hold.
var holdColumns = []duck.Column{{Name: "dataset", Type: "VARCHAR"}, {Name: "held_since", Type: "DATE"}}

// deliver notes the newest day of receipt of each dataset among the rows at hand. A row that a steward
// mended says nothing about how far its source has delivered.
func (w *work) deliver(ctx context.Context, g familyBatch) error {
	var mended [][]any
	for _, b := range g.batches {
		for _, n := range b.mended {
			mended = append(mended, []any{b.dataset.ID, n})
		}
	}
	columns := []duck.Column{{Name: "dataset", Type: "VARCHAR"}, {Name: "stage_n", Type: "BIGINT"}}
	if err := w.db.Table(ctx, "mended_commit", columns, mended); err != nil {
		return err
	}
	return w.db.Exec(ctx, `
		insert into delivery select dataset, max(received_on), count(*)
		from staged anti join mended_commit using (dataset, stage_n) group by dataset`)
}

// writeCoverage says how far each dataset that delivered now reaches.
func (w *work) writeCoverage(ctx context.Context, in news) error {
	if len(in.batches) == 0 {
		return nil
	}
	var empty, holds [][]any
	for _, b := range in.batches {
		if b.held != nil {
			holds = append(holds, []any{b.dataset.ID, b.held})
		}
		if b.accepted == 0 && b.pulled {
			empty = append(empty, []any{b.dataset.ID, w.settler.today(), int64(0)})
		}
	}
	if err := w.db.Append(ctx, "delivery", deliveryColumns, empty); err != nil {
		return err
	}
	if err := w.db.Table(ctx, "feed_hold", holdColumns, holds); err != nil {
		return err
	}
	old, err := w.paths(ctx, Coverage, chain.NoRange)
	if err != nil {
		return err
	}
	if err := w.db.Older(ctx, "old_coverage", old, w.columns("settled_coverage")); err != nil {
		return err
	}
	path := filepath.Join(w.dir, "coverage.parquet")
	n, err := w.db.Copy(ctx, w.query("settled_coverage"), path)
	if err != nil {
		return err
	}
	known := int64(0)
	for _, f := range w.head.Table(Coverage) {
		known += f.Rows
	}
	if n == known {
		return nil // nothing but what was known: they delivered nothing, and no hold began or ended
	}
	return w.put(ctx, Coverage, chain.NoRange, path, n)
}

// today is the hub's wall date in Shanghai: the day up to which a delivery without rows is complete.
func (s *Settler) today() time.Time {
	year, month, day := s.Now().In(shanghai).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// shanghai has had no daylight saving since 1991; a fixed zone needs no zone files on the host.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)
