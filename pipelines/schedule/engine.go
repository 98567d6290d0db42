package schedule

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Engine takes ticks and tasks on one node. Any number of engines may share a Keeper. Its fields are
// set once, before Run.
type Engine struct {
	Keeper Keeper
	Planner
	Do      func(ctx context.Context, h *Hold) error // does the work of a task, step by step
	Each    func(ctx context.Context) error          // called at every look, for work that nobody schedules; may be nil
	Name    string                                   // of the node
	Version string
	Now     func() time.Time
	Log     *slog.Logger

	Workers int           // tasks at once; 0: 2
	Poll    time.Duration // between two looks; 0: a second
	Lease   time.Duration // how long a node may be silent before its tasks are another's; 0: 30 s
	Grace   time.Duration // how long running tasks may go on after Run was told to stop; 0: a minute
	OnTime  time.Duration // how late a tick may be and still count as on time; 0: a minute
	Backoff time.Duration // before the first retry, doubled for each one after; 0: 30 s

	node Node
	wake chan struct{}
	mu   sync.Mutex
	held map[string]*Hold
	said map[string]complaint
}

// complaint is an error that was logged, and when.
type complaint struct {
	text string
	at   time.Time
}

// complain logs an error, the same one once a minute: a database that is away is asked every second.
func (e *Engine) complain(doing string, err error) {
	e.mu.Lock()
	last := e.said[doing]
	repeated := last.text == err.Error() && time.Since(last.at) < time.Minute
	if !repeated {
		e.said[doing] = complaint{err.Error(), time.Now()}
	}
	e.mu.Unlock()
	if !repeated {
		e.Log.Error(doing, "error", err)
	}
}

const longestBackoff = 30 * time.Minute

// Run works until the context ends, then lets running tasks come to their end within Grace and gives
// back what is left, so that another node takes it at once.
func (e *Engine) Run(ctx context.Context) error {
	e.begin()
	e.compare(ctx)
	working, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	beating, quiet := context.WithCancel(context.WithoutCancel(ctx))
	var beats, tasks sync.WaitGroup
	beats.Go(func() { e.beats(beating) })
	e.Log.Info("taking tasks", "workers", e.Workers)
	e.look(ctx, working, &tasks)

	e.Log.Info("taking no more tasks", "running", len(e.fences()))
	finished := make(chan struct{})
	go func() { tasks.Wait(); close(finished) }()
	grace := time.NewTimer(e.Grace)
	defer grace.Stop()
	select {
	case <-finished:
	case <-grace.C:
		e.Log.Info("giving tasks back", "tasks", len(e.fences()))
		stop(errReleased)
		<-finished
	}
	quiet()
	beats.Wait()
	e.Log.Info("every task is done or given back")
	return e.Keeper.Leave(context.WithoutCancel(ctx), e.node.ID)
}

func (e *Engine) begin() {
	e.Workers, e.Poll, e.Lease = cmp.Or(e.Workers, 2), cmp.Or(e.Poll, time.Second), cmp.Or(e.Lease, DefaultLease)
	e.Grace, e.OnTime, e.Backoff = cmp.Or(e.Grace, time.Minute), cmp.Or(e.OnTime, time.Minute), cmp.Or(e.Backoff, 30*time.Second)
	if e.Log == nil {
		e.Log = slog.Default()
	}
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails, says its documentation
	e.node = Node{ID: e.Name + "/" + hex.EncodeToString(b[:]), Name: e.Name, Version: e.Version, Started: e.Now()}
	e.wake, e.held, e.said = make(chan struct{}, 1), map[string]*Hold{}, map[string]complaint{}
}

// look takes ticks and tasks until the context ends.
func (e *Engine) look(ctx, working context.Context, tasks *sync.WaitGroup) {
	free := make(chan struct{}, e.Workers)
	for range e.Workers {
		free <- struct{}{}
	}
	poll := time.NewTicker(e.Poll)
	defer poll.Stop()
	for ctx.Err() == nil {
		if e.astray() {
			e.pause(ctx, poll)
			continue
		}
		if err := e.tick(ctx); err != nil && ctx.Err() == nil {
			e.complain("take ticks", err)
		}
		if e.Each != nil {
			if err := e.Each(ctx); err != nil && ctx.Err() == nil {
				e.complain("look for work", err)
			}
		}
		e.take(ctx, working, free, tasks)
		e.pause(ctx, poll)
	}
}

// pause lets the time between two looks pass, or less where somebody says that there is something.
func (e *Engine) pause(ctx context.Context, poll *time.Ticker) {
	select {
	case <-ctx.Done():
	case <-poll.C:
	case <-e.wake:
	}
}

// compare holds this node's clock against the one that all nodes share.
func (e *Engine) compare(ctx context.Context) {
	skew, err := e.Keeper.Skew(ctx)
	if err != nil {
		if ctx.Err() == nil {
			e.complain("compare clocks", err)
		}
		return
	}
	e.mu.Lock()
	e.node.Skew = skew
	e.mu.Unlock()
	if e.astray() {
		e.complain("take tasks", fmt.Errorf("this node's clock is %s ahead of the database's; it takes nothing until that is mended", skew.Round(time.Second)))
	}
}

// astray says that this node's clock is so wrong that it would take ticks before their time, or tasks
// whose holders live.
func (e *Engine) astray() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.node.Skew.Abs() > Tolerated(e.Lease)
}

// DefaultLease is the lease of an engine that is given none.
const DefaultLease = 30 * time.Second

// Tolerated is by how much a node's clock may be off before it takes nothing, under a lease; 0: the default one.
func Tolerated(lease time.Duration) time.Duration { return cmp.Or(lease, DefaultLease) / 2 }

// take begins tasks while a worker is free and there is one to take.
func (e *Engine) take(ctx, working context.Context, free chan struct{}, tasks *sync.WaitGroup) {
	for ctx.Err() == nil {
		select {
		case <-free:
		default:
			return
		}
		t, found, err := e.Keeper.TakeTask(ctx, e.node.ID, e.Lease)
		if err != nil && ctx.Err() == nil {
			e.complain("take a task", err)
		}
		if err != nil || !found {
			free <- struct{}{}
			return
		}
		h := e.hold(working, t)
		tasks.Go(func() {
			e.work(h)
			free <- struct{}{}
			e.Wake()
		})
	}
}

// Wake makes the engine look at once instead of at the next poll.
func (e *Engine) Wake() {
	select {
	case e.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// beats renews what is held until the context ends. What the store says is lost, or could not be
// renewed until its lease ran out, is stopped.
func (e *Engine) beats(ctx context.Context) {
	every := time.NewTicker(e.Lease / 3)
	defer every.Stop()
	for {
		e.beat(ctx)
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func (e *Engine) beat(ctx context.Context) {
	e.compare(ctx)
	began := time.Now()
	held := e.fences()
	e.mu.Lock()
	node := e.node
	e.mu.Unlock()
	node.Tasks = len(held)
	within, cancel := context.WithTimeout(ctx, e.Lease/2)
	lost, stopping, err := e.Keeper.Beat(within, node, held, e.Lease)
	cancel()
	if err != nil && ctx.Err() == nil {
		e.complain("renew leases", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id := range held {
		h := e.held[id]
		switch {
		case h == nil: // finished meanwhile
		case err == nil:
			h.until = began.Add(e.Lease)
		case time.Now().After(h.until):
			h.stop(ErrLost)
		}
	}
	for _, id := range lost {
		if h := e.held[id]; h != nil {
			h.stop(ErrLost)
		}
	}
	for id, by := range stopping {
		if h := e.held[id]; h != nil {
			h.stop(&stopped{by})
		}
	}
}

// fences gives what this node holds.
func (e *Engine) fences() map[string]int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	held := make(map[string]int64, len(e.held))
	for id, h := range e.held {
		held[id] = h.task.Fence
	}
	return held
}

var errReleased = errors.New("the node stops")

// stopped says that a person stopped a task.
type stopped struct{ by string }

func (s *stopped) Error() string { return "stopped by " + s.by }
