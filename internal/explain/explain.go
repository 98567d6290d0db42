// Package explain owns the answer to "why this grade": every point of one entity down to the record
// and the clause, and the day on which the grade will change by itself. It refuses to score in any
// way of its own: it runs the models that scoring runs, over the records of one entity. Settled
// files come in from the lake; an Explanation goes to the command, the screen and the letter.
package explain

import (
	"context"
	"database/sql"
	"io/fs"
	"slices"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
)

// Lake is the part of the lake that explaining needs.
type Lake interface {
	Head(ctx context.Context, chainName string) (chain.Entry, error)
	Local(ctx context.Context, f chain.File) (string, error)
}

// Options say what is explained from what.
type Options struct {
	Lake      Lake
	SQL       fs.FS
	Duck      duck.Options
	Policy    catalog.Policy
	Platforms []string // datasets that platforms send
}

// Explainer explains entities under one policy, as the settled data stood when it was opened.
type Explainer struct {
	o       Options
	db      *duck.DB
	models  grading.Models
	settled chain.Entry
	places  []place
	joining bool // the lake has judgements or numbers from before 2015: records may be counted elsewhere than where they lie
}

// Explanation is the answer. The points of its lines sum to the score.
type Explanation struct {
	USCC         string         `json:"uscc"`
	Name         string         `json:"name"`
	Policy       string         `json:"policy"`
	AsOf         catalog.Date   `json:"as_of"`
	CorrectedTo  catalog.Date   `json:"corrected_to"`
	Score        catalog.Points `json:"score"`
	Plus         catalog.Points `json:"plus"`
	Minus        catalog.Points `json:"minus"`
	Grade        string         `json:"grade"`
	Class        string         `json:"class"`
	Trial        bool           `json:"trial"`
	Wording      string         `json:"wording"`
	NextReviewOn *catalog.Date  `json:"next_review_on"`   // earliest day on which a counted item starts or ends
	NextChange   *Change        `json:"next_change"`      // first such day on which the grade changes; null: none is in sight
	Joined       []Joined       `json:"joined,omitempty"` // what of other codes and numbers is counted here
	Lines        []Line         `json:"lines"`
}

// Joined is a code or number from before 2015 whose records are counted for the entity.
type Joined struct {
	Code    string `json:"code"`
	Basis   string `json:"basis"`             // the judgement; of a number: reg_no or org_code
	Dataset string `json:"dataset,omitempty"` // only records of this dataset
	Record  string `json:"record,omitempty"`  // only this record
}

// Change is a grade to come if nothing new happens.
type Change struct {
	On    catalog.Date   `json:"on"`
	Grade string         `json:"grade"`
	Score catalog.Points `json:"score"`
}

// Line is one contribution to the score.
type Line struct {
	Indicator   string          `json:"indicator"`
	Title       string          `json:"title"`
	Kind        string          `json:"kind"` // neutral, record, adjustment
	Points      catalog.Points  `json:"points"`
	Rule        string          `json:"rule,omitempty"`
	Value       *catalog.Points `json:"value,omitempty"`  // what the rule gives for the record, where the indicator picks one of several
	Record      string          `json:"record,omitempty"` // record id
	Dataset     string          `json:"dataset,omitempty"`
	DocNo       string          `json:"doc_no,omitempty"`
	Code        string          `json:"code,omitempty"` // that the record came with, where that is not the entity's own
	DecidedOn   *catalog.Date   `json:"decided_on,omitempty"`
	CountsUntil *catalog.Date   `json:"counts_until,omitempty"` // first day on which it no longer counts; absent: open
	Status      string          `json:"status,omitempty"`       // disputed, where an objection is open
	Clause      string          `json:"clause,omitempty"`
	Origin      string          `json:"origin,omitempty"` // proposal: the number is ours
}

// Open prepares the policy and the models. The caller closes it.
func Open(ctx context.Context, o Options) (*Explainer, error) {
	settled, err := o.Lake.Head(ctx, chain.Settled)
	if err != nil {
		return nil, err
	}
	if settled.N == 0 {
		return nil, &fault.Error{Op: "explain", Code: fault.NotFound, Hint: "nothing is settled yet; run settle first"}
	}
	models, err := grading.Load(o.SQL)
	if err != nil {
		return nil, err
	}
	o.Duck.Threads = 1 // one entity is little work; handing it between threads costs more than it saves
	db, err := duck.Open(o.Duck)
	if err != nil {
		return nil, err
	}
	x := &Explainer{o: o, db: db, models: models, settled: settled}
	if err := x.prepare(ctx); err != nil {
		_ = db.Close() // the first error is the one to report
		return nil, err
	}
	return x, nil
}

// Seq is the settled snapshot it reads: it explains results of this one and of earlier ones.
func (x *Explainer) Seq() int64 { return x.settled.N }

// Close ends it.
func (x *Explainer) Close() error { return x.db.Close() }

func (x *Explainer) prepare(ctx context.Context) error {
	if err := grading.Prepare(ctx, x.db, x.models, x.o.Policy, grading.Clocks{}); err != nil {
		return err
	}
	if err := grading.SetPlatforms(ctx, x.db, x.o.Platforms); err != nil {
		return err
	}
	for _, r := range slices.Concat(grading.Ranged, grading.Small, []grading.Settled{{Name: "parting_record", Columns: grading.RecordColumns}}) {
		if err := x.db.Table(ctx, r.Name, r.Columns, nil); err != nil {
			return err
		}
	}
	for _, r := range grading.Small {
		files := x.settled.Table(r.Table)
		paths, err := x.local(ctx, files)
		if err != nil {
			return err
		}
		if err := x.db.View(ctx, "every_"+r.Table, paths, r.Columns); err != nil {
			return err
		}
		x.joining = x.joining || r.Table != "mark" && len(files) > 0
	}
	coverage, err := x.local(ctx, x.settled.Table("coverage"))
	if err != nil {
		return err
	}
	if err := grading.SetCoverage(ctx, x.db, coverage); err != nil {
		return err
	}
	if x.places, err = x.entityFiles(ctx); err != nil {
		return err
	}
	return x.models.Repeatable(ctx, x.db)
}

// Entity explains the grade of one code. The clocks are those of a result, or open: zero snapshots
// are the newest. An entity that the policy does not grade is not found, and the error says why.
func (x *Explainer) Entity(ctx context.Context, uscc string, c grading.Clocks) (Explanation, error) {
	if c.CorrectedTo == catalog.NoDate {
		c.CorrectedTo = c.AsOf
	}
	if c.KnownSeq == 0 {
		c.KnownSeq = x.settled.N
	}
	if c.MarksSeq == 0 {
		c.MarksSeq = x.settled.N
	}
	if err := grading.ChangeClocks(ctx, x.db, x.o.Policy, c); err != nil {
		return Explanation{}, err
	}
	if err := x.load(ctx, uscc); err != nil {
		return Explanation{}, err
	}
	if err := x.models.Repeat(ctx, x.db); err != nil {
		return Explanation{}, err
	}
	g, err := x.grade(ctx, uscc)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{USCC: uscc, Name: g.name, Policy: x.o.Policy.ID, AsOf: c.AsOf, CorrectedTo: c.CorrectedTo, Score: g.score, Plus: g.plus, Minus: g.minus,
		Grade: g.grade, Class: g.class, Trial: g.trial, Wording: x.o.Policy.Wording.ZH, NextReviewOn: g.next}
	if e.Joined, err = x.joined(ctx, uscc); err != nil {
		return Explanation{}, err
	}
	hits, err := x.hits(ctx)
	if err != nil {
		return Explanation{}, err
	}
	if e.Lines, err = lines(x.o.Policy, hits, g); err != nil {
		return Explanation{}, err
	}
	return e, nil
}

// graded is the entity's row of the mart grade.
type graded struct {
	name, grade, class string
	score, plus, minus catalog.Points
	trial              bool
	next               *catalog.Date
}

// grade reads what the models gave for the loaded entity.
func (x *Explainer) grade(ctx context.Context, uscc string) (g graded, err error) {
	rows, err := x.db.Query(ctx, "select coalesce(name, ''), grade, class, score, plus_points, minus_points, trial, next_review_on from grade")
	if err != nil {
		return g, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return g, err
		}
		if err := x.mergedAway(ctx, uscc); err != nil {
			return g, err
		}
		return g, &fault.Error{Op: "explain " + uscc, Code: fault.NotFound,
			Hint: x.o.Policy.ID + " grades entities registered in force on the cut-off date, of the categories it admits; this one is not"}
	}
	var next sql.NullTime
	err = rows.Scan(&g.name, &g.grade, &g.class, &g.score, &g.plus, &g.minus, &g.trial, &next)
	g.next = dateOf(next)
	return g, err
}

func dateOf(t sql.NullTime) *catalog.Date {
	if !t.Valid {
		return nil
	}
	d := catalog.Date(t.Time.Unix() / int64(24*time.Hour/time.Second))
	return &d
}

// mostReviews bounds the search for the next change: a grade that survives so many days on which
// something starts or ends is called stable.
const mostReviews = 60

// NextChange finds the first day on which the entity's grade changes if nothing new happens, by
// evaluating each day on which a counted item starts or ends. Call it after Entity, with its answer.
func (x *Explainer) NextChange(ctx context.Context, e Explanation) (*Change, error) {
	day := e.NextReviewOn
	for range mostReviews {
		if day == nil {
			return nil, nil //nolint:nilnil // no change in sight is an answer, not an error
		}
		if err := x.db.Exec(ctx, "update run set as_of = $1", day.Time()); err != nil {
			return nil, err
		}
		if err := x.models.RepeatDay(ctx, x.db); err != nil {
			return nil, err
		}
		g, err := x.grade(ctx, e.USCC)
		if fault.Is(err, fault.NotFound) {
			return nil, nil //nolint:nilnil // from this day on the policy no longer grades it
		}
		if err != nil {
			return nil, err
		}
		if g.grade != e.Grade {
			return &Change{On: *day, Grade: g.grade, Score: g.score}, nil
		}
		day = g.next
	}
	return nil, nil //nolint:nilnil // stable
}
