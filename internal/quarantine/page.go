package quarantine

import (
	"context"
	"strconv"
	"strings"

	"xinshu/internal/fault"
)

// Place is a row's two numbers: the commit that refused it and its number there.
type Place struct{ N, No int64 }

// Wanted chooses what a page of the quarantine shows: each thing to mend once, with the place and the
// reason of its newest row. Empty members choose all.
type Wanted struct {
	State    string // open, corrected, withdrawn, again
	Reason   string
	Run      string // things that a run refused
	Contains string // in the values as received
	After    Place  // the last thing of the page before; zero: the first page
	Most     int
}

// Page gives things to mend, the newest first, rows of one commit in their own order, and the place to
// go on from, zero on the last page. It costs what it shows, not what there is.
func (b *Book) Page(ctx context.Context, w Wanted) (rows []Row, next Place, err error) {
	if b.empty {
		return nil, next, nil
	}
	where := []string{"($1 = '' or s.state = $1)", "($2 = '' or s.reason = $2)"}
	args := []any{w.State, w.Reason, w.After.N, w.After.No, w.Most + 1}
	where = append(where, "($3 = 0 or s.last_n < $3 or s.last_n = $3 and s.last_row > $4)")
	if w.Run != "" {
		args = append(args, w.Run)
		where = append(where, "s.content in (select content from refused where run = $6)")
	}
	if w.Contains != "" {
		args = append(args, strings.ToLower(w.Contains))
		where = append(where, "s.content in (select content from refused where contains(lower(original), $"+strconv.Itoa(len(args))+"))")
	}
	rows, err = b.shown(ctx, strings.Join(where, " and "), args...)
	if err != nil || len(rows) <= w.Most {
		return rows, next, err
	}
	rows = rows[:w.Most]
	last := rows[w.Most-1]
	return rows, last.newest, nil
}

// Find gives the thing to mend that a refused row belongs to.
func (b *Book) Find(ctx context.Context, p Place) (Row, error) {
	if !b.empty {
		rows, err := b.shown(ctx, "s.content in (select content from refused where n = $1 and row_no = $2) and $3 = $4", p.N, p.No, int64(0), int64(0), 1)
		if err != nil || len(rows) == 1 {
			return first(rows), err
		}
	}
	return Row{}, fault.Newf(fault.NotFound, "find the refused row", "the quarantine of %s has no row %d/%d", b.dataset, p.N, p.No)
}

func first(rows []Row) (r Row) {
	if len(rows) > 0 {
		r = rows[0]
	}
	return r
}

// shown reads whole rows for the few things that a condition chooses. Which they are is asked first, of
// a table that lies ready, so that the objects are read for those alone.
func (b *Book) shown(ctx context.Context, where string, args ...any) ([]Row, error) {
	if err := b.db.Exec(ctx, "drop table if exists chosen"); err != nil {
		return nil, b.failed(err)
	}
	if err := b.db.Exec(ctx, "create temp table chosen as select s.* from standing as s where "+where+" order by s.last_n desc, s.last_row limit $5", args...); err != nil {
		return nil, b.failed(err)
	}
	var rows []Row
	for row, err := range b.rows(ctx, `
		select s.n, s.row_no, r.run, r.origin_file, r.origin_line, r.reason, r.column_name, r.value, r.original, r.received_on,
			s.state, s.seen, s.first_day, s.last_day,
			coalesce(s.outcome, ''), coalesce(s.corrected_by, ''), coalesce(s.corrected_at, ''), coalesce(s.way, ''), coalesce(s.workbook, ''),
			coalesce(s.corrected_file, ''), coalesce(s.corrected_line, 0), coalesce(s.corrected_n, 0), coalesce(s.corrected_row, 0), s.source, s.received_at,
			coalesce(s.note, ''), s.last_n, s.last_row
		from chosen as s join refused as r on r.n = s.last_n and r.row_no = s.last_row
		where r.n in (select last_n from chosen) and r.row_no in (select last_row from chosen)
		order by s.last_n desc, s.last_row`) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}
