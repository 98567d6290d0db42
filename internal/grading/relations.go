// Package grading owns what scoring a policy means to DuckDB: the models of sql/ in their order, the
// policy and the clocks as tables, the columns of the settled relations. It refuses to know where
// files lie and what becomes of a grade. pipelines/score runs it over everybody and commits,
// internal/explain over one entity and tells.
package grading

import (
	"context"
	"xinshu/catalog"
	"xinshu/internal/duck"
)

// The settled tables as scoring reads them (protocol.md section 2).
var (
	RecordColumns = columns("entity_id BIGINT", "uscc VARCHAR", "record_id VARCHAR", "version INTEGER", "known_from BIGINT", "known_to BIGINT",
		"source_time TIMESTAMP", "dataset VARCHAR", "family VARCHAR", "kind VARCHAR", "level VARCHAR", "level_by VARCHAR",
		"decided_on DATE", "valid_from DATE", "valid_until DATE", "publicity_until DATE", "share VARCHAR", "status VARCHAR", "status_on DATE",
		"amount_fen BIGINT", "quantity BIGINT", "doc_no VARCHAR", "title VARCHAR", "authority_uscc VARCHAR", "received_on DATE",
		"stage_n BIGINT", "row_no BIGINT", "row_sha VARCHAR")
	EntityColumns = columns("entity_id BIGINT", "uscc VARCHAR", "name VARCHAR", "category VARCHAR", "in_scope_from DATE", "in_scope_until DATE",
		"survivor_id BIGINT", "division VARCHAR", "industry VARCHAR", "received_on DATE", "known_from BIGINT", "known_to BIGINT")
	MarkColumns = columns("mark_id VARCHAR", "kind VARCHAR", "target_dataset VARCHAR", "target_key VARCHAR", "target_record_id VARCHAR",
		"effective_on DATE", "source_time TIMESTAMP", "decided_by VARCHAR", "evidence VARCHAR", "known_from BIGINT", "received_on DATE",
		"uscc VARCHAR", "doc_no VARCHAR", "authority_uscc VARCHAR")
	CoverageColumns = columns("dataset VARCHAR", "complete_to DATE", "rows_usual BIGINT", "known_from BIGINT", "held_since DATE")
	AliasColumns    = columns("number VARCHAR", "kind VARCHAR", "number_id BIGINT", "entity_id BIGINT", "uscc VARCHAR", "dataset VARCHAR",
		"record_id VARCHAR", "version INTEGER", "says VARCHAR", "status VARCHAR", "source_time TIMESTAMP", "stage_n BIGINT", "row_no BIGINT",
		"received_on DATE", "known_from BIGINT", "known_to BIGINT")
	JudgementColumns = columns("judgement_id VARCHAR", "kind VARCHAR", "uscc VARCHAR", "entity_id BIGINT", "successor VARCHAR", "successor_id BIGINT",
		"dataset VARCHAR", "record_id VARCHAR", "undoes VARCHAR", "effective_on DATE", "decided_by VARCHAR", "reason VARCHAR", "evidence VARCHAR",
		"known_from BIGINT")
	RunColumns = columns("as_of DATE", "corrected_to DATE", "known_seq BIGINT", "marks_seq BIGINT", "cutoff DATE", "trial BOOLEAN")
)

func columns(defs ...string) []duck.Column {
	out := make([]duck.Column, len(defs))
	for i, def := range defs {
		for j := range def {
			if def[j] == ' ' {
				out[i] = duck.Column{Name: def[:j], Type: def[j+1:]}
				break
			}
		}
	}
	return out
}

// Settled is a settled relation that models read.
type Settled struct {
	Name    string // as models call it
	Table   string // of the chain settled
	Columns []duck.Column
}

// Small are the settled relations that are stored whole, however many ranges there are.
var Small = []Settled{{"settled_mark", "mark", MarkColumns}, {"settled_alias", "alias", AliasColumns}, {"settled_judgement", "judgement", JudgementColumns}}

// Ranged are those that are stored range by range.
var Ranged = []Settled{{"settled_record", "record", RecordColumns}, {"settled_entity", "entity", EntityColumns}}

// Clocks are the three times of a score, and the snapshot up to which marks of cases are read.
type Clocks struct {
	AsOf        catalog.Date // decides windows, lists, validity
	CorrectedTo catalog.Date // repairs, withdrawals and upheld objections up to this day count; NoDate: AsOf
	KnownSeq    int64        // settled snapshot read; 0: the newest, or that of the first result when this corrects one
	MarksSeq    int64        // settled snapshot up to which marks are read; 0: the newest
}

// Prepare gives a database the macros, the policy's tables, the clocks and the views of the models
// that read settled records; the settled relations must be made before a model is asked, but for the
// coverage, which stands empty: no feed is on hold.
func Prepare(ctx context.Context, db *duck.DB, m Models, p catalog.Policy, c Clocks) error {
	for _, text := range m.Macros {
		if err := db.Exec(ctx, text); err != nil {
			return err
		}
	}
	if err := PolicyTables(ctx, db, p); err != nil {
		return err
	}
	if err := SetPlatforms(ctx, db, nil); err != nil {
		return err
	}
	if err := db.Table(ctx, "settled_coverage", CoverageColumns, nil); err != nil {
		return err
	}
	return SetClocks(ctx, db, p, c)
}

// SetCoverage gives the relation settled_coverage the rows of the settled files.
func SetCoverage(ctx context.Context, db *duck.DB, paths []string) error {
	if err := db.Older(ctx, "every_coverage", paths, CoverageColumns); err != nil {
		return err
	}
	return db.Exec(ctx, "create or replace table settled_coverage as select * from every_coverage")
}

// PlatformColumns are those of platform_dataset: the datasets that platforms send, whose report of an
// act gives way to a department's.
var PlatformColumns = columns("dataset VARCHAR")

// SetPlatforms fills platform_dataset, which Prepare leaves empty.
func SetPlatforms(ctx context.Context, db *duck.DB, datasets []string) error {
	rows := make([][]any, len(datasets))
	for i, d := range datasets {
		rows[i] = []any{d}
	}
	return db.Table(ctx, "platform_dataset", PlatformColumns, rows)
}

// PolicyTables loads a policy as tables.
func PolicyTables(ctx context.Context, db *duck.DB, p catalog.Policy) error {
	for _, t := range p.Tables() {
		cols := make([]duck.Column, len(t.Columns))
		for i, c := range t.Columns {
			cols[i] = duck.Column{Name: c[0], Type: c[1]}
		}
		if err := db.Table(ctx, t.Name, cols, t.Rows); err != nil {
			return err
		}
	}
	return nil
}

// SetClocks makes the one-row relation run.
func SetClocks(ctx context.Context, db *duck.DB, p catalog.Policy, c Clocks) error {
	return db.Table(ctx, "run", RunColumns, [][]any{runRow(p, c)})
}

// ChangeClocks gives the relation run other clocks and leaves the table as it is, with the plans that
// were made over it.
func ChangeClocks(ctx context.Context, db *duck.DB, p catalog.Policy, c Clocks) error {
	if err := db.Exec(ctx, "truncate run"); err != nil {
		return err
	}
	return db.Append(ctx, "run", RunColumns, [][]any{runRow(p, c)})
}

// runRow: of a yearly policy only what was received by the cut-off counts; a dynamic one has no such limit.
func runRow(p catalog.Policy, c Clocks) []any {
	var cutoff any
	if p.Cycle == "yearly" {
		cutoff = c.AsOf
	}
	trial, _ := p.Trial(c.AsOf)
	return []any{c.AsOf, c.CorrectedTo, c.KnownSeq, c.MarksSeq, cutoff, trial}
}
