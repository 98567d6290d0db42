package settle

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// Judged is the table of judgements.
const Judged = "judgement"

// judged is a row of the table judgement as far as a new judgement has to know it.
type judged struct {
	id, kind, uscc, successor string
	dataset, recordID, undoes string
	entityID, successorID     int64
	effectiveOn               catalog.Date
	undone                    bool
}

// judgements loads what was judged before into the table judged, and gives it in order.
func (w *work) judgements(ctx context.Context) ([]judged, error) {
	paths, err := w.paths(ctx, Judged, chain.NoRange)
	if err != nil {
		return nil, err
	}
	if err := w.db.View(ctx, "old_judgement", paths, judgementColumns); err != nil {
		return nil, err
	}
	if err := w.db.Exec(ctx, "create or replace table judged as select * from old_judgement"); err != nil {
		return nil, err
	}
	rows, err := w.db.Query(ctx, `select judgement_id, kind, uscc, coalesce(successor, ''), coalesce(dataset, ''), coalesce(record_id, ''),
		coalesce(undoes, ''), coalesce(entity_id, 0), coalesce(successor_id, 0), effective_on
		from judged order by known_from, judgement_id, dataset nulls first, record_id nulls first`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var all []judged
	undone := map[string]bool{}
	for rows.Next() {
		var b judged
		var on time.Time
		if err := rows.Scan(&b.id, &b.kind, &b.uscc, &b.successor, &b.dataset, &b.recordID, &b.undoes, &b.entityID, &b.successorID, &on); err != nil {
			return nil, fault.Newf(fault.Internal, "read judgements", "%w", err)
		}
		b.effectiveOn = catalog.DateOf(on)
		undone[b.undoes] = true
		all = append(all, b)
	}
	if err := rows.Err(); err != nil {
		return nil, fault.Newf(fault.Internal, "read judgements", "%w", err)
	}
	for i := range all {
		all[i].undone = undone[all[i].id]
	}
	return all, nil
}

// idOf gives the id of a code that a judgement names.
func (w *work) idOf(ctx context.Context, j Judgement, code string) (int64, error) {
	if err := w.everyEntity(ctx); err != nil {
		return 0, err
	}
	var id sql.NullInt64
	if err := w.db.One(ctx, "select max(entity_id) from every_entity where uscc = "+duck.Text(code), nil, &id); err != nil {
		return 0, err
	}
	if !id.Valid {
		return 0, &fault.Error{Op: j.op(), Code: fault.NotFound, Err: fmt.Errorf("no settled record names %s", code),
			Hint: "check the code with xinshu uscc check; a code is known once a row about it is settled"}
	}
	return id.Int64, nil
}

// holds refuses a record that the lake does not have: a judgement about nothing is a slip of the pen.
// Whose it is now is left open, for it may have come to the code by an earlier judgement or a number.
func (w *work) holds(ctx context.Context, j Judgement, record string) error {
	var paths []string
	for _, f := range w.head.Table(Record) {
		path, err := w.settler.Lake.Local(ctx, f)
		if err != nil {
			return err
		}
		paths = append(paths, path)
	}
	if err := w.db.View(ctx, "every_record", paths, w.columns("settled_record")); err != nil {
		return err
	}
	var registration sql.NullBool
	if err := w.db.One(ctx, "select bool_or(family = 'registration') from every_record where record_id = "+duck.Text(record), nil, &registration); err != nil {
		return err
	}
	switch {
	case !registration.Valid:
		return &fault.Error{Op: j.op(), Code: fault.NotFound, Err: fmt.Errorf("there is no record %q", record),
			Hint: "xinshu explain --json shows the ids of an entity's records"}
	case registration.Bool:
		return &fault.Error{Op: j.op(), Code: fault.Invalid, Err: fmt.Errorf("record %s is a registration", record),
			Hint: "a registration says who the entity itself is; have the register correct it"}
	}
	return nil
}
