package settle

import (
	"context"
	"fmt"
	"path/filepath"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
)

// numberColumns are the numbers from before 2015 that rows and marks name: those known, and those new.
var numberColumns = []duck.Column{{Name: "number", Type: "VARCHAR"}, {Name: "number_id", Type: "BIGINT"},
	{Name: "known_from", Type: "BIGINT"}, {Name: "fresh", Type: "BOOLEAN"}}

var rangeColumns = []duck.Column{{Name: "r", Type: "BIGINT"}}

// writeAliases says who is known under the numbers that rows came under. A number is new once; until
// then nobody asked for it, so the registrations of the whole lake are looked through for it. For a
// number that is known only the ranges written now can say anything new.
func (w *work) writeAliases(ctx context.Context) error {
	fresh, known, err := w.numbersNamed(ctx)
	if err != nil || fresh+known == 0 {
		return err
	}
	if err := w.claims(ctx, fresh > 0); err != nil {
		return err
	}
	var ranges [][]any
	for part := range w.written {
		if part.table == Record {
			ranges = append(ranges, []any{part.inRange})
		}
	}
	if err := w.db.Table(ctx, "written_range", rangeColumns, ranges); err != nil {
		return err
	}
	path := filepath.Join(w.dir, "alias.parquet")
	rows, err := w.db.Copy(ctx, w.query("settled_alias"), path)
	if err != nil {
		return err
	}
	changed, err := w.differs(ctx, path)
	if err != nil || !changed {
		return err
	}
	return w.put(ctx, Alias, chain.NoRange, path, rows)
}

// numbersNamed makes the table number, and says how many of them are new.
func (w *work) numbersNamed(ctx context.Context) (fresh, known int64, err error) {
	old, err := w.paths(ctx, Alias, chain.NoRange)
	if err != nil {
		return 0, 0, err
	}
	if err := w.db.View(ctx, "old_alias", old, w.columns("settled_alias")); err != nil {
		return 0, 0, err
	}
	if err := w.db.Table(ctx, "number", numberColumns, nil); err != nil {
		return 0, 0, err
	}
	if err := w.db.Exec(ctx, "insert into number select number, number_id, known_from, false from old_alias where kind = 'seen'"); err != nil {
		return 0, 0, err
	}
	if len(w.incoming) > 0 {
		if err := w.db.Exec(ctx, `insert into number select c.uscc, c.entity_id, s.n, c.uscc not in (select number from number)
			from registry as c cross join settling as s where length(c.uscc) <> 18`); err != nil {
			return 0, 0, err
		}
	}
	// What only marks name waits as well: it has no records, so it has no id.
	if err := w.db.Exec(ctx, `insert into number select distinct m.uscc, cast(null as bigint), s.n, true
		from statement as m cross join settling as s where length(m.uscc) <> 18 and m.uscc not in (select number from number)`); err != nil {
		return 0, 0, err
	}
	err = w.db.One(ctx, "select count(*) filter (where fresh), count(*) filter (where not fresh) from number", nil, &fresh, &known)
	return fresh, known, err
}

// claims makes the relations said_registration and said_entity: what may tie an entity to a number.
func (w *work) claims(ctx context.Context, everywhere bool) error {
	for table, view := range map[string]string{Record: "record_now", Entity: "entity_now"} {
		var here, elsewhere []string
		for _, f := range w.files {
			if f.Table == table {
				path, err := w.settler.Lake.Local(ctx, f)
				if err != nil {
					return err
				}
				here = append(here, path)
			}
		}
		for _, f := range w.head.Table(table) {
			if !everywhere || w.written[written{table, f.Range}] {
				continue
			}
			path, err := w.settler.Lake.Local(ctx, f)
			if err != nil {
				return err
			}
			elsewhere = append(elsewhere, path)
		}
		for suffix, paths := range map[string][]string{"": here, "_elsewhere": elsewhere} {
			if err := w.db.View(ctx, view+suffix, paths, w.columns("settled_"+table)); err != nil {
				return err
			}
		}
	}
	// A registration that ever named a number is told with all its versions: the newest may take it back.
	const naming = `select * from %[1]s where family = 'registration' and record_id in (
		select record_id from %[1]s where family = 'registration' and doc_no in (select number from number%[2]s))`
	const holding = `select entity_id, uscc, received_on, known_from from %[1]s where substr(uscc, 9, 9) in (select number from number%[2]s)`
	for name, query := range map[string]string{"said_registration": naming, "said_entity": holding} {
		now, elsewhere := "record_now", "record_now_elsewhere"
		if name == "said_entity" {
			now, elsewhere = "entity_now", "entity_now_elsewhere"
		}
		if err := w.db.Exec(ctx, "create or replace table "+name+" as "+fmt.Sprintf(query, now, "")+
			" union all "+fmt.Sprintf(query, elsewhere, " where fresh")); err != nil {
			return err
		}
	}
	return nil
}

// differs says whether a file of aliases says anything that the head's does not, or less.
func (w *work) differs(ctx context.Context, path string) (bool, error) {
	if err := w.db.View(ctx, "new_alias", []string{path}, w.columns("settled_alias")); err != nil {
		return false, err
	}
	var changed bool
	err := w.db.One(ctx, `select exists (select * from new_alias except all select * from old_alias)
		or exists (select * from old_alias except all select * from new_alias)`, nil, &changed)
	return changed, err
}
