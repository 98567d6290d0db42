package results

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
)

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
