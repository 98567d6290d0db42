package score

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/grading"
)

// open starts DuckDB with the policy, the clocks and what is stored whole: marks, aliases, judgements.
func (w *work) open(ctx context.Context) (*duck.DB, error) {
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
		err = grading.SetPlatforms(ctx, db, w.Platforms)
	}
	for _, r := range grading.Small {
		if err == nil {
			err = w.view(ctx, db, r.Name, w.settled.Table(r.Table), r.Columns)
		}
	}
	if err == nil {
		err = w.coverage(ctx, db)
	}
	if err == nil {
		err = w.Views(ctx, db, RangeGroup{}) // typed, so that the models over them can be made
	}
	if err == nil {
		err = w.models.Views(ctx, db)
	}
	if err == nil {
		err = w.gather(ctx, db)
	}
	if err != nil {
		return nil, closed(err, db)
	}
	return db, nil
}

// coverage tells which datasets are complete, and which are on hold.
func (w work) coverage(ctx context.Context, db *duck.DB) error {
	paths, err := w.local(ctx, w.settled.Table("coverage"))
	if err != nil {
		return err
	}
	return grading.SetCoverage(ctx, db, paths)
}

// Views names the settled records and entities of a group, so that models can be run over them.
func (s *Scorer) Views(ctx context.Context, db *duck.DB, g RangeGroup) error {
	return s.namedViews(ctx, db, g, "settled_record")
}

// namedViews is Views, but for the name of the records.
func (s *Scorer) namedViews(ctx context.Context, db *duck.DB, g RangeGroup, records string) error {
	for _, v := range []struct {
		name  string
		files []chain.File
		cols  []duck.Column
	}{{records, g.Records, grading.RecordColumns}, {"settled_entity", g.Entities, grading.EntityColumns}} {
		if g.Until == 0 {
			if err := s.view(ctx, db, v.name, v.files, v.cols); err != nil {
				return err
			}
			continue
		}
		if err := s.view(ctx, db, "range_of_"+v.name, v.files, v.cols); err != nil {
			return err
		}
		if err := db.Exec(ctx, fmt.Sprintf("create or replace view %s as select * from range_of_%s where entity_id >= %d and entity_id < %d",
			v.name, v.name, g.From, g.Until)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scorer) view(ctx context.Context, db *duck.DB, name string, files []chain.File, cols []duck.Column) error {
	paths, err := s.local(ctx, files)
	if err != nil {
		return err
	}
	return db.View(ctx, name, paths, cols)
}

// write writes one table of one group to a local file, in the order of its entities.
func (w work) write(ctx context.Context, db *duck.DB, part int, table string) (chain.Object, error) {
	path := filepath.Join(w.Lake.TempDir(), "score-"+w.run+"-"+table+"-"+strconv.Itoa(part)+".parquet")
	rows, err := db.Copy(ctx, "select * from "+table, path)
	if err != nil {
		return chain.Object{}, err
	}
	var low, high int64
	err = db.One(ctx, "select coalesce(min(entity_id), 0), coalesce(max(entity_id), 0) from grade", nil, &low, &high)
	if err != nil {
		return chain.Object{}, err
	}
	return chain.Object{Chain: chain.Scored(w.policy.ID), Run: w.run, Table: table, Part: part, Range: chain.NoRange,
		Path: path, Rows: rows, MinID: low, MaxID: high}, nil
}
