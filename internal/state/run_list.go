package state

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"xinshu/internal/chain"
)

// RunFilter chooses runs. Empty members choose all.
type RunFilter struct {
	Step, Status, Source string
	Task                 string    // of which the runs are steps
	Subjects             []string  // datasets, policies or targets
	Since, Until         time.Time // of their beginning; Until is left out
	// Before and BeforeID continue a list after the run that began then and is called so.
	Before   time.Time
	BeforeID string
}

// FilterRuns gives the chosen runs, the newest first, at most so many.
func (s *State) FilterRuns(ctx context.Context, f RunFilter, most int) ([]chain.Run, error) {
	const op = "list runs"
	var where []string
	var args []any
	add := func(condition string, values ...any) {
		marks := make([]any, len(values))
		for i, v := range values {
			args = append(args, v)
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		where = append(where, fmt.Sprintf(condition, marks...))
	}
	for _, c := range []struct{ column, value string }{{"step", f.Step}, {"status", f.Status}, {"source", f.Source}, {"task", f.Task}} {
		if c.value != "" {
			add(c.column+" = %s", c.value)
		}
	}
	if len(f.Subjects) > 0 {
		values := make([]any, len(f.Subjects))
		for i, subject := range f.Subjects {
			values[i] = subject
		}
		add("subject in ("+strings.TrimSuffix(strings.Repeat("%s, ", len(values)), ", ")+")", values...)
	}
	if !f.Since.IsZero() {
		add("started_at >= %s", millis(f.Since))
	}
	if !f.Until.IsZero() {
		add("started_at < %s", millis(f.Until))
	}
	if !f.Before.IsZero() {
		at := millis(f.Before)
		add("(started_at < %s or started_at = %s and id < %s)", at, at, f.BeforeID)
	}
	chosen := ""
	if len(where) > 0 {
		chosen = "where " + strings.Join(where, " and ")
	}
	args = append(args, most)
	rows, err := s.db.QueryContext(ctx, `select `+runColumns+` from run `+chosen+fmt.Sprintf(` order by started_at desc, id desc limit $%d`, len(args)), args...)
	return scanRuns(op, rows, err)
}

// NewestRuns gives the newest run of a step for each source and subject.
func (s *State) NewestRuns(ctx context.Context, step string) ([]chain.Run, error) {
	const op = "list the newest runs"
	rows, err := s.db.QueryContext(ctx, `
		select `+runColumns+` from run where id in (
			select max(r.id) from run as r
			join (select source, subject, max(started_at) as at from run where step = $1 group by source, subject) as n
				on n.source = r.source and n.subject = r.subject and n.at = r.started_at
			where r.step = $1 group by r.source, r.subject)
		order by source, subject`, step)
	return scanRuns(op, rows, err)
}

func scanRuns(op string, rows *sql.Rows, err error) ([]chain.Run, error) {
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var runs []chain.Run
	for rows.Next() {
		r, err := scanRun(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		runs = append(runs, r)
	}
	return runs, failed(op, rows.Err())
}
