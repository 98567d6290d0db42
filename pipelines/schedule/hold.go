package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Hold is a task in the hands of the node that leased it. Its methods may be called by several
// goroutines.
type Hold struct {
	engine *Engine
	task   Task
	ctx    context.Context //nolint:containedctx // it is the task's own life, which the engine ends
	stop   context.CancelCauseFunc
	until  time.Time // by this machine's steady clock; guarded by the engine

	mu    sync.Mutex
	steps map[Key]Step
}

// hold registers a task that was just taken.
func (e *Engine) hold(working context.Context, t Task) *Hold {
	h := &Hold{engine: e, task: t, until: time.Now().Add(e.Lease), steps: map[Key]Step{}}
	h.ctx, h.stop = context.WithCancelCause(working)
	e.mu.Lock()
	e.held[t.ID] = h
	e.mu.Unlock()
	return h
}

func (e *Engine) drop(h *Hold) {
	e.mu.Lock()
	delete(e.held, h.task.ID)
	e.mu.Unlock()
	h.stop(nil)
}

// Task is what is held.
func (h *Hold) Task() Task { return h.task }

// Busy says that a step could not begin, because what it works on is in use.
type Busy struct{ Name, By string }

func (b *Busy) Error() string { return chain.Notef("%s is in use by %s", b.Name, b.By) }

// patience is how long a step waits for what is in use before the task makes room for another.
const patience = 2 * time.Second

// ranks is the order of the steps. What was done after a step is done again once the step is.
var ranks = []string{DoPull, DoSettle, DoScore, DoPublish, DoReplay, DoPush}

// Step does one step of the task, unless the log says that it is done: it takes the names the step
// works on, notes the step, does it with a context that ends when the lease is lost, and notes what
// came of it. What is committed in do carries the step's fencing number.
func (h *Hold) Step(ctx context.Context, k Key, names []string, do func(ctx context.Context) (note string, err error)) error {
	if over, err := h.over(k); over {
		return err
	}
	fence, err := h.lock(ctx, names)
	if err != nil {
		return err
	}
	defer func() { _ = h.engine.Keeper.UnlockNames(context.WithoutCancel(ctx), h.task.ID, fence, names) }() // what is not given back runs out
	step := Step{Key: k, State: Running}
	if err := h.save(ctx, step, nil); err != nil {
		return err
	}
	fault.At(fault.BeforeStep)
	var mu sync.Mutex
	var came string
	ctx = chain.Held(ctx, chain.Holder{Task: h.task.ID, Fence: fence,
		Held:  func(ctx context.Context) error { return h.engine.Keeper.HoldsTask(ctx, h.task.ID, h.task.Fence) },
		Began: func(run string) { mu.Lock(); step.Run = run; mu.Unlock() },
		Came:  func(note string) { mu.Lock(); came = note; mu.Unlock() },
		Told:  func(note string) { h.Log(ctx, Event{Step: k.Step, Subject: k.Subject, Status: Running, Note: note}) }})
	note, err := do(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return cause // whoever goes on begins this step again; what it committed is found there
	}
	fault.At(fault.AfterStep)
	mu.Lock()
	defer mu.Unlock()
	step.State, step.Note = Done, orElse(note, came)
	if err != nil {
		step.State, step.Error, step.Code = Failed, bounded(err.Error()), string(fault.CodeOf(err))
	}
	if kept := h.save(ctx, step, h.after(k)); kept != nil {
		return kept
	}
	return err
}

// over says that a step needs nothing more: it is done, or it failed in a way that only a person's
// decision to retry mends.
func (h *Hold) over(k Key) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.steps[k]
	if s.State == Failed && s.Code != string(fault.Unavailable) {
		return true, &fault.Error{Op: k.String(), Code: fault.Code(s.Code), Err: errors.New(s.Error)}
	}
	return s.State == Done, nil
}

// Refused notes that a step could not even begin: its source does not let itself be opened.
func (h *Hold) Refused(ctx context.Context, k Key, err error) {
	h.noted(ctx, Step{Key: k, State: Failed, Error: bounded(err.Error()), Code: string(fault.CodeOf(err))})
}

// Opened takes back what Refused noted before.
func (h *Hold) Opened(ctx context.Context, k Key) {
	h.mu.Lock()
	_, refused := h.steps[k]
	h.mu.Unlock()
	if refused {
		h.noted(ctx, Step{Key: k, State: Done})
	}
}

func (h *Hold) noted(ctx context.Context, s Step) {
	if err := h.save(ctx, s, nil); err != nil && ctx.Err() == nil {
		h.engine.Log.Error("note a step of a task", "task", h.task.ID, "error", err)
	}
}

// after names the steps that rest on what k brings.
func (h *Hold) after(k Key) []Key {
	h.mu.Lock()
	defer h.mu.Unlock()
	var later []Key
	for other, s := range h.steps {
		if (s.State == Done || s.State == Failed) && other.restsOn(k) {
			later = append(later, other)
		}
	}
	return later
}

// restsOn says whether a step works on what another one brings: every later one does, but what is
// published of a policy rests on that policy's scores alone.
func (k Key) restsOn(earlier Key) bool {
	if earlier.Step == DoScore && k.Step == DoPublish {
		return k.Subject == earlier.Subject
	}
	return slices.Index(ranks, k.Step) > slices.Index(ranks, earlier.Step)
}

func (h *Hold) save(ctx context.Context, s Step, anew []Key) error {
	if err := h.engine.Keeper.SaveStep(ctx, h.task.ID, h.task.Fence, s, anew); err != nil {
		return err
	}
	h.mu.Lock()
	h.steps[s.Key] = s
	for _, k := range anew {
		stale := h.steps[k]
		stale.State = Stale
		h.steps[k] = stale
	}
	h.mu.Unlock()
	h.Log(ctx, Event{Step: s.Step, Subject: s.Subject, Status: s.State, Note: orElse(s.Error, s.Note), Run: s.Run})
	return nil
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// lock waits a little for names in use.
func (h *Hold) lock(ctx context.Context, names []string) (int64, error) {
	deadline, pause := time.Now().Add(patience), 50*time.Millisecond
	for told := false; ; {
		fence, busy, by, err := h.engine.Keeper.LockNames(ctx, h.task.ID, h.task.Fence, names, h.engine.Lease)
		if err != nil {
			return 0, err
		}
		if busy == "" {
			return fence, nil
		}
		if !told {
			h.Log(ctx, Event{Status: Waiting, Note: (&Busy{busy, by}).Error()})
			told = true
		}
		if time.Now().After(deadline) {
			return 0, &Busy{busy, by}
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(pause):
		}
		pause = min(2*pause, time.Second)
	}
}

// Log puts a line into the task's log. The log is for people: that it cannot be written stops nothing.
func (h *Hold) Log(ctx context.Context, e Event) {
	e.Node, e.Note = h.engine.node.Name, bounded(e.Note)
	if err := h.engine.Keeper.AddEvent(context.WithoutCancel(ctx), h.task.ID, e); err != nil {
		h.engine.Log.Error("write the log of a task", "task", h.task.ID, "error", err)
	}
}

// bounded cuts what sources put into their answers to a length that a log can bear.
func bounded(text string) string {
	const most = 2000
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + fmt.Sprintf(" … (%d bytes more)", len(text)-most)
}
