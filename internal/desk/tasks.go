package desk

import (
	"context"
	"errors"

	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
)

// TaskStep is a step of a task with the run that it was.
type TaskStep struct {
	schedule.Step
	Of chain.Run // zero where the run is not kept any more
}

// TaskView is one task with its steps and the last of its log.
type TaskView struct {
	schedule.Task
	Steps []TaskStep
}

// Tasks gives a page of tasks, the newest first.
func (d *Desk) Tasks(ctx context.Context, f schedule.Filter) (schedule.Page, error) {
	return d.Book.Tasks(ctx, f)
}

// Task gives one task with its steps.
func (d *Desk) Task(ctx context.Context, id string) (v TaskView, err error) {
	if v.Task, err = d.Book.Task(ctx, id); err != nil {
		return v, err
	}
	steps, err := d.Book.Steps(ctx, id)
	if err != nil {
		return v, err
	}
	for _, s := range steps {
		step := TaskStep{Step: s}
		if s.Run != "" {
			if step.Of, err = d.State.Run(ctx, s.Run); err != nil && !fault.Is(err, fault.NotFound) {
				return v, err
			}
		}
		v.Steps = append(v.Steps, step)
	}
	return v, nil
}

// TaskEvents gives the log of a task after a number, in order, at most so many.
func (d *Desk) TaskEvents(ctx context.Context, id string, after int64, most int) ([]schedule.Event, error) {
	return d.Book.Events(ctx, id, after, min(max(most, 1), 2000))
}

// TaskMoved says whether a task has an event after a number, or another state.
func (d *Desk) TaskMoved(ctx context.Context, id string, after int64, state string) (bool, error) {
	t, err := d.Book.Task(ctx, id)
	if err != nil || t.State != state {
		return err == nil, err
	}
	events, err := d.Book.Events(ctx, id, after, 1)
	return len(events) > 0, err
}

// Start queues a piece of work: a pull now, a reload, a stretch read again, the whole job.
func (d *Desk) Start(ctx context.Context, w schedule.Work) (t schedule.Task, err error) {
	if w.Replay != nil { // it wants a right of its own, and its reason in the trail
		return t, &fault.Error{Op: "start a task", Code: fault.Invalid, Err: errors.New("a replay is asked for at its target"), Hint: "see the page of the target, or POST /v1/deliveries/targets/{id}/replay"}
	}
	detail := map[string]string{"do": w.Do, "datasets": joined(w.Datasets), "policies": joined(w.Policies)}
	if w.Again != nil {
		detail["again"] = w.Again.From + " / " + w.Again.Until
	}
	if w.Reload {
		detail["reload"] = "true"
	}
	of := auth.Act{Action: "task.start", Kind: "source", ID: w.Source, Detail: detail}
	if w.Source == "" { // of all sources, or of what was pulled
		of.Kind = "task"
	}
	return noting(ctx, d, of, func() (schedule.Task, error) {
		return d.Book.Start(ctx, w, decider(ctx))
	})
}

// CancelTask ends a task that waits and asks the holder of one that runs to stop.
func (d *Desk) CancelTask(ctx context.Context, id string) (t schedule.Task, err error) {
	return noting(ctx, d, auth.Act{Action: "task.cancel", Kind: "task", ID: id}, func() (schedule.Task, error) {
		return d.Book.CancelTask(ctx, id, decider(ctx))
	})
}

// RetryTask queues a failed or cancelled task again, from the step that failed.
func (d *Desk) RetryTask(ctx context.Context, id string) (t schedule.Task, err error) {
	return noting(ctx, d, auth.Act{Action: "task.retry", Kind: "task", ID: id}, func() (schedule.Task, error) {
		return d.Book.RetryTask(ctx, id, decider(ctx))
	})
}
