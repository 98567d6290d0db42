package explain

import (
	"context"
	"fmt"
	"strings"

	"xinshu/internal/fault"
	"xinshu/internal/grading"
)

// parting works out whose records are counted for whom around one entity, and gives the entities whose
// records move to it or from it. In a lake without judgements and numbers there is nothing to work out.
func (x *Explainer) parting(ctx context.Context, id int64) ([]int64, error) {
	if !x.joining {
		return nil, nil
	}
	// All judgements, which are few, and of the numbers those that the entities they name may have.
	for _, statement := range []string{
		"truncate settled_judgement", "insert into settled_judgement select * from every_judgement",
		"truncate settled_alias",
		fmt.Sprintf(`insert into settled_alias select * from every_alias where number in (
			select number from every_alias
			where entity_id = %[1]d or number_id = %[1]d
				or entity_id in (select entity_id from settled_judgement union select successor_id from settled_judgement)
				or number in (select uscc from settled_judgement))`, id),
		"truncate settled_mark",
		"insert into settled_mark select * from every_mark where target_record_id in (select record_id from settled_alias)",
	} {
		if err := x.db.Exec(ctx, statement); err != nil {
			return nil, err
		}
	}
	if _, err := x.models.Identify(ctx, x.db); err != nil {
		return nil, err
	}
	// What is not about this entity would only slow the models down.
	if err := x.db.Exec(ctx, fmt.Sprintf("delete from identity where to_id <> %[1]d and coalesce(from_id, 0) <> %[1]d and from_id not in (select from_id from identity where to_id = %[1]d)", id)); err != nil {
		return nil, err
	}
	rows, err := x.db.Query(ctx, "select distinct from_id from identity where from_id is not null order by from_id")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var ids []int64
	for rows.Next() {
		var from int64
		if err := rows.Scan(&from); err != nil {
			return nil, err
		}
		ids = append(ids, from)
	}
	return ids, rows.Err()
}

// rejoin fills the settled records with those that are counted for the entity, wherever they lie.
func (x *Explainer) rejoin(ctx context.Context, id int64, parting []int64) error {
	columns := toldColumns + ", authority_uscc" // by which acts and marks from several codes are held together
	lying := grading.Settled{Name: "parting_record", Table: "record"}
	if err := x.take(ctx, lying, columns, parting...); err != nil {
		return err
	}
	if err := x.take(ctx, grading.Ranged[0], columns, id); err != nil {
		return err
	}
	if err := x.db.Exec(ctx, "delete from settled_record where entity_id in (select from_id from identity)"); err != nil {
		return err
	}
	return x.db.Exec(ctx, fmt.Sprintf("insert into settled_record by name select * from (\n%s\n) where entity_id = %d", x.models.Rejoin(), id))
}

// joined tells what of other codes and numbers is counted for the loaded entity.
func (x *Explainer) joined(ctx context.Context, uscc string) ([]Joined, error) {
	if !x.joining {
		return nil, nil
	}
	rows, err := x.db.Query(ctx, `select code, basis, coalesce(dataset, ''), coalesce(record_id, '') from identity
		where to_code = $1 order by code, dataset nulls first, record_id nulls first`, uscc)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var all []Joined
	for rows.Next() {
		var j Joined
		if err := rows.Scan(&j.Code, &j.Basis, &j.Dataset, &j.Record); err != nil {
			return nil, err
		}
		all = append(all, j)
	}
	return all, rows.Err()
}

// mergedAway is the error that says whose records a code's are now; nil where they are its own.
func (x *Explainer) mergedAway(ctx context.Context, uscc string) error {
	if !x.joining {
		return nil
	}
	var told string
	if err := x.db.One(ctx, `select coalesce(max(concat(to_code, ' ', basis)), '') from identity
		where code = `+quoted(uscc)+` and dataset is null and record_id is null`, nil, &told); err != nil || told == "" {
		return err
	}
	into, basis, _ := strings.Cut(told, " ")
	return &fault.Error{Op: "explain " + uscc, Code: fault.NotFound, Err: fmt.Errorf("merged into %s by %s", into, basis),
		Hint: "explain " + into + "; xinshu identity list tells who decided it and why"}
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
