package results

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

var errTooShort = errors.New("the text is too short")

// Statement is one thing that was published of an entity under a policy.
type Statement struct {
	USCC          string          `json:"uscc"`
	Name          string          `json:"name,omitempty"`
	N             int64           `json:"n"` // the release that stated it
	Kind          string          `json:"kind"`
	Change        string          `json:"change"`
	Version       int64           `json:"version"`
	AsOf          catalog.Date    `json:"as_of"`
	CorrectedTo   catalog.Date    `json:"corrected_to"`
	Score         *catalog.Points `json:"score,omitempty"`
	PreviousScore *catalog.Points `json:"previous_score,omitempty"`
	Grade         string          `json:"grade,omitempty"`
	PreviousGrade string          `json:"previous_grade,omitempty"`
	Class         string          `json:"class,omitempty"`
	Trial         bool            `json:"trial"`
	Division      string          `json:"-"`
	Industry      string          `json:"-"`
	Seal          string          `json:"seal"`
	Successor     string          `json:"successor,omitempty"`
}

// Published answers from the change logs of policies. What it worked out of a file it keeps: files
// never change.
type Published struct {
	lake Lake

	mu      sync.Mutex
	db      *duck.DB
	sums    map[string]summary // by key of a file of changes
	shares  map[string]shares  // by policy
	crossed map[crossing][]Move
}

// OpenPublished makes an answerer. The caller closes it.
func OpenPublished(lake Lake, o duck.Options) (*Published, error) {
	db, err := duck.Open(o)
	if err != nil {
		return nil, err
	}
	return &Published{lake: lake, db: db, sums: map[string]summary{}, shares: map[string]shares{}, crossed: map[crossing][]Move{}}, nil
}

// Close ends it, after the question under way.
func (p *Published) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.db.Close()
}

// Head gives the newest release of a policy.
func (p *Published) Head(ctx context.Context, policy string) (chain.Entry, error) {
	return p.lake.Head(ctx, chain.Published(policy))
}

// History tells everything that was ever published of a code under a policy, the newest first.
func (p *Published) History(ctx context.Context, head chain.Entry, uscc string) ([]Statement, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var files []chain.File
	for _, f := range head.Table("change") {
		s, err := p.sum(ctx, f)
		if err != nil {
			return nil, err
		}
		if s.endings[ending(uscc)] {
			files = append(files, f)
		}
	}
	return p.statements(ctx, files, "uscc = $1 order by version desc", []any{uscc})
}

var changeColumns = []duck.Column{{Name: "uscc", Type: "VARCHAR"}, {Name: "name", Type: "VARCHAR"}, {Name: "kind", Type: "VARCHAR"},
	{Name: "change", Type: "VARCHAR"}, {Name: "version", Type: "BIGINT"}, {Name: "as_of", Type: "DATE"}, {Name: "corrected_to", Type: "DATE"},
	{Name: "score", Type: "BIGINT"}, {Name: "previous_score", Type: "BIGINT"}, {Name: "grade", Type: "VARCHAR"}, {Name: "previous_grade", Type: "VARCHAR"},
	{Name: "class", Type: "VARCHAR"}, {Name: "trial", Type: "BOOLEAN"}, {Name: "division", Type: "VARCHAR"}, {Name: "industry", Type: "VARCHAR"},
	{Name: "seal", Type: "VARCHAR"}, {Name: "successor", Type: "VARCHAR"}, {Name: "filename", Type: "VARCHAR"}}

// changes makes the view change over files, with the name of the file that each row is from.
func (p *Published) changes(ctx context.Context, files []chain.File) (releases map[string]int64, err error) {
	paths, err := locals(ctx, p.lake, files)
	if err != nil {
		return nil, err
	}
	releases = map[string]int64{}
	for i, path := range paths {
		releases[path] = files[i].N
	}
	if len(paths) == 0 {
		return releases, p.db.View(ctx, "change", nil, changeColumns)
	}
	return releases, p.db.OlderView(ctx, "change", paths, changeColumns)
}

func (p *Published) statements(ctx context.Context, files []chain.File, where string, args []any) ([]Statement, error) {
	releases, err := p.changes(ctx, files)
	if err != nil {
		return nil, err
	}
	rows, err := p.db.Query(ctx, `select uscc, coalesce(name, ''), kind, change, version, as_of, corrected_to, score, previous_score, coalesce(grade, ''),
		coalesce(previous_grade, ''), coalesce(class, ''), coalesce(trial, true), coalesce(division, ''), coalesce(industry, ''), seal, coalesce(successor, ''), filename
		from change where `+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var all []Statement
	for rows.Next() {
		var s Statement
		var asOf, correctedTo time.Time
		var score, before sql.NullInt64
		var file string
		if err := rows.Scan(&s.USCC, &s.Name, &s.Kind, &s.Change, &s.Version, &asOf, &correctedTo, &score, &before, &s.Grade,
			&s.PreviousGrade, &s.Class, &s.Trial, &s.Division, &s.Industry, &s.Seal, &s.Successor, &file); err != nil {
			return nil, err
		}
		s.N, s.AsOf, s.CorrectedTo, s.Score, s.PreviousScore = releases[file], catalog.DateOf(asOf), catalog.DateOf(correctedTo), points(score), points(before)
		all = append(all, s)
	}
	return all, rows.Err()
}

func points(v sql.NullInt64) *catalog.Points {
	if !v.Valid {
		return nil
	}
	p := catalog.Points(v.Int64)
	return &p
}

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
