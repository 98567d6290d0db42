package results

import (
	"context"
	"maps"
	"slices"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
)

// Share is how many entities of an area and an industry have a grade.
type Share struct {
	Grade, Division, Industry string
	Entities                  int64
}

type shares struct {
	n    int64
	rows []Share
}

// Shares counts what stands published, by grade, division and industry. Retracted entities have no
// grade and are not counted.
func (p *Published) Shares(ctx context.Context, policy string, head chain.Entry) ([]Share, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if kept := p.shares[policy]; kept.n == head.N && head.N > 0 {
		return kept.rows, nil
	}
	paths, err := locals(ctx, p.lake, head.Table("grade"))
	if err != nil || len(paths) == 0 {
		return nil, err
	}
	rows, err := p.db.Query(ctx, `select grade, coalesce(division, ''), coalesce(industry, ''), count(*) from `+duck.Parquet(paths)+`
		where grade is not null group by all order by all`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var all []Share
	for rows.Next() {
		var s Share
		if err := rows.Scan(&s.Grade, &s.Division, &s.Industry, &s.Entities); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	p.shares[policy] = shares{head.N, all}
	return all, nil
}

// Release is one entry of a policy's change log: the results of one cut-off, or a correction of them.
type Release struct {
	N           int64            `json:"n"`
	AsOf        catalog.Date     `json:"as_of"`
	CorrectedTo catalog.Date     `json:"corrected_to"`
	Statements  int64            `json:"statements"`
	Reasons     map[string]int64 `json:"reasons"` // new, changed, corrected, restated, retracted
}

// Move is how many entities went from one grade to another; an empty grade: not graded.
type Move struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Entities int64  `json:"entities"`
}

// summary is what one file of changes comes to.
type summary struct {
	asOf, correctedTo catalog.Date
	moves             []Move
	reasons           map[string]int64
	endings           map[string]bool // that its codes have: publishing cuts a release by check digits
	steps             []string        // codes that cut it into stretches, in order
}

// ending is what is left of a code when all but two characters are taken away.
func ending(uscc string) string { return uscc[max(len(uscc)-2, 0):] }

// Releases lists the releases of a policy, the newest first.
func (p *Published) Releases(ctx context.Context, head chain.Entry) ([]Release, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	byN := map[int64]*Release{}
	for _, f := range head.Table("change") {
		s, err := p.sum(ctx, f)
		if err != nil {
			return nil, err
		}
		r := byN[f.N]
		if r == nil {
			r = &Release{N: f.N, AsOf: s.asOf, CorrectedTo: s.correctedTo, Reasons: map[string]int64{}}
			byN[f.N] = r
		}
		for reason, n := range s.reasons {
			r.Reasons[reason] += n
			r.Statements += n
		}
	}
	var all []Release
	for _, n := range slices.Sorted(maps.Keys(byN)) {
		all = append(all, *byN[n])
	}
	slices.Reverse(all)
	return all, nil
}

// sum gives the summary of a file, worked out once.
func (p *Published) sum(ctx context.Context, f chain.File) (summary, error) {
	if s, known := p.sums[f.Key]; known {
		return s, nil
	}
	s := summary{reasons: map[string]int64{}}
	path, err := p.lake.Local(ctx, f)
	if err != nil {
		return s, err
	}
	rows, err := p.db.Query(ctx, `select change, coalesce(previous_grade, ''), coalesce(grade, ''), count(*), max(as_of), max(corrected_to)
		from `+duck.Parquet([]string{path})+` group by 1, 2, 3 order by 1, 2, 3`)
	if err != nil {
		return s, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	for rows.Next() {
		var reason string
		var m Move
		var asOf, correctedTo time.Time
		if err := rows.Scan(&reason, &m.From, &m.To, &m.Entities, &asOf, &correctedTo); err != nil {
			return s, err
		}
		s.asOf, s.correctedTo = catalog.DateOf(asOf), catalog.DateOf(correctedTo)
		s.moves = append(s.moves, m)
		s.reasons[reason] += m.Entities
	}
	if err := rows.Err(); err != nil {
		return s, err
	}
	if s.endings, s.steps, err = p.codes(ctx, path); err != nil {
		return s, err
	}
	p.sums[f.Key] = s
	return s, nil
}

// codes tells which codes lie in a file, so that one that cannot be there is not looked for.
func (p *Published) codes(ctx context.Context, path string) (endings map[string]bool, steps []string, err error) {
	found, err := p.texts(ctx, "select distinct right(uscc, 2) from "+duck.Parquet([]string{path}))
	if err != nil {
		return nil, nil, err
	}
	endings = map[string]bool{}
	for _, end := range found {
		endings[end] = true
	}
	steps, err = p.texts(ctx, "select distinct stats_min_value from parquet_metadata("+duck.Text(path)+") where path_in_schema = 'uscc' and stats_min_value <> '' order by 1")
	return endings, steps, err
}

func (p *Published) texts(ctx context.Context, query string) (all []string, err error) {
	rows, err := p.db.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}
