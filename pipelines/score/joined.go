package score

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
)

// joined are the records that are counted for another entity than the one they lie with, gathered
// once for all groups: a group then reads its stretch of them beside its own ranges.
type joined struct {
	path string // of the records, ordered by the entity they are counted for; empty: nobody's records move
}

// gather works out whose records are counted for whom and puts those that move, and those that stay
// with an entity that gives some away, into one local file.
func (w *work) gather(ctx context.Context, db *duck.DB) error {
	rows, err := w.models.Identify(ctx, db)
	if err != nil || rows == 0 {
		return err
	}
	parting, err := w.partingFiles(ctx, db)
	if err != nil {
		return err
	}
	if err := w.view(ctx, db, "parting_record", parting, grading.RecordColumns); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(w.Lake.TempDir(), "score-joined-")
	if err != nil {
		return fault.Newf(fault.Internal, "make a folder for joined records", "%w", err)
	}
	w.joined.path = filepath.Join(dir, "record.parquet")
	if _, err := db.Copy(ctx, w.models.Rejoin(), w.joined.path); err != nil {
		return err
	}
	return db.View(ctx, "joined_record", []string{w.joined.path}, grading.RecordColumns)
}

// partingFiles are the files of the ranges from which records go elsewhere.
func (w *work) partingFiles(ctx context.Context, db *duck.DB) ([]chain.File, error) {
	rows, err := db.Query(ctx, "select distinct from_id >> $1 from identity where from_id is not null", rangeBits)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	parting := map[int64]bool{}
	for rows.Next() {
		var r int64
		if err := rows.Scan(&r); err != nil {
			return nil, err
		}
		parting[r] = true
	}
	var files []chain.File
	for _, f := range w.settled.Table("record") {
		if parting[f.Range] {
			files = append(files, f)
		}
	}
	return files, rows.Err()
}

// groupViews makes the settled relations of a group: its own records, but for those of entities that
// give records away, and those that are counted for its entities.
func (w *work) groupViews(ctx context.Context, db *duck.DB, g RangeGroup) error {
	if w.joined.path == "" {
		return w.Views(ctx, db, g)
	}
	if err := w.namedViews(ctx, db, g, "lying_record"); err != nil {
		return err
	}
	from, until := g.ids()
	return db.Exec(ctx, fmt.Sprintf(`create or replace view settled_record as
		select * from lying_record where entity_id not in (select from_id from identity where from_id is not null)
		union all by name
		select * from joined_record where entity_id >= %d and entity_id < %d`, from, until))
}

// successors writes which code each merged one was merged into, for those who were told its grade.
func (w *work) successors(ctx context.Context, db *duck.DB) ([]chain.File, error) {
	if w.joined.path == "" {
		return nil, nil
	}
	path := filepath.Join(filepath.Dir(w.joined.path), "successor.parquet")
	rows, err := db.Copy(ctx, `select code as uscc, to_code as successor from identity
		where dataset is null and record_id is null and length(code) = 18 order by code`, path)
	if err != nil || rows == 0 {
		return nil, err
	}
	f, err := w.Lake.Put(ctx, chain.Object{Chain: chain.Scored(w.policy.ID), Run: w.run, Table: "successor", Range: chain.NoRange, Path: path, Rows: rows})
	return []chain.File{f}, err
}

// forget deletes the gathered records. What fails here costs room in the temporary folder, which is swept.
func (j joined) forget() {
	if j.path != "" {
		_ = os.RemoveAll(filepath.Dir(j.path))
	}
}
