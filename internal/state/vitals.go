package state

import (
	"context"
	"time"

	"xinshu/internal/chain"
)

// Ping says whether the database answers.
func (s *State) Ping(ctx context.Context) error {
	var one int
	return failed("reach run state", s.db.QueryRowContext(ctx, `select 1`).Scan(&one))
}

// TaskCount is the tasks in one state.
type TaskCount struct {
	State  string
	Tasks  int64
	Oldest time.Time // when the oldest of them was queued
}

// TaskCounts counts the tasks by state.
func (s *State) TaskCounts(ctx context.Context) ([]TaskCount, error) {
	const op = "count tasks"
	rows, err := s.db.QueryContext(ctx, `select state, count(*), min(queued_at) from task group by state order by state`)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var counts []TaskCount
	for rows.Next() {
		var c TaskCount
		var oldest int64
		if err := rows.Scan(&c.State, &c.Tasks, &oldest); err != nil {
			return nil, failed(op, err)
		}
		c.Oldest = fromMillis(oldest)
		counts = append(counts, c)
	}
	return counts, failed(op, rows.Err())
}

// Waiting is the rows of one target in one state that is not the usual end.
type Waiting struct {
	Target, State string // due, sent, rejected
	Rows          int64
}

// WaitingRows counts the rows that are not acknowledged, by target and state. Each state has an index
// of its own, so that the millions that are acknowledged cost nothing.
func (s *State) WaitingRows(ctx context.Context) ([]Waiting, error) {
	const op = "count waiting rows"
	rows, err := s.db.QueryContext(ctx, `
		select target, state, count(*) from outbox where state in ('due', 'sent') group by target, state
		union all
		select target, 'rejected', count(*) from outbox where state = 'rejected' group by target
		order by 1, 2`)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var all []Waiting
	for rows.Next() {
		var w Waiting
		if err := rows.Scan(&w.Target, &w.State, &w.Rows); err != nil {
			return nil, failed(op, err)
		}
		all = append(all, w)
	}
	return all, failed(op, rows.Err())
}

// LastPulls gives the newest pulls of a dataset that ended well and read rows, the newest first; with
// quiet ones too, those that found none.
func (s *State) LastPulls(ctx context.Context, dataset string, quiet bool, most int) ([]chain.Run, error) {
	rows, err := s.db.QueryContext(ctx, `select `+runColumns+` from run
		where step = 'pull' and subject = $1 and status = 'done' and read >= $2
		order by started_at desc limit $3`, dataset, 1-flag(quiet), most)
	return scanRuns("list pulls of "+dataset, rows, err)
}
