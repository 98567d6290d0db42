package publish

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// Change is one statement about one entity under one policy, in the form in which receivers get it.
// A target may get fewer members; what a member is absent from, the change does not say.
type Change struct {
	ID              string      `json:"id"` // policy/uscc/version
	Kind            string      `json:"kind"`
	Change          string      `json:"change"`
	Version         int64       `json:"version"`
	PreviousVersion int64       `json:"previous_version,omitempty"`
	Policy          string      `json:"policy"`
	Title           string      `json:"title"`
	Evaluation      string      `json:"evaluation"`
	Maker           string      `json:"maker"`
	Status          string      `json:"status"` // official or trial
	Trial           bool        `json:"trial"`
	USCC            string      `json:"uscc"`
	Name            string      `json:"name,omitempty"`
	Category        string      `json:"category,omitempty"`
	Division        string      `json:"division,omitempty"`
	Industry        string      `json:"industry,omitempty"`
	AsOf            string      `json:"as_of"`
	CorrectedTo     string      `json:"corrected_to"`
	Score           json.Number `json:"score,omitempty"` // points, at most two places
	Grade           string      `json:"grade,omitempty"`
	Rank            int64       `json:"rank,omitempty"`
	Class           string      `json:"class,omitempty"`
	PreviousGrade   string      `json:"previous_grade,omitempty"`
	Wording         string      `json:"wording,omitempty"`
	Seal            string      `json:"seal"`
	Successor       string      `json:"successor,omitempty"` // of a retraction: the code that the entity was merged into
}

const selectChanges = `
	select
		change_id, kind, change, version, coalesce(previous_version, 0), policy, title, evaluation, maker, coalesce(trial, true), uscc,
		coalesce(name, ''), coalesce(category, ''), coalesce(division, ''), coalesce(industry, ''), as_of, corrected_to, score,
		coalesce(grade, ''), coalesce(rank, 0), coalesce(class, ''), coalesce(previous_grade, ''), coalesce(wording, ''), seal,
		coalesce(successor, '')
	from change`

// Changes reads what published/<policy> has stated after entry since, up to head, in no order of its
// own: rows whose body is the JSON of a Change.
func (p *Publisher) Changes(ctx context.Context, head chain.Entry, since int64) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		if err := p.eachChange(ctx, head.Since(changeModel, since), yield); err != nil {
			yield(connectors.Row{}, err)
		}
	}
}

func (p *Publisher) eachChange(ctx context.Context, files []chain.File, yield func(connectors.Row, error) bool) error {
	m, err := model(changeModel)
	if err != nil {
		return err
	}
	paths, err := p.local(ctx, files)
	if err != nil || len(paths) == 0 {
		return err
	}
	db, err := duck.Open(p.Duck)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // nothing was written
	if err := db.OlderView(ctx, changeModel, paths, m.Columns); err != nil {
		return err
	}
	rows, err := db.Query(ctx, selectChanges)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	for rows.Next() {
		c, err := scanChange(rows)
		if err != nil {
			return err
		}
		body, err := json.Marshal(c)
		if err != nil {
			return fault.Newf(fault.Internal, "write change "+c.ID, "%w", err)
		}
		if !yield(connectors.Row{ID: c.ID, Kind: c.Kind, Version: c.Version, USCC: c.USCC, Body: body}, nil) {
			return nil
		}
	}
	return rows.Err()
}

func scanChange(rows *sql.Rows) (Change, error) {
	var c Change
	var asOf, correctedTo time.Time
	var score sql.NullInt64
	err := rows.Scan(&c.ID, &c.Kind, &c.Change, &c.Version, &c.PreviousVersion, &c.Policy, &c.Title, &c.Evaluation, &c.Maker, &c.Trial, &c.USCC,
		&c.Name, &c.Category, &c.Division, &c.Industry, &asOf, &correctedTo, &score,
		&c.Grade, &c.Rank, &c.Class, &c.PreviousGrade, &c.Wording, &c.Seal, &c.Successor)
	if err != nil {
		return c, err
	}
	c.AsOf, c.CorrectedTo = asOf.Format(time.DateOnly), correctedTo.Format(time.DateOnly)
	if score.Valid {
		c.Score = json.Number(catalog.Points(score.Int64).String())
	}
	if c.Status = "official"; c.Trial {
		c.Status = "trial"
	}
	return c, nil
}
