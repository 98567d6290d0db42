package score

import (
	"context"
	"path/filepath"
	"strconv"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/grading"
)

// open starts DuckDB with the policy, the clocks and the marks, which are one small table for all.
func (w work) open(ctx context.Context) (*duck.DB, error) {
	options := w.Duck
	if options.TempDir == "" {
		options.TempDir = w.Lake.TempDir()
	}
	db, err := duck.Open(options)
	if err != nil {
		return nil, err
	}
	err = grading.Prepare(ctx, db, w.models, w.policy, w.clocks)
	if err == nil {
		err = w.view(ctx, db, "settled_mark", w.settled.Table("mark"), grading.MarkColumns)
	}
	if err == nil {
		err = w.views(ctx, db, nil, nil) // typed, so that the models over them can be made
	}
	if err == nil {
		err = w.models.Views(ctx, db)
	}
	if err != nil {
		return nil, closed(err, db)
	}
	return db, nil
}

func (w work) views(ctx context.Context, db *duck.DB, records, entities []chain.File) error {
	if err := w.view(ctx, db, "settled_record", records, grading.RecordColumns); err != nil {
		return err
	}
	return w.view(ctx, db, "settled_entity", entities, grading.EntityColumns)
}

func (s *Scorer) view(ctx context.Context, db *duck.DB, name string, files []chain.File, cols []duck.Column) error {
	paths, err := s.local(ctx, files)
	if err != nil {
		return err
	}
	return db.View(ctx, name, paths, cols)
}

// put writes one table of one group, in the order of its entities.
func (w work) put(ctx context.Context, db *duck.DB, part int, table string) (chain.File, error) {
	path := filepath.Join(w.Lake.TempDir(), "score-"+w.run+"-"+table+"-"+strconv.Itoa(part)+".parquet")
	rows, err := db.Copy(ctx, "select * from "+table, path)
	if err != nil {
		return chain.File{}, err
	}
	var low, high int64
	err = db.One(ctx, "select coalesce(min(entity_id), 0), coalesce(max(entity_id), 0) from grade", nil, &low, &high)
	if err != nil {
		return chain.File{}, err
	}
	return w.Lake.Put(ctx, chain.Object{Chain: chain.Scored(w.policy.ID), Run: w.run, Table: table, Part: part, Range: chain.NoRange,
		Path: path, Rows: rows, MinID: low, MaxID: high})
}
