package results

import (
	"bufio"
	"context"
	"errors"
	"strconv"
	"strings"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// fill reads the newest version of each code, a part at a time: what is held in memory meanwhile is one
// part and what DuckDB may use, however many entities there are.
func (r *Registry) fill(ctx context.Context, lake Lake, o duck.Options, partOf int) (err error) {
	head, err := lake.Head(ctx, chain.Settled)
	if err != nil {
		return err
	}
	r.seq = head.N
	paths, err := locals(ctx, lake, head.Table("entity"))
	if err != nil || len(paths) == 0 {
		return err
	}
	o.PreserveOrder = true // by code
	db, err := duck.Open(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := sortEntities(ctx, db, paths); err != nil {
		return err
	}
	out := &appender{Writer: bufio.NewWriterSize(r.pages, 1<<20)}
	for first, last := 0, ""; ; first += partOf {
		p := newPartWriter(out, &r.words)
		if last, err = p.read(ctx, db, first, partOf, last); err != nil {
			return err
		}
		if p.entities == 0 {
			return out.flush()
		}
		done, err := p.finish()
		if err != nil {
			return err
		}
		r.parts = append(r.parts, done)
	}
}

// sign stands between the columns of a line. The name comes last, so that it may hold one.
const sign = "\x1f"

// sortEntities makes the table of lines, one for each code, by code. A line for a row is read several
// times faster than six columns.
func sortEntities(ctx context.Context, db *duck.DB, paths []string) error {
	columns := []duck.Column{{Name: "uscc", Type: "VARCHAR"}, {Name: "name", Type: "VARCHAR"}, {Name: "category", Type: "VARCHAR"},
		{Name: "division", Type: "VARCHAR"}, {Name: "industry", Type: "VARCHAR"}, {Name: "entity_id", Type: "BIGINT"}, {Name: "survivor_id", Type: "BIGINT"},
		{Name: "known_to", Type: "BIGINT"}}
	if err := db.OlderView(ctx, "every_entity", paths, columns); err != nil {
		return err
	}
	return db.Exec(ctx, `create table line as
		select concat(e.uscc, chr(31), e.category, chr(31), e.division, chr(31), e.industry, chr(31), m.uscc, chr(31), e.name) as line
		from every_entity as e
		left join (select entity_id, max(uscc) as uscc from every_entity where known_to is null
			and entity_id in (select survivor_id from every_entity where survivor_id is not null) group by entity_id) as m on m.entity_id = e.survivor_id
		where e.known_to is null
		order by e.uscc`)
}

// read takes the lines of one part, from a row of the table on, and gives the last code.
func (p *partWriter) read(ctx context.Context, db *duck.DB, first, most int, last string) (string, error) {
	rows, err := db.Query(ctx, "select line from line where rowid between "+strconv.Itoa(first)+" and "+strconv.Itoa(first+most-1))
	if err != nil {
		return last, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return last, err
		}
		f := strings.SplitN(line, sign, 6)
		if len(f) != 6 || f[0] < last {
			return last, fault.Newf(fault.Internal, "make the search index", "the line after %q is out of its order or form", last)
		}
		last = f[0]
		if err := p.add(Entity{USCC: f[0], Category: f[1], Division: f[2], Industry: f[3], MergedTo: f[4], Name: f[5]}); err != nil {
			return last, err
		}
	}
	return last, rows.Err()
}
