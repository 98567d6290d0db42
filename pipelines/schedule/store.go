package schedule

import (
	"context"
	"time"
)

// Store keeps schedules, tasks and leases. All of it is shared by the nodes of a hub; whatever two of
// them do at once has the outcome of one after the other.
//
//nolint:interfacebloat // it is one store, asked about one thing
type Store interface {
	// Schedules gives all schedules by id.
	Schedules(ctx context.Context) ([]Schedule, error)
	// Schedule gives one; not_found when there is none.
	Schedule(ctx context.Context, id string) (Schedule, error)
	// SaveSchedule stores a schedule as given. Its Version is the one that was read, 0 for a new one;
	// another in the store is a conflict. It gives the schedule as saved.
	SaveSchedule(ctx context.Context, s Schedule) (Schedule, error)
	// DeleteSchedule removes a schedule of this version; its tasks stay.
	DeleteSchedule(ctx context.Context, id string, version int64) error

	// Enqueue stores a task that waits. A task whose id is there already stays as it is, and queued is false.
	Enqueue(ctx context.Context, t Task) (queued bool, err error)
	// Task gives one; not_found when there is none.
	Task(ctx context.Context, id string) (Task, error)
	// Tasks gives a page of tasks, newest first.
	Tasks(ctx context.Context, f Filter) (Page, error)
	// Steps gives the steps of a task in the order in which they were begun.
	Steps(ctx context.Context, task string) ([]Step, error)
	// Events gives the events of a task after a number, in order, at most so many.
	Events(ctx context.Context, task string, after int64, most int) ([]Event, error)
	// CancelTask ends a task that waits and asks the holder of one that runs to stop.
	CancelTask(ctx context.Context, id, by string) (Task, error)
	// RetryTask queues a failed or cancelled task again; the steps that are done stay done.
	RetryTask(ctx context.Context, id, by string) (Task, error)
	// Nodes gives the nodes that were seen since.
	Nodes(ctx context.Context, since time.Time) ([]Node, error)
}
