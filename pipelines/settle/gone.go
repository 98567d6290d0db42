package settle

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"xinshu/internal/duck"
)

// goneColumns name records that a whole pull no longer has, with the content of the row that was the
// last about each, and the stage entry that found it gone.
var goneColumns = []duck.Column{
	{Name: "record_id", Type: "VARCHAR"}, {Name: "row_sha", Type: "VARCHAR"},
	{Name: "gone_on", Type: "DATE"}, {Name: "gone_time", Type: "TIMESTAMP"}, {Name: "stage_n", Type: "BIGINT"},
}

// anyGone says whether some record left the stock of its source.
func (n news) anyGone() bool {
	return slices.ContainsFunc(n.batches, func(b batch) bool { return len(b.gone) > 0 })
}

// gone ends the records that have left their source's stock, in the ranges where they stand.
func (w *work) gone(ctx context.Context, batches []batch) error {
	var paths []string
	var places [][]any
	for _, b := range batches {
		for _, f := range b.gone {
			path, err := w.settler.Lake.Local(ctx, f)
			if err != nil {
				return fmt.Errorf("read %s: %w", f.Key, err)
			}
			paths, places = append(paths, path), append(places, []any{path, f.N})
		}
	}
	if len(paths) == 0 {
		return nil
	}
	if err := w.db.Table(ctx, "gone_file", []duck.Column{{Name: "filename", Type: "VARCHAR"}, {Name: "stage_n", Type: "BIGINT"}}, places); err != nil {
		return err
	}
	if err := w.db.Exec(ctx, `create or replace view gone as
		select r.record_id, r.row_sha, r.gone_on, cast(r.gone_time as timestamp) as gone_time, f.stage_n
		from `+duck.Parquet(paths)+` as r join gone_file as f on f.filename = r.filename`); err != nil {
		return err
	}
	path := filepath.Join(w.dir, "gone.parquet")
	rows, err := w.db.Copy(ctx, w.query("gone_record"), path)
	if err == nil && rows > 0 {
		w.incoming = append(w.incoming, path)
		w.result.Gone += rows
	}
	return err
}
