package settle

import (
	"context"
	"path/filepath"

	"xinshu/catalog"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// register gives every code an id: the one it has, or the next in the order of codes. Ids are never
// reused, for the greatest ever given is in the head's list of files. Records then lie sorted by id.
func (w *work) register(ctx context.Context, in news) error {
	for _, f := range w.head.Table(Entity) {
		w.lastID = max(w.lastID, f.MaxID)
	}
	if err := w.everyEntity(ctx); err != nil {
		return err
	}
	if err := w.db.Table(ctx, "registry", registryColumns, nil); err != nil { // there even when only departures came
		return err
	}
	if err := w.number(ctx); err != nil {
		return err
	}
	if len(w.incoming) == 0 && !in.anyGone() {
		return nil
	}
	if err := w.lines(ctx); err != nil {
		return err
	}
	if err := w.moved(ctx); err != nil {
		return err
	}
	return w.gone(ctx, in.batches)
}

// registryColumns are the ids of the codes at hand.
var registryColumns = []duck.Column{{Name: "uscc", Type: "VARCHAR"}, {Name: "entity_id", Type: "BIGINT"}}

// number gives the rows that came their ids.
func (w *work) number(ctx context.Context) error {
	if len(w.incoming) == 0 {
		return nil
	}
	if err := w.db.Exec(ctx, "create or replace table code as select distinct uscc from "+duck.Parquet(w.incoming)); err != nil {
		return err
	}
	if err := w.db.Exec(ctx, `create or replace table registry as
		select distinct e.uscc, e.entity_id from every_entity as e join code as c on c.uscc = e.uscc`); err != nil {
		return err
	}
	if err := w.db.Exec(ctx, `create or replace table fresh_code as
		select uscc from code where uscc not in (select uscc from registry)`); err != nil {
		return err
	}
	if err := w.refusePersons(ctx); err != nil {
		return err
	}
	if err := w.db.Exec(ctx, `insert into registry
		select uscc, $1 + row_number() over (order by uscc) from fresh_code`, w.lastID); err != nil {
		return err
	}
	if err := w.db.One(ctx, "select count(*) from fresh_code", nil, &w.result.Entities); err != nil {
		return err
	}
	if err := w.sorted(ctx, "incoming", &w.incoming); err != nil {
		return err
	}
	return w.sorted(ctx, "incoming_entity", &w.entities)
}

// everyEntity makes the view of the entities of all ranges, where codes find their ids.
func (w *work) everyEntity(ctx context.Context) error {
	var paths []string
	for _, f := range w.head.Table(Entity) {
		path, err := w.settler.Lake.Local(ctx, f)
		if err != nil {
			return err
		}
		paths = append(paths, path)
	}
	return w.db.View(ctx, "every_entity", paths, w.columns("settled_entity"))
}

// refusePersons is the last wall before a natural person would become an entity: staging sends their
// rows away, so one that comes this far means that staging is broken, and nothing is settled.
func (w *work) refusePersons(ctx context.Context) error {
	rows, err := w.db.Query(ctx, "select uscc from fresh_code")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	for rows.Next() {
		var code string
		if err := rows.Scan(&code); err != nil {
			return fault.Newf(fault.Internal, "read codes", "%w", err)
		}
		if v := catalog.CheckUSCC(code); v.Reason == catalog.PIIIDCard {
			return &fault.Error{Op: "settle code " + v.Normalized, Code: fault.Invalid,
				Hint: "a staged row is about a natural person; look for it in the newest stage entries and withdraw that dataset's run"}
		}
	}
	if err := rows.Err(); err != nil {
		return fault.Newf(fault.Internal, "read codes", "%w", err)
	}
	return nil
}

// sorted puts files of rows with codes into one file of rows with ids, in their order, so that a
// range is a stretch of it. DuckDB spills the sort to disk when memory does not hold it.
func (w *work) sorted(ctx context.Context, name string, files *[]string) error {
	if len(*files) == 0 {
		return nil
	}
	path := filepath.Join(w.dir, name+".parquet")
	_, err := w.db.Copy(ctx, "select r.entity_id, i.* exclude (filename) from "+duck.Parquet(*files)+
		" as i join registry as r on r.uscc = i.uscc order by r.entity_id", path)
	*files = []string{path}
	return err
}

// lines makes the views of every record there is and of every row that came, where what happened to a
// record elsewhere is looked up.
func (w *work) lines(ctx context.Context) error {
	var old []string
	for _, f := range w.head.Table(Record) {
		path, err := w.settler.Lake.Local(ctx, f)
		if err != nil {
			return err
		}
		old = append(old, path)
	}
	if err := w.db.View(ctx, "every_record", old, w.columns("settled_record")); err != nil {
		return err
	}
	return w.db.View(ctx, "arrived", w.incoming, w.columns("moved_record"))
}

// moved adds a row for every entity that loses a record to another code: sources correct codes, and
// a record must not stay with whom it was never about. That entity's range is written anew as well.
func (w *work) moved(ctx context.Context) error {
	if len(w.incoming) == 0 {
		return nil
	}
	path := filepath.Join(w.dir, "moved.parquet")
	rows, err := w.db.Copy(ctx, w.query("moved_record"), path)
	if err == nil && rows > 0 {
		w.incoming = append(w.incoming, path)
	}
	return err
}

// touched are the ranges that rows came for.
func (w *work) touched(ctx context.Context) ([]int64, error) {
	if len(w.incoming) == 0 {
		return nil, nil
	}
	return w.numbers(ctx, "select distinct entity_id >> $1 as r from "+duck.Parquet(w.incoming)+" order by r", RangeBits)
}

func (w *work) numbers(ctx context.Context, query string, args ...any) ([]int64, error) {
	rows, err := w.db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var numbers []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, fault.Newf(fault.Internal, "read numbers", "%w", err)
		}
		numbers = append(numbers, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fault.Newf(fault.Internal, "read numbers", "%w", err)
	}
	return numbers, nil
}
