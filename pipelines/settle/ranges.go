package settle

import (
	"context"
	"fmt"
	"path/filepath"

	"xinshu/internal/duck"
)

// writeRanges writes each range that rows came for anew and whole, one after another: that, and not
// the size of the lake, is what memory has to hold.
func (w *work) writeRanges(ctx context.Context) error {
	ranges, err := w.touched(ctx)
	if err != nil {
		return err
	}
	for _, r := range ranges {
		if err := w.writeRange(ctx, r); err != nil {
			return fmt.Errorf("settle range %05d: %w", r, err)
		}
	}
	w.result.Ranges = len(ranges)
	return nil
}

func (w *work) writeRange(ctx context.Context, r int64) error {
	for table, view := range map[string]string{Record: "old_record", Entity: "old_entity"} {
		paths, err := w.paths(ctx, table, r)
		if err != nil {
			return err
		}
		if err := w.db.View(ctx, view, paths, w.columns("settled_"+table)); err != nil {
			return err
		}
	}
	if err := w.slices(ctx, r); err != nil {
		return err
	}
	if err := w.db.Create(ctx, w.models.named["record_version"]); err != nil {
		return err
	}
	path := filepath.Join(w.dir, fmt.Sprintf("record-%05d.parquet", r))
	rows, err := w.db.Copy(ctx, w.query("settled_record"), path)
	if err != nil {
		return err
	}
	w.result.Records += rows
	if err := w.matchIn(ctx, []string{path}); err != nil {
		return err
	}
	if err := w.put(ctx, Record, r, path, rows); err != nil {
		return err
	}
	return w.writeEntities(ctx, r)
}

// slices cuts the range out of what came: records, what registrations say, and codes never seen before.
func (w *work) slices(ctx context.Context, r int64) error {
	from, until := r<<RangeBits, (r+1)<<RangeBits
	cut := func(name string, files []string, columns []duck.Column) error {
		columns = append([]duck.Column{{Name: "entity_id", Type: "BIGINT"}}, columns...)
		if err := w.db.View(ctx, "all_"+name, files, columns); err != nil {
			return err
		}
		return w.db.Exec(ctx, fmt.Sprintf("create or replace view %s as select * from all_%s where entity_id >= %d and entity_id < %d",
			name, name, from, until))
	}
	if err := cut("incoming", w.incoming, w.columns("stg_registration")); err != nil {
		return err
	}
	if err := cut("incoming_entity", w.entities, w.columns("stg_entity")); err != nil {
		return err
	}
	return w.db.Exec(ctx, fmt.Sprintf(`create or replace view seen as
		select entity_id, uscc, arg_max(name, (source_time, dataset, stage_n, row_no)) as name, min(received_on) as received_on
		from incoming where entity_id > %d group by entity_id, uscc`, w.lastID))
}

// writeEntities leaves a range's entities alone when nothing was said about them.
func (w *work) writeEntities(ctx context.Context, r int64) error {
	var said bool
	if err := w.db.One(ctx, "select exists (select 1 from incoming_entity) or exists (select 1 from seen)", nil, &said); err != nil || !said {
		return err
	}
	path := filepath.Join(w.dir, fmt.Sprintf("entity-%05d.parquet", r))
	rows, err := w.db.Copy(ctx, w.query("settled_entity"), path)
	if err != nil {
		return err
	}
	return w.put(ctx, Entity, r, path, rows)
}
