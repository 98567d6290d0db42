package explain

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
)

// place is a file of entities and the codes that it lies between.
type place struct {
	path      string
	low, high string
}

// entityFiles reads from the files' own statistics which codes each of them can hold, so that looking
// one up does not open all of them: ids are given in the order of codes within a commit.
func (x *Explainer) entityFiles(ctx context.Context) ([]place, error) {
	paths, err := x.local(ctx, x.settled.Table("entity"))
	if err != nil || len(paths) == 0 {
		return nil, err
	}
	quoted := make([]string, len(paths))
	for i, path := range paths {
		quoted[i] = duck.Text(path)
	}
	rows, err := x.db.Query(ctx, `select file_name, min(coalesce(stats_min_value, '')), max(coalesce(stats_max_value, '~'))
		from parquet_metadata([`+strings.Join(quoted, ", ")+`]) where path_in_schema = 'uscc' group by file_name order by file_name`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var places []place
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.path, &p.low, &p.high); err != nil {
			return nil, err
		}
		places = append(places, p)
	}
	return places, rows.Err()
}

// find gives the registry id of a code.
func (x *Explainer) find(ctx context.Context, uscc string) (int64, error) {
	var near []string
	for _, p := range x.places {
		if p.low <= uscc && uscc <= p.high {
			near = append(near, p.path)
		}
	}
	var id sql.NullInt64
	if len(near) > 0 {
		if err := x.db.One(ctx, "select max(entity_id) from "+duck.Parquet(near)+" where uscc = "+duck.Text(uscc), nil, &id); err != nil {
			return 0, err
		}
	}
	if !id.Valid {
		return 0, &fault.Error{Op: "explain " + uscc, Code: fault.NotFound, Hint: "no settled record names this code"}
	}
	return id.Int64, nil
}

// load brings the records, versions and marks that are counted for one code into the settled relations.
func (x *Explainer) load(ctx context.Context, uscc string) error {
	id, err := x.find(ctx, uscc)
	if err != nil {
		return err
	}
	if err := x.take(ctx, grading.Ranged[1], "* exclude (filename)", id); err != nil {
		return err
	}
	parting, err := x.parting(ctx, id)
	if err != nil {
		return err
	}
	if len(parting) == 0 {
		if err := x.take(ctx, grading.Ranged[0], toldColumns, id); err != nil {
			return err
		}
	} else if err := x.rejoin(ctx, id, parting); err != nil {
		return err
	}
	return x.marks(ctx, uscc)
}

// marks brings those about the loaded records, and those about any code that the records are joined from.
func (x *Explainer) marks(ctx context.Context, uscc string) error {
	if err := x.db.Exec(ctx, "truncate settled_mark"); err != nil {
		return err
	}
	joined := ""
	if x.joining {
		joined = "or uscc in (select code from identity)"
	}
	return x.db.Exec(ctx, `insert into settled_mark select * from every_mark
		where mark_id in (select mark_id from every_mark where uscc = $1 `+joined+`
			or target_record_id in (select record_id from settled_record))`, uscc)
}

// toldColumns are those of a record that decide something or are told. The others, of which the row's
// hash is the widest, would have to be unpacked for a whole row group to find a few rows.
const toldColumns = `entity_id, uscc, record_id, version, known_from, known_to, source_time, dataset, family, kind, level,
	decided_on, valid_from, valid_until, status, status_on, doc_no, title, received_on, stage_n, row_no`

// take fills a relation with the rows of some entities, out of the ranges that hold them.
func (x *Explainer) take(ctx context.Context, r grading.Settled, columns string, ids ...int64) error {
	if err := x.db.Exec(ctx, "truncate "+r.Name); err != nil {
		return err
	}
	ranges := map[int64]bool{chain.NoRange: true}
	list := make([]string, len(ids))
	for i, id := range ids {
		ranges[id>>16] = true
		list[i] = strconv.FormatInt(id, 10)
	}
	var files []chain.File
	for _, f := range x.settled.Table(r.Table) {
		if ranges[f.Range] {
			files = append(files, f)
		}
	}
	paths, err := x.local(ctx, files)
	if err != nil || len(paths) == 0 {
		return err
	}
	return x.db.Exec(ctx, fmt.Sprintf("insert into %s by name select %s from %s where entity_id in (%s)",
		r.Name, columns, duck.Parquet(paths), strings.Join(list, ", ")))
}

func (x *Explainer) local(ctx context.Context, files []chain.File) ([]string, error) {
	var paths []string
	for _, f := range files {
		path, err := x.o.Lake.Local(ctx, f)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}
