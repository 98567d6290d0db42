package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
)

const taskColumns = `id, schedule, tick, body, state, why, about, error, code, node, fence, lease_until, attempt, tries, attempts,
	after_at, queued_at, started_at, ended_at, step, queued_by, stopping`

// Enqueue stores a task. One whose id is there already stays as it is.
func (s *State) Enqueue(ctx context.Context, t schedule.Task) (queued bool, err error) {
	queued, err = enqueue(ctx, s.db, t)
	return queued, failed("queue task "+t.ID, err)
}

func enqueue(ctx context.Context, db execer, t schedule.Task) (bool, error) {
	body, err := json.Marshal(t.Work)
	if err != nil {
		return false, err
	}
	res, err := db.ExecContext(ctx, `
		insert into task (id, schedule, tick, source, body, state, why, about, error, code, node, fence, lease_until, attempt, tries, attempts,
			after_at, queued_at, started_at, ended_at, step, queued_by, stopping)
		values ($1, $2, $3, $4, $5, $6, $7, $8, '', '', '', 0, 0, 0, 0, $9, $10, $11, 0, $12, '', $13, '')
		on conflict (id) do nothing`,
		t.ID, t.Schedule, millis(t.Tick), t.Work.Source, string(body), t.State, t.Why, t.About, t.Attempts,
		millis(t.After), millis(t.Queued), millis(t.Ended), t.By)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Task gives one task.
func (s *State) Task(ctx context.Context, id string) (schedule.Task, error) {
	t, err := scanTask(s.db.QueryRowContext(ctx, `select `+taskColumns+` from task where id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return t, &fault.Error{Op: "read task " + id, Code: fault.NotFound, Err: errors.New("there is none of this name"), Hint: "see xinshu task list"}
	}
	return t, failed("read task "+id, err)
}

func scanTask(row interface{ Scan(dest ...any) error }) (t schedule.Task, err error) {
	var body string
	var tick, lease, after, queued, started, ended int64
	if err := row.Scan(&t.ID, &t.Schedule, &tick, &body, &t.State, &t.Why, &t.About, &t.Error, &t.Code, &t.Node, &t.Fence, &lease, &t.Attempt, &t.Tries, &t.Attempts,
		&after, &queued, &started, &ended, &t.Step, &t.By, &t.Stopping); err != nil {
		return t, err
	}
	t.Tick, t.Lease, t.After, t.Queued, t.Started, t.Ended = fromMillis(tick), fromMillis(lease), fromMillis(after), fromMillis(queued), fromMillis(started), fromMillis(ended)
	return t, json.Unmarshal([]byte(body), &t.Work)
}

// Tasks gives a page of tasks, newest first.
func (s *State) Tasks(ctx context.Context, f schedule.Filter) (schedule.Page, error) {
	const op = "list tasks"
	most := f.Most
	if most <= 0 {
		most = 50
	}
	most = min(most, 500)
	page := schedule.Page{Tasks: []schedule.Task{}}
	var where []string
	var args []any
	and := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, condition)
	}
	if f.Schedule != "" {
		and("schedule = ?", f.Schedule)
	}
	if f.Source != "" {
		and("source = ?", f.Source)
	}
	if len(f.States) > 0 {
		states := make([]any, len(f.States))
		for i, state := range f.States {
			states[i] = state
		}
		and("state in (?"+strings.Repeat(", ?", len(states)-1)+")", states...)
	}
	if f.After != "" {
		at, id, cut := strings.Cut(f.After, ".")
		ms, err := strconv.ParseInt(at, 10, 64)
		if err != nil || !cut {
			return page, &fault.Error{Op: op, Code: fault.Invalid, Err: errors.New("the cursor is none of ours"), Hint: "begin without one"}
		}
		and("(queued_at < ? or queued_at = ? and id < ?)", ms, ms, id)
	}
	query := `select ` + taskColumns + ` from task`
	if len(where) > 0 {
		query += ` where ` + strings.Join(where, " and ")
	}
	rows, err := s.db.QueryContext(ctx, query+fmt.Sprintf(` order by queued_at desc, id desc limit %d`, most+1), args...)
	if err != nil {
		return page, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	for rows.Next() {
		t, err := scanTask(rows)
		if err != nil {
			return page, failed(op, err)
		}
		page.Tasks = append(page.Tasks, t)
	}
	if len(page.Tasks) > most {
		page.Tasks = page.Tasks[:most]
		last := page.Tasks[most-1]
		page.Next = fmt.Sprintf("%d.%s", last.Queued.UnixMilli(), last.ID)
	}
	return page, failed(op, rows.Err())
}

// CancelTask ends a task that waits and asks the holder of one that runs to stop.
func (s *State) CancelTask(ctx context.Context, id, by string) (schedule.Task, error) {
	op := "cancel task " + id
	if _, err := s.Task(ctx, id); err != nil {
		return schedule.Task{}, err
	}
	for { // a node may take it, or give it back, between two looks
		if _, err := s.db.ExecContext(ctx, `update task set state = 'cancelled', why = 'person', about = $1, ended_at = $2 where id = $3 and state = 'waiting'`, by, millis(s.now()), id); err != nil {
			return schedule.Task{}, failed(op, err)
		}
		if _, err := s.db.ExecContext(ctx, `update task set stopping = $1 where id = $2 and state = 'running'`, by, id); err != nil {
			return schedule.Task{}, failed(op, err)
		}
		t, err := s.Task(ctx, id)
		switch {
		case err != nil || t.State == schedule.Cancelled || t.State == schedule.Running && t.Stopping != "":
			return t, err
		case t.Finished():
			return t, fault.Newf(fault.Conflict, op, "it is %s", t.State)
		}
	}
}

// RetryTask queues a failed or cancelled task again; the steps that are done stay done. A tick that was
// skipped can be made up for this way.
func (s *State) RetryTask(ctx context.Context, id, by string) (schedule.Task, error) {
	op := "retry task " + id
	now := millis(s.now())
	err := s.tx(ctx, op, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			update task set state = 'waiting', why = 'person', about = $1, after_at = $2, ended_at = 0, tries = 0, error = '', code = '', stopping = ''
			where id = $3 and state in ('failed', 'cancelled', 'skipped')`, by, now, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errNotOver)
		}
		_, err = tx.ExecContext(ctx, `update task_step set state = 'stale' where task = $1 and state = 'failed'`, id)
		return err
	})
	if errors.Is(err, errNotOver) {
		t, err := s.Task(ctx, id)
		if err != nil {
			return t, err
		}
		return t, &fault.Error{Op: op, Code: fault.Conflict, Err: errors.New("it is " + t.State), Hint: "only a failed, cancelled or skipped task is retried"}
	}
	if err != nil {
		return schedule.Task{}, err
	}
	return s.Task(ctx, id)
}

var errNotOver = errors.New("the task is not over")

// UnfinishedTasks counts the tasks of a schedule that wait or run and names the oldest.
func (s *State) UnfinishedTasks(ctx context.Context, of string) (n int, oldest string, err error) {
	const op = "count unfinished tasks"
	err = s.db.QueryRowContext(ctx, `select id from task where schedule = $1 and state in ('waiting', 'running') order by queued_at, id limit 1`, of).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", failed(op, err)
	}
	err = s.db.QueryRowContext(ctx, `select count(*) from task where schedule = $1 and state in ('waiting', 'running')`, of).Scan(&n)
	return n, oldest, failed(op, err)
}

// ForgetTasks deletes finished tasks that ended before a time, with their steps and events, some at a
// time, so that nobody waits long for the writer.
func (s *State) ForgetTasks(ctx context.Context, before time.Time) (n int64, err error) {
	const some = `select id from task where state in ('done', 'failed', 'skipped', 'cancelled') and ended_at < $1 order by ended_at, id limit 500`
	for {
		var gone int64
		err = s.tx(ctx, "forget old tasks", func(tx *sql.Tx) error {
			for _, statement := range []string{`delete from task_event where task in (` + some + `)`, `delete from task_step where task in (` + some + `)`,
				`delete from task where id in (` + some + `)`} {
				res, err := tx.ExecContext(ctx, statement, millis(before))
				if err != nil {
					return err
				}
				if gone, err = res.RowsAffected(); err != nil {
					return err
				}
			}
			return nil
		})
		if n += gone; err != nil || gone == 0 {
			return n, err
		}
	}
}
