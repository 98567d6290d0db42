package schedule

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"

	"xinshu/internal/fault"
)

// Book is what people ask of schedules and tasks: the console, the API and the command line call it.
// Its fields are set once, before use.
type Book struct {
	Store
	Planner
	Now   func() time.Time
	Known func(ctx context.Context, w Work) error // refuses sources, datasets, policies and targets that do not exist
	Fresh func(datasets []string) error           // refuses datasets to wait for that do not exist
}

// Save checks a schedule and stores it, new with Version 0, else over the version that was read. Its
// times are counted from now; one whose times are not changed keeps the tick that is next.
func (b *Book) Save(ctx context.Context, s Schedule, by string) (Schedule, error) {
	now := b.Now()
	s, err := b.Validate(s, now)
	if err != nil {
		return s, err
	}
	if err := b.Known(ctx, s.Work); err != nil {
		return s, err
	}
	if err := b.Fresh(s.Fresh); err != nil {
		return s, err
	}
	s.SavedAt, s.SavedBy, s.FiredAt = now, by, now
	if s.Version > 0 {
		before, err := b.Schedule(ctx, s.ID)
		if err != nil {
			return s, err
		}
		if !s.Paused && !before.Paused && s.timing() == before.timing() {
			s.NextAt = before.NextAt
		}
	}
	return b.SaveSchedule(ctx, s)
}

// timing is what decides when a schedule fires.
func (s Schedule) timing() string {
	return strings.Join(append([]string{s.Spec, s.Zone, s.Days, s.Window}, s.Fresh...), "\n")
}

// Pause lets a schedule fire no more, or again. What passes while it is paused is not made up for.
func (b *Book) Pause(ctx context.Context, id string, paused bool, by string) (Schedule, error) {
	s, err := b.Schedule(ctx, id)
	if err != nil || s.Paused == paused {
		return s, err
	}
	now := b.Now()
	s.Paused, s.SavedAt, s.SavedBy, s.FiredAt = paused, now, by, now
	if s, err = b.Validate(s, now); err != nil {
		return s, err
	}
	return b.SaveSchedule(ctx, s)
}

// RunNow queues a schedule's work once more, beside its ticks.
func (b *Book) RunNow(ctx context.Context, id, by string) (Task, error) {
	s, err := b.Schedule(ctx, id)
	if err != nil {
		return Task{}, err
	}
	return b.queue(ctx, Task{Schedule: id, Work: s.Work, Attempts: s.Attempts}, by)
}

// Start queues a piece of work: a run of the whole job, one source, a stretch read again.
func (b *Book) Start(ctx context.Context, w Work, by string) (Task, error) {
	if err := w.Check(); err != nil {
		return Task{}, err
	}
	if err := b.Known(ctx, w); err != nil {
		return Task{}, err
	}
	return b.queue(ctx, Task{Work: w}, by)
}

func (b *Book) queue(ctx context.Context, t Task, by string) (Task, error) {
	now := b.Now()
	t.ID, t.State, t.Queued, t.After, t.By, t.Attempts = newTaskID(now), Waiting, now, now, by, cmp.Or(t.Attempts, defaultAttempts)
	queued, err := b.Enqueue(ctx, t)
	if err == nil && !queued {
		err = fault.Newf(fault.Conflict, "queue a task", "%s is there already", t.ID)
	}
	return t, err
}

// newTaskID gives an id that sorts by time and is unique.
func newTaskID(now time.Time) string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails, says its documentation
	return "task@" + now.UTC().Format("20060102T150405") + "-" + hex.EncodeToString(b[:])
}

// tickID is the name of the one task of a tick.
func tickID(schedule string, tick time.Time) string {
	if tick.Nanosecond() > 0 { // of datasets that became fresh
		return schedule + "@" + tick.UTC().Format("20060102T150405.000Z")
	}
	return schedule + "@" + tick.UTC().Format("20060102T150405Z")
}
