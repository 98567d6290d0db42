package results

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// crossing names the stretch of a change log between two releases.
type crossing struct {
	chain, sha string // the log's own entry, because a restored log may count anew
	from, to   int64
}

// mostCrossings bounds what is remembered of asked stretches.
const mostCrossings = 64

// Movement says how entities moved from release from to release to, the ones that stayed included:
// every entity that had a grade at either end is counted once. From 0 is before the first release. Of
// the query only the limits count.
func (p *Published) Movement(ctx context.Context, head chain.Entry, from, to int64, q Query) ([]Move, error) {
	files, err := between(head, from, to)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if where, args := limits(q); where != "" {
		return p.movedWithin(ctx, head, from, to, where, args)
	}
	key := crossing{head.Chain, head.SHA256, from, to}
	if kept, known := p.crossed[key]; known {
		return kept, nil
	}
	stand, err := p.standing(ctx, head, from)
	if err != nil {
		return nil, err
	}
	moved, err := p.moved(ctx, files)
	if err != nil {
		return nil, err
	}
	counts := map[[2]string]int64{}
	for _, m := range moved {
		if m.From != "" {
			stand[m.From] -= m.Entities
		}
		if m.From != "" || m.To != "" {
			counts[[2]string{m.From, m.To}] += m.Entities
		}
	}
	for grade, n := range stand { // who no release spoke of in between stayed
		counts[[2]string{grade, grade}] += n
	}
	var all []Move
	for _, pair := range slices.SortedFunc(maps.Keys(counts), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		if n := counts[pair]; n > 0 {
			all = append(all, Move{pair[0], pair[1], n})
		}
	}
	if len(p.crossed) >= mostCrossings {
		clear(p.crossed)
	}
	p.crossed[key] = all
	return all, nil
}

// standing counts the grades as they stood after a release: each statement takes one from the grade
// before it and gives one to its own.
func (p *Published) standing(ctx context.Context, head chain.Entry, n int64) (map[string]int64, error) {
	stand := map[string]int64{}
	for _, f := range head.Table("change") {
		if f.N > n {
			continue
		}
		s, err := p.sum(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, m := range s.moves {
			stand[m.To] += m.Entities
			stand[m.From] -= m.Entities
		}
	}
	delete(stand, "")
	return stand, nil
}

// moved counts first grade and last grade of every entity that files speak of.
func (p *Published) moved(ctx context.Context, files []chain.File) ([]Move, error) {
	if single(files) { // one release speaks of an entity once: its own sums are the answer
		var all []Move
		for _, f := range files {
			s, err := p.sum(ctx, f)
			if err != nil {
				return nil, err
			}
			all = append(all, s.moves...)
		}
		return all, nil
	}
	if _, err := p.changes(ctx, files); err != nil {
		return nil, err
	}
	return p.moves(ctx, `select arg_min(previous_grade, version) as first, arg_max(grade, version) as last
		from (select uscc, version, coalesce(previous_grade, '') as previous_grade, coalesce(grade, '') as grade from change) group by uscc`, nil)
}

// single says whether files are of one release.
func single(files []chain.File) bool {
	return !slices.ContainsFunc(files, func(f chain.File) bool { return f.N != files[0].N })
}

// movedWithin counts the moves of some entities alone, from everything ever stated of them.
func (p *Published) movedWithin(ctx context.Context, head chain.Entry, from, to int64, where string, args []any) ([]Move, error) {
	files, err := between(head, 0, to)
	if err != nil {
		return nil, err
	}
	releases, err := p.changes(ctx, files)
	if err != nil {
		return nil, err
	}
	early := []string{"''"}
	for path, n := range releases {
		if n <= from {
			early = append(early, duck.Text(path))
		}
	}
	return p.moves(ctx, `select coalesce(arg_max(grade, version) filter (filename in (`+strings.Join(early, ", ")+`)), '') as first, arg_max(grade, version) as last
		from (select uscc, version, coalesce(grade, '') as grade, filename from change where true `+where+`) group by uscc`, args)
}

// moves counts the pairs that a query gives.
func (p *Published) moves(ctx context.Context, query string, args []any) ([]Move, error) {
	rows, err := p.db.Query(ctx, "select first, last, count(*) from ("+query+") where first <> '' or last <> '' group by all order by all", args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var all []Move
	for rows.Next() {
		var m Move
		if err := rows.Scan(&m.From, &m.To, &m.Entities); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

// Movers says who moved between two releases from one grade to another, by code. Of an entity that
// moved more than once its last statement is given, with the grade it began from.
func (p *Published) Movers(ctx context.Context, head chain.Entry, from, to int64, gradeFrom, gradeTo string, q Query) ([]Statement, error) {
	files, err := between(head, from, to)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	where, args := limits(q)
	if single(files) { // one release speaks of an entity once
		if none, err := p.nobody(ctx, files, gradeFrom, gradeTo); none || err != nil {
			return nil, err
		}
		return p.moversOf(ctx, files, "coalesce(grade, '') = "+param(&args, gradeTo)+" and coalesce(previous_grade, '') = "+param(&args, gradeFrom)+where, args, q)
	}
	return p.statements(ctx, files, `true `+where+` window w as (partition by uscc order by version desc)
		qualify row_number() over w = 1
			and coalesce(grade, '') = `+param(&args, gradeTo)+`
			and coalesce(last_value(previous_grade) over (w rows between unbounded preceding and unbounded following), '') = `+param(&args, gradeFrom)+`
		order by uscc limit `+strconv.Itoa(q.Most), args)
}

// nobody says that no statement of some files moved an entity from one grade to another.
func (p *Published) nobody(ctx context.Context, files []chain.File, gradeFrom, gradeTo string) (bool, error) {
	for _, f := range files {
		s, err := p.sum(ctx, f)
		if err != nil || slices.ContainsFunc(s.moves, func(m Move) bool { return m.From == gradeFrom && m.To == gradeTo }) {
			return false, err
		}
	}
	return true, nil
}

// moversOf reads the statements of one release that fulfil a condition, by code, a stretch of codes after
// the other until there are enough: a page begins and ends in few of them.
func (p *Published) moversOf(ctx context.Context, files []chain.File, where string, args []any, q Query) (all []Statement, err error) {
	if len(files) == 0 {
		return nil, nil
	}
	s, err := p.sum(ctx, files[0])
	if err != nil {
		return nil, err
	}
	from := q.After
	for _, to := range append(s.steps, "") {
		if to != "" && to <= from {
			continue
		}
		stretch, values := where, slices.Clone(args)
		if from != "" {
			stretch += " and uscc >= " + param(&values, from)
		}
		if to != "" {
			stretch += " and uscc < " + param(&values, to)
		}
		some, err := p.statements(ctx, files, stretch+" order by uscc limit "+strconv.Itoa(q.Most-len(all)), values)
		if err != nil {
			return nil, err
		}
		if all = append(all, some...); len(all) >= q.Most {
			break
		}
		from = to
	}
	return all, nil
}

// between gives the files of changes after one release up to another.
func between(head chain.Entry, from, to int64) ([]chain.File, error) {
	if from < 0 || from >= to || to > head.N {
		return nil, &fault.Error{Op: "compare releases", Code: fault.Invalid, Err: errors.New("there are no such two releases"), Hint: "choose an earlier and a later release of the list"}
	}
	var files []chain.File
	for _, f := range head.Table("change") {
		if f.N > from && f.N <= to {
			files = append(files, f)
		}
	}
	return files, nil
}
