package state

import (
	"context"

	"xinshu/pipelines/schedule"
)

// NewestTasks gives the newest task of every schedule that ever fired, by schedule.
func (s *State) NewestTasks(ctx context.Context) (map[string]schedule.Task, error) {
	const op = "list the newest tasks of schedules"
	rows, err := s.db.QueryContext(ctx, `
		select `+taskColumns+` from task where id in (
			select max(t.id) from task as t
			join (select schedule, max(queued_at) as at from task where schedule <> '' group by schedule) as n on n.schedule = t.schedule and n.at = t.queued_at
			group by t.schedule)`)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	newest := map[string]schedule.Task{}
	for rows.Next() {
		t, err := scanTask(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		newest[t.Schedule] = t
	}
	return newest, failed(op, rows.Err())
}
