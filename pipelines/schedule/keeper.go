package schedule

import (
	"context"
	"time"
)

// Keeper is what the engine needs of run state beside what people ask of it. A lease is a task's, a
// lock a name's; both carry a number from one counter that only grows. Whoever holds an older number
// than the newest has lost what it held and is answered with ErrLost.
//
//nolint:interfacebloat // it is one store, asked about one thing
type Keeper interface {
	Store
	// DueSchedules gives the schedules whose next tick has come, and those that wait for datasets.
	DueSchedules(ctx context.Context, now time.Time) ([]Schedule, error)
	// Fire moves a schedule on from the state that was read and stores the tasks of its ticks, both or
	// neither; false where another node was faster.
	Fire(ctx context.Context, read Schedule, next, fired time.Time, tasks []Task) (took bool, err error)
	// Refreshed gives when each dataset was first refreshed after a time, up to the first one that was not.
	Refreshed(ctx context.Context, datasets []string, after time.Time) (map[string]time.Time, error)
	// UnfinishedTasks counts the tasks of a schedule that wait or run and names the oldest.
	UnfinishedTasks(ctx context.Context, of string) (n int, oldest string, err error)
	// TakeTask gives a node the next task that may be worked on.
	TakeTask(ctx context.Context, node string, lease time.Duration) (t Task, found bool, err error)
	// HoldsTask fails with ErrLost unless the task is held under this number and its lease runs.
	HoldsTask(ctx context.Context, task string, fence int64) error
	// LockNames gives a task all of the names, with a number to commit under, or the one in use and who has it.
	LockNames(ctx context.Context, task string, fence int64, names []string, lease time.Duration) (drawn int64, busy, by string, err error)
	// UnlockNames gives names back that were locked with this number.
	UnlockNames(ctx context.Context, task string, drawn int64, names []string) error
	// Beat renews what a node holds, tasks by their fences, and gives what is lost and what somebody asked to stop.
	Beat(ctx context.Context, node Node, held map[string]int64, lease time.Duration) (lost []string, stopping map[string]string, err error)
	// Skew is by how much this node's clock is ahead of the one that all nodes share.
	Skew(ctx context.Context) (time.Duration, error)
	// Leave forgets a node.
	Leave(ctx context.Context, node string) error
	// FinishTask lets go of a held task in its new state.
	FinishTask(ctx context.Context, t Task) error
	// SaveStep notes how a step of a held task stands; anew names steps that are to be done again.
	SaveStep(ctx context.Context, task string, fence int64, step Step, anew []Key) error
	// AddEvent puts a line at the end of a task's log.
	AddEvent(ctx context.Context, task string, e Event) error
}
