package schedule

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// work does a task that was taken and lets go of it in the state it came to.
func (e *Engine) work(h *Hold) {
	defer e.drop(h)
	fault.At(fault.AfterTake)
	ctx := h.ctx
	if opens, err := e.shut(ctx, h.task); err == nil && !opens.IsZero() {
		wait := h.task
		wait.State, wait.Why, wait.About, wait.After = Waiting, WhyWindow, "", opens
		e.finish(ctx, h, wait)
		return
	}
	h.Log(ctx, Event{Status: "taken", Note: chain.Notef("attempt %d", h.task.Attempt)})
	end := h.task
	if h.task.Tries >= max(h.task.Attempts, 1) && h.task.Tries > 0 {
		end.State, end.Why, end.Ended = Failed, WhyLost, e.Now()
		end.Error, end.Code = chain.Notef("it was broken off %d times in a row", h.task.Tries), string(fault.Unavailable)
	} else {
		end = e.ended(ctx, h, e.attempt(ctx, h))
		if end.ID == "" {
			e.Log.Warn("another node goes on with a task", "task", h.task.ID)
			return
		}
	}
	fault.At(fault.BeforeFinish)
	e.finish(ctx, h, end)
}

// shut gives when the window of a tick's schedule opens, if it is shut now: a tick that is made up for,
// tried again or taken over keeps to the window as the tick did. What a person asked for goes on at once.
func (e *Engine) shut(ctx context.Context, t Task) (opens time.Time, err error) {
	if t.Tick.IsZero() || t.Why == WhyPerson {
		return opens, nil
	}
	s, err := e.Keeper.Schedule(ctx, t.Schedule)
	if err != nil { // it was deleted: its last tasks are not bound any more
		return opens, err
	}
	r, err := e.conditions(rule{}, s)
	if err != nil {
		return opens, err
	}
	if now := e.Now().In(r.spec.zone); !r.window.holds(now) {
		opens = r.window.opens(now)
	}
	return opens, nil
}

// attempt does the work; a panic in a step is that task's failure, not the hub's.
func (e *Engine) attempt(ctx context.Context, h *Hold) (err error) {
	defer func() {
		if p := recover(); p != nil {
			e.Log.Error("a task panicked", "task", h.task.ID, "panic", p, "stack", string(debug.Stack()))
			err = fault.Newf(fault.Internal, "do task "+h.task.ID, "%v", p)
		}
	}()
	steps, err := e.Keeper.Steps(ctx, h.task.ID)
	if err != nil {
		return err
	}
	for _, s := range steps {
		h.steps[s.Key] = s
	}
	return e.Do(ctx, h)
}

// ended says what becomes of a task after an attempt; nothing where it is another node's by now.
func (e *Engine) ended(ctx context.Context, h *Hold, err error) Task {
	end, now := h.task, e.Now()
	end.Why, end.About, end.Error, end.Code = "", "", "", ""
	h.mu.Lock()
	end.Step = h.stands()
	h.mu.Unlock()
	var busy *Busy
	var by *stopped
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, ErrLost), errors.Is(err, ErrLost):
		return Task{}
	case errors.As(cause, &by):
		end.State, end.Why, end.About, end.Ended = Cancelled, WhyPerson, by.by, now
	case errors.Is(cause, errReleased):
		end.State, end.Why, end.About, end.After = Waiting, WhyReleased, e.node.Name, now
	case err == nil:
		end.State, end.Ended, end.Tries = Done, now, 0
	case errors.As(err, &busy):
		end.State, end.Why, end.About, end.After = Waiting, WhyBusy, busy.Error(), now.Add(e.Poll)
	case outOfReach(err) && end.Tries+1 < max(end.Attempts, 1):
		end.State, end.Why, end.After = Waiting, WhyRetry, now.Add(e.backoff(end.Tries))
		end.Error, end.Code, end.Tries = bounded(err.Error()), string(fault.Unavailable), end.Tries+1
	default:
		end.State, end.Error, end.Code, end.Ended = Failed, bounded(err.Error()), string(fault.CodeOf(err)), now
	}
	return end
}

// stands names the step that failed or was broken off; empty when all are done.
func (h *Hold) stands() string {
	for _, rank := range ranks {
		for k, s := range h.steps {
			if k.Step == rank && s.State != Done {
				return k.String()
			}
		}
	}
	return ""
}

func (e *Engine) backoff(tries int) time.Duration {
	wait := e.Backoff
	for range tries {
		if wait *= 2; wait >= longestBackoff {
			return longestBackoff
		}
	}
	return wait
}

// outOfReach says whether everything that failed was out of reach: only that is tried again by itself.
func outOfReach(err error) bool {
	if known, ok := err.(*fault.Error); ok { //nolint:errorlint // each layer is looked at in turn
		return known.Code == fault.Unavailable
	}
	switch layer := err.(type) { //nolint:errorlint // each layer is looked at in turn
	case interface{ Unwrap() []error }:
		for _, one := range layer.Unwrap() {
			if !outOfReach(one) {
				return false
			}
		}
		return len(layer.Unwrap()) > 0
	case interface{ Unwrap() error }:
		return outOfReach(layer.Unwrap())
	}
	return false
}

// finish writes down what became of a task. A store that is out of reach for longer than the lease
// leaves the task to whoever takes it over.
func (e *Engine) finish(ctx context.Context, h *Hold, end Task) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.Lease)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		err := e.Keeper.FinishTask(ctx, end)
		if err == nil {
			h.Log(ctx, Event{Status: end.State, Note: orElse(end.Error, end.Why)})
			return
		}
		if errors.Is(err, ErrLost) || ctx.Err() != nil {
			e.Log.Warn("a task could not be finished here; another node goes on with it", "task", end.ID, "error", err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}
