package state

import (
	"context"
	"database/sql"

	"xinshu/pipelines/schedule"
)

// mostEvents bounds the log that is kept of one task; the steps themselves are kept apart.
const mostEvents = 2000

// SaveStep notes how a step of a task stands, in the name of its holder. The steps named in anew were
// done on what is no longer the newest and are to be done again.
func (s *State) SaveStep(ctx context.Context, task string, fence int64, step schedule.Step, anew []schedule.Key) error {
	op := "note a step of task " + task
	return s.tx(ctx, op, func(tx *sql.Tx) error {
		if err := heldBy(ctx, tx, op, task, fence, s.now()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			insert into task_step (task, step, subject, no, state, note, run, error, code, at)
			values ($1, $2, $3, (select coalesce(max(no), 0) + 1 from task_step where task = $1), $4, $5, $6, $7, $8, $9)
			on conflict (task, step, subject) do update set state = excluded.state, note = excluded.note,
				run = excluded.run, error = excluded.error, code = excluded.code, at = excluded.at`,
			task, step.Step, step.Subject, step.State, step.Note, step.Run, step.Error, step.Code, millis(s.now())); err != nil {
			return err
		}
		for _, k := range anew {
			if _, err := tx.ExecContext(ctx, `update task_step set state = 'stale' where task = $1 and step = $2 and subject = $3 and state in ('done', 'failed')`, task, k.Step, k.Subject); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `update task set step = $1 where id = $2`, step.Key.String(), task)
		return err
	})
}

// Steps gives the steps of a task in the order in which they were begun.
func (s *State) Steps(ctx context.Context, task string) ([]schedule.Step, error) {
	const op = "read the steps of a task"
	rows, err := s.db.QueryContext(ctx, `select step, subject, state, note, run, error, code, at from task_step where task = $1 order by no`, task)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	steps := []schedule.Step{}
	for rows.Next() {
		var one schedule.Step
		var at int64
		if err := rows.Scan(&one.Step, &one.Subject, &one.State, &one.Note, &one.Run, &one.Error, &one.Code, &at); err != nil {
			return nil, failed(op, err)
		}
		one.At = fromMillis(at)
		steps = append(steps, one)
	}
	return steps, failed(op, rows.Err())
}

// AddEvent puts a line at the end of a task's log and drops the oldest beyond a bound.
func (s *State) AddEvent(ctx context.Context, task string, e schedule.Event) error {
	return s.tx(ctx, "log of task "+task, func(tx *sql.Tx) error {
		// The task's row makes writers of one log take turns, on either database.
		if _, err := tx.ExecContext(ctx, `update task set step = step where id = $1`, task); err != nil {
			return err
		}
		var no int64
		if err := tx.QueryRowContext(ctx, `select coalesce(max(no), 0) + 1 from task_event where task = $1`, task).Scan(&no); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			insert into task_event (task, no, at, node, step, subject, status, note, run) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			task, no, millis(s.now()), e.Node, e.Step, e.Subject, e.Status, e.Note, e.Run); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `delete from task_event where task = $1 and no <= $2`, task, no-mostEvents)
		return err
	})
}

// Events gives the events of a task after a number, in order, at most so many.
func (s *State) Events(ctx context.Context, task string, after int64, most int) ([]schedule.Event, error) {
	const op = "read the log of a task"
	rows, err := s.db.QueryContext(ctx, `
		select no, at, node, step, subject, status, note, run from task_event where task = $1 and no > $2 order by no limit $3`,
		task, after, min(max(most, 1), mostEvents))
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	events := []schedule.Event{}
	for rows.Next() {
		var e schedule.Event
		var at int64
		if err := rows.Scan(&e.No, &at, &e.Node, &e.Step, &e.Subject, &e.Status, &e.Note, &e.Run); err != nil {
			return nil, failed(op, err)
		}
		e.At = fromMillis(at)
		events = append(events, e)
	}
	return events, failed(op, rows.Err())
}

// raiseFence lets no fencing number be drawn that the log has had.
func raiseFence(ctx context.Context, tx *sql.Tx, n int64) error {
	_, err := tx.ExecContext(ctx, `update fence set n = $1 where one = 1 and n < $1`, n)
	return err
}
