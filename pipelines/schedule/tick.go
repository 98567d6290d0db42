package schedule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// mostSkipped bounds how many skipped ticks get a line each; one more line stands for all older ones.
const mostSkipped = 50

// tick takes what is due of every schedule. A schedule that cannot be read holds up no other.
func (e *Engine) tick(ctx context.Context) error {
	now := e.Now()
	due, err := e.Keeper.DueSchedules(ctx, now)
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range due {
		if err := e.fire(ctx, s, now); err != nil {
			errs = append(errs, fmt.Errorf("schedule %s: %w", s.ID, err))
		}
	}
	return errors.Join(errs...)
}

// fire takes the due ticks of one schedule in one transaction: its tasks, or a line that says why not.
func (e *Engine) fire(ctx context.Context, s Schedule, now time.Time) error {
	d, err := e.due(ctx, s, now)
	if err != nil || len(d.ticks) == 0 {
		return err
	}
	unfinished, oldest, err := e.Keeper.UnfinishedTasks(ctx, s.ID)
	if err != nil {
		return err
	}
	tasks := s.tasks(d, now, e.OnTime, unfinished, oldest)
	_, err = e.Keeper.Fire(ctx, s, d.next, d.ticks[len(d.ticks)-1], tasks)
	return err
}

// due is what passed of a schedule: the newest ticks in order, and how many older ones there were.
type due struct {
	ticks []time.Time
	older int
	first time.Time // of the older ones
	next  time.Time // the tick that comes after them
}

func (e *Engine) due(ctx context.Context, s Schedule, now time.Time) (due, error) {
	if s.Spec == "" {
		return e.refreshed(ctx, s, now)
	}
	r, err := e.rule(s)
	if err != nil {
		return due{}, err
	}
	d, keep := due{next: s.NextAt}, max(s.Cap, 1)+mostSkipped
	for ; !d.next.IsZero() && !d.next.After(now); d.next = r.next(d.next) {
		d.ticks = append(d.ticks, d.next)
		if len(d.ticks) == 2*keep { // an outage of a year by the minute is half a million ticks
			d.drop(keep)
		}
	}
	if len(d.ticks) > keep {
		d.drop(len(d.ticks) - keep)
	}
	return d, nil
}

func (d *due) drop(n int) {
	if d.older == 0 {
		d.first = d.ticks[0]
	}
	d.older += n
	d.ticks = append(d.ticks[:0], d.ticks[n:]...)
}

// refreshed gives the one tick of a schedule that waits for datasets: when the last of them was
// refreshed, moved to a day that the schedule keeps and into its window.
func (e *Engine) refreshed(ctx context.Context, s Schedule, now time.Time) (due, error) {
	r, err := e.conditions(rule{}, s)
	if err != nil {
		return due{}, err
	}
	at, err := e.Keeper.Refreshed(ctx, s.Fresh, s.FiredAt)
	if err != nil || len(at) < len(s.Fresh) {
		return due{}, err
	}
	var tick time.Time
	for _, one := range at {
		if one.After(tick) {
			tick = one
		}
	}
	kept := tick.In(r.spec.zone)
	for until := kept.Add(horizon); !r.keeps(kept) && kept.Before(until); {
		kept = r.spec.instant(time.Date(kept.Year(), kept.Month(), kept.Day()+1, 0, 0, 0, 0, time.UTC))
	}
	if r.fires(kept).After(now) {
		return due{}, nil
	}
	return due{ticks: []time.Time{tick}}, nil
}

// tasks decides what becomes of passed ticks, by the schedule's policy: what is not fired is skipped
// with the reason. What is made up for waits for its turn, whatever the rule about overlaps says: that
// rule is about a tick that comes while the one before is still being worked on.
func (s Schedule) tasks(d due, now time.Time, onTime time.Duration, unfinished int, oldest string) []Task {
	newest := len(d.ticks) - 1
	late := now.Sub(d.ticks[newest]) > onTime
	fire := 1 // so many of the newest ones
	switch s.CatchUp {
	case CatchUpSkip:
		if late {
			fire = 0
		}
	case CatchUpAll:
		fire = min(len(d.ticks), max(s.Cap, 1))
	}
	full := max(s.Cap, 1)
	var tasks []Task
	skipped := 0
	for i := newest; i >= 0; i-- {
		t := s.task(d.ticks[i], now)
		switch {
		case newest-i >= fire:
			t.skip(s.whyNot(d.ticks[newest]))
		case !late && i == newest && newest == 0 && unfinished > 0 && s.Overlap != OverlapQueue:
			t.skip(WhyOverlap, oldest)
		case unfinished+newest-i >= full && unfinished > 0:
			t.skip(WhyFull, strconv.Itoa(unfinished))
		}
		if t.State == Skipped {
			if skipped++; skipped > mostSkipped {
				d.older, d.first = d.older+1, d.ticks[i]
				continue
			}
		}
		tasks = append(tasks, t)
	}
	if d.older > 0 {
		t := s.task(d.first, now)
		t.skip(WhyCap, strconv.Itoa(d.older))
		tasks = append(tasks, t)
	}
	return tasks
}

// whyNot is why an older tick is not fired.
func (s Schedule) whyNot(newest time.Time) (why, about string) {
	switch s.CatchUp {
	case CatchUpSkip:
		return WhyLate, ""
	case CatchUpAll:
		return WhyCap, "1"
	}
	return WhyNewer, tickID(s.ID, newest)
}

func (s Schedule) task(tick, now time.Time) Task {
	return Task{ID: tickID(s.ID, tick), Schedule: s.ID, Tick: tick, Work: s.Work, State: Waiting, Queued: now, After: now,
		By: "schedule", Attempts: cmp.Or(s.Attempts, defaultAttempts)}
}

func (t *Task) skip(why, about string) {
	t.State, t.Why, t.About, t.Ended = Skipped, why, about, t.Queued
}
