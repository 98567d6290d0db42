package desk

import (
	"context"
	"errors"
	"time"

	"xinshu/internal/auth"
	"xinshu/pipelines/schedule"
)

// ScheduleLine is a schedule with what became of its newest task.
type ScheduleLine struct {
	schedule.Schedule
	Last schedule.Task // zero: it never fired
}

// Schedules lists all schedules by id.
func (d *Desk) Schedules(ctx context.Context) ([]ScheduleLine, error) {
	all, err := d.Book.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	last, err := d.State.NewestTasks(ctx)
	if err != nil {
		return nil, err
	}
	lines := make([]ScheduleLine, len(all))
	for i, s := range all {
		lines[i] = ScheduleLine{Schedule: s, Last: last[s.ID]}
	}
	return lines, nil
}

// Schedule gives one schedule.
func (d *Desk) Schedule(ctx context.Context, id string) (schedule.Schedule, error) {
	return d.Book.Schedule(ctx, id)
}

// NextTimes are the next firings of a schedule.
type NextTimes struct {
	Times   []time.Time
	Assumed []int // years of them without a calendar: Monday to Friday are taken for working days
}

// NextTimes checks a schedule as somebody filled it in and gives its next n firings. One that waits for
// fresh datasets has none that can be told.
func (d *Desk) NextTimes(ctx context.Context, s schedule.Schedule, n int) (next NextTimes, err error) {
	if s.ID == "" {
		s.ID = "unnamed" // its times can be told before it has a name; saving wants one
	}
	if _, err := d.Book.Validate(s, d.Now()); err != nil {
		return next, err
	}
	if err := errors.Join(d.Book.Known(ctx, s.Work), d.Book.Fresh(s.Fresh)); err != nil {
		return next, err
	}
	if len(s.Fresh) > 0 {
		return next, nil
	}
	next.Times, err = d.Book.Next(s, d.Now(), n)
	next.Assumed = d.Book.AssumedYears(s, next.Times)
	return next, err
}

// SaveSchedule keeps a schedule, new with Version 0, else over the version that was read.
func (d *Desk) SaveSchedule(ctx context.Context, s schedule.Schedule) (saved schedule.Schedule, err error) {
	if _, err := d.NextTimes(ctx, s, 1); err != nil {
		return s, err
	}
	act := auth.Act{Action: "schedule.save", Kind: "schedule", ID: s.ID, Detail: map[string]string{"spec": s.Spec, "do": s.Work.Do, "source": s.Work.Source}}
	return noting(ctx, d, act, func() (schedule.Schedule, error) {
		return d.Book.Save(ctx, s, decider(ctx))
	})
}

// DeleteSchedule removes a schedule; what it fired stays in the list of tasks.
func (d *Desk) DeleteSchedule(ctx context.Context, id string, version int64) error {
	return d.noted(ctx, auth.Act{Action: "schedule.remove", Kind: "schedule", ID: id}, func() error { return d.Book.DeleteSchedule(ctx, id, version) })
}

// PauseSchedule lets a schedule fire no more, or again.
func (d *Desk) PauseSchedule(ctx context.Context, id string, paused bool) (s schedule.Schedule, err error) {
	action := "schedule.resume"
	if paused {
		action = "schedule.pause"
	}
	return noting(ctx, d, auth.Act{Action: action, Kind: "schedule", ID: id}, func() (schedule.Schedule, error) {
		return d.Book.Pause(ctx, id, paused, decider(ctx))
	})
}

// RunSchedule queues a schedule's work once more, beside its ticks.
func (d *Desk) RunSchedule(ctx context.Context, id string) (t schedule.Task, err error) {
	return noting(ctx, d, auth.Act{Action: "schedule.run", Kind: "schedule", ID: id}, func() (schedule.Task, error) {
		return d.Book.RunNow(ctx, id, decider(ctx))
	})
}
