package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/state"
	"xinshu/pipelines/schedule"
)

// hub is run state with a clock that is moved by hand, the book over it, and nodes that take tasks.
type hub struct {
	t       *testing.T
	book    *schedule.Book
	state   *state.State
	mu      sync.Mutex
	clock   time.Time
	engines sync.WaitGroup
}

func newHub(t *testing.T) *hub {
	t.Helper()
	h := &hub{t: t, clock: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)}
	var err error
	if h.state, err = state.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), h.now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.engines.Wait(); _ = h.state.Close() })
	c, _ := catalog.Load(catalog.Files)
	h.book = &schedule.Book{Store: h.state, Planner: schedule.Planner{Calendar: c.Calendars}, Now: h.now,
		Known: func(context.Context, schedule.Work) error { return nil }, Fresh: func([]string) error { return nil }}
	return h
}

func (h *hub) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *hub) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(d)
}

func (h *hub) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *hub) save(s schedule.Schedule) schedule.Schedule {
	h.t.Helper()
	if s.Work.Do == "" {
		s.Work.Do = schedule.DoSettle
	}
	s, err := h.book.Save(h.t.Context(), s, "张三")
	h.ok(err)
	return s
}

// serve begins a node; the function it gives stops it and waits.
func (h *hub) serve(name string, do func(ctx context.Context, hold *schedule.Hold) error, change ...func(*schedule.Engine)) (stop func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	e := &schedule.Engine{Keeper: h.state, Planner: h.book.Planner, Do: do, Name: name, Now: h.now, Log: slog.New(slog.DiscardHandler),
		Poll: 5 * time.Millisecond, Lease: time.Second, Grace: 20 * time.Millisecond, Backoff: time.Minute}
	for _, c := range change {
		c(e)
	}
	done := make(chan struct{})
	h.engines.Go(func() {
		defer close(done)
		if err := e.Run(ctx); err != nil {
			h.t.Error(err)
		}
	})
	stop = func() { cancel(); <-done }
	h.t.Cleanup(stop)
	return stop
}

// until waits for a task to come to a state.
func (h *hub) until(id, state string) schedule.Task {
	h.t.Helper()
	var last schedule.Task
	for ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second); ; {
		task, err := h.book.Task(ctx, id)
		if err == nil && task.State == state {
			cancel()
			return task
		}
		if ctx.Err() != nil {
			cancel()
			h.t.Fatalf("%s is %s (%s), not %s", id, last.State, last.Why, state)
		}
		last = task
		beat()
	}
}

// beat lets other goroutines come to something between two looks.
func beat() { <-time.After(2 * time.Millisecond) }

// tasks gives the tasks of schedule s as "tick state why", oldest tick first.
func (h *hub) tasks() []string {
	h.t.Helper()
	page, err := h.book.Tasks(h.t.Context(), schedule.Filter{Schedule: "s", Most: 500})
	h.ok(err)
	var all []string
	for _, task := range page.Tasks {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", task.Tick.Format("15:04"), task.State, task.Why)))
	}
	slices.Sort(all)
	return all
}

func settled(context.Context, *schedule.Hold) error { return nil }

func TestWhatBecomesOfTicksAfterAnOutage(t *testing.T) {
	for _, c := range []struct {
		name   string
		s      schedule.Schedule
		outage time.Duration
		want   string
	}{
		{"once makes up for the newest", schedule.Schedule{Spec: "*/10 * * * *", CatchUp: schedule.CatchUpOnce}, 35 * time.Minute, "[02:10 skipped newer 02:20 skipped newer 02:30 done]"},
		{"skip makes up for none", schedule.Schedule{Spec: "*/10 * * * *", CatchUp: schedule.CatchUpSkip}, 35 * time.Minute, "[02:10 skipped late 02:20 skipped late 02:30 skipped late]"},
		{"skip fires the one that is on time", schedule.Schedule{Spec: "*/10 * * * *", CatchUp: schedule.CatchUpSkip}, 30*time.Minute + time.Second, "[02:10 skipped late 02:20 skipped late 02:30 done]"},
		{"all makes up for each", schedule.Schedule{Spec: "*/10 * * * *", CatchUp: schedule.CatchUpAll}, 35 * time.Minute, "[02:10 done 02:20 done 02:30 done]"},
		{"all stops at the cap, and keeps the newest", schedule.Schedule{Spec: "*/10 * * * *", CatchUp: schedule.CatchUpAll, Cap: 2}, 35 * time.Minute, "[02:10 skipped cap 02:20 done 02:30 done]"},
		{"a tick on time is no outage", schedule.Schedule{Spec: "*/10 * * * *", CatchUp: schedule.CatchUpSkip}, 10 * time.Minute, "[02:10 done]"},
		{"before its time nothing fires", schedule.Schedule{Spec: "*/10 * * * *"}, 9 * time.Minute, "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHub(t)
			c.s.ID = "s"
			h.save(c.s)
			h.pass(c.outage)
			h.serve("n1", settled)
			h.quiet()
			if got := fmt.Sprint(h.tasks()); got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}

// quiet waits until a node has looked and every task is over.
func (h *hub) quiet() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	for {
		due, err := h.state.DueSchedules(ctx, h.now())
		h.ok(err)
		page, err := h.book.Tasks(ctx, schedule.Filter{States: []string{schedule.Waiting, schedule.Running}})
		h.ok(err)
		waits := slices.ContainsFunc(page.Tasks, func(task schedule.Task) bool { return !task.After.After(h.now()) })
		due = slices.DeleteFunc(due, func(s schedule.Schedule) bool { return s.NextAt.IsZero() })
		if len(due) == 0 && !waits {
			return
		}
		beat()
	}
}

func TestALongOutageIsToldInAFewLines(t *testing.T) {
	h := newHub(t)
	h.save(schedule.Schedule{ID: "s", Spec: "* * * * *", CatchUp: schedule.CatchUpAll, Cap: 3})
	h.pass(30 * 24 * time.Hour)
	h.serve("n1", settled)
	h.quiet()
	page, err := h.book.Tasks(t.Context(), schedule.Filter{Schedule: "s", Most: 500})
	h.ok(err)
	skipped, rest := 0, ""
	for _, task := range page.Tasks {
		if task.State == schedule.Skipped {
			if skipped++; task.About != "1" {
				rest = task.About
			}
		}
	}
	// 43,200 ticks: three done, fifty skipped with a line each, the others in one line.
	if len(page.Tasks) != 54 || skipped != 51 || rest != "43147" {
		t.Errorf("%d tasks, %d skipped, one line stands for %s", len(page.Tasks), skipped, rest)
	}
}

func TestAnOverlappingTickIsSkippedOrWaits(t *testing.T) {
	for overlap, want := range map[string]string{
		schedule.OverlapSkip:  "[02:10 done 02:20 skipped overlap 02:30 skipped overlap 02:40 done]",
		schedule.OverlapQueue: "[02:10 done 02:20 done 02:30 skipped full 02:40 done]",
	} {
		t.Run(overlap, func(t *testing.T) {
			h := newHub(t)
			h.save(schedule.Schedule{ID: "s", Spec: "*/10 * * * *", Overlap: overlap, Cap: 2})
			begun, on := make(chan struct{}, 9), make(chan struct{})
			h.serve("n1", func(context.Context, *schedule.Hold) error { begun <- struct{}{}; <-on; return nil })
			for i := range 3 {
				h.pass(10 * time.Minute)
				if i == 0 {
					<-begun
				}
				h.fired(time.Date(2026, 11, 22, 2, 10*(i+1), 0, 0, time.UTC))
			}
			close(on)
			h.quiet()
			h.pass(10 * time.Minute)
			h.quiet()
			if got := fmt.Sprint(h.tasks()); got != want {
				t.Errorf("%s, not %s", got, want)
			}
		})
	}
}

// fired waits until a tick was taken.
func (h *hub) fired(tick time.Time) {
	h.t.Helper()
	for {
		s, err := h.book.Schedule(h.t.Context(), "s")
		h.ok(err)
		if s.FiredAt.Equal(tick) {
			return
		}
		beat()
	}
}

func TestADependentScheduleFiresWhenItsDatasetsAreFresh(t *testing.T) {
	h := newHub(t)
	h.save(schedule.Schedule{ID: "s", Fresh: []string{"amr.reg", "amr.severe"}, Window: "10:00-20:00"}) // it is 10:00 in Shanghai
	h.serve("n1", settled)
	pull := func(id, dataset string) {
		h.ok(h.state.SaveRun(t.Context(), chain.Run{ID: id, Step: "pull", Subject: dataset, Started: h.now(), Ended: h.now(), Status: "done"}))
	}
	h.pass(time.Hour)
	pull("a", "amr.reg")
	h.pass(time.Hour)
	pull("b", "amr.reg")
	h.quiet()
	beat()
	if got := h.tasks(); len(got) != 0 {
		t.Fatalf("it fired with one dataset fresh: %v", got)
	}
	pull("c", "amr.severe")
	h.until("s@20261122T040000Z", schedule.Done)
	h.pass(7 * time.Hour) // 19:00, the window closes at 20:00
	pull("d", "amr.reg")
	h.pass(2 * time.Hour)
	pull("e", "amr.severe")
	beat()
	if got := h.tasks(); len(got) != 1 {
		t.Fatalf("it fired outside its window: %v", got)
	}
	h.pass(14 * time.Hour)
	h.until("s@20261122T130000Z", schedule.Done)
}

func TestWhatIsOutOfReachIsTriedAgainAndWhatFailedWaits(t *testing.T) {
	h := newHub(t)
	away, refused := &fault.Error{Op: "reach", Code: fault.Unavailable}, fault.Newf(fault.Invalid, "read", "no")
	answer := errors.Join(away, nil)
	var mu sync.Mutex
	h.serve("n1", func(ctx context.Context, hold *schedule.Hold) error {
		mu.Lock()
		defer mu.Unlock()
		done := hold.Step(ctx, schedule.Key{Step: schedule.DoPull, Subject: "a"}, nil, func(context.Context) (string, error) { return "", nil })
		return errors.Join(done, hold.Step(ctx, schedule.Key{Step: schedule.DoPull, Subject: "b"}, nil, func(context.Context) (string, error) { return "", answer }))
	})
	task, err := h.book.Start(t.Context(), schedule.Work{Do: schedule.DoPull}, "张三")
	h.ok(err)
	for try := 1; try < 5; try++ {
		for task = h.until(task.ID, schedule.Waiting); task.Tries != try; task = h.until(task.ID, schedule.Waiting) {
			beat()
		}
		if wait := task.After.Sub(h.now()); task.Why != schedule.WhyRetry || wait != time.Minute<<(try-1) {
			t.Errorf("try %d: %s, again in %s", try, task.Why, wait)
		}
		h.pass(task.After.Sub(h.now()))
	}
	task = h.until(task.ID, schedule.Failed)
	if task.Code != string(fault.Unavailable) || task.Step != "pull b" || task.Attempt != 5 {
		t.Errorf("%+v", task)
	}
	mu.Lock()
	answer = refused
	mu.Unlock()
	_, err = h.book.RetryTask(t.Context(), task.ID, "张三")
	h.ok(err)
	task = h.until(task.ID, schedule.Failed)
	if task.Code != string(fault.Invalid) || task.Attempt != 6 {
		t.Errorf("what no repetition mends was tried again: %+v", task)
	}
	steps, err := h.book.Steps(t.Context(), task.ID)
	h.ok(err)
	events, err := h.book.Events(t.Context(), task.ID, 0, 100)
	h.ok(err)
	times := 0
	for _, e := range events {
		if e.Subject == "a" && e.Status == schedule.Done {
			times++
		}
	}
	if len(steps) != 2 || steps[0].State != schedule.Done || steps[1].State != schedule.Failed || times != 1 {
		t.Errorf("the step that was done was done %d times; %+v", times, steps)
	}
}

func TestAStepBeforeMakesThoseAfterItStale(t *testing.T) {
	h := newHub(t)
	var mu sync.Mutex
	broken, settles := true, 0
	h.serve("n1", func(ctx context.Context, hold *schedule.Hold) error {
		mu.Lock()
		defer mu.Unlock()
		pulled := hold.Step(ctx, schedule.Key{Step: schedule.DoPull, Subject: "a"}, nil, func(context.Context) (string, error) {
			if broken {
				return "", fault.Newf(fault.Invalid, "read", "no")
			}
			return "", nil
		})
		return errors.Join(pulled, hold.Step(ctx, schedule.Key{Step: schedule.DoSettle}, nil, func(context.Context) (string, error) { settles++; return "", nil }))
	})
	task, err := h.book.Start(t.Context(), schedule.Work{Do: schedule.DoRun}, "张三")
	h.ok(err)
	h.until(task.ID, schedule.Failed)
	mu.Lock()
	broken = false
	mu.Unlock()
	_, err = h.book.RetryTask(t.Context(), task.ID, "张三")
	h.ok(err)
	h.until(task.ID, schedule.Done)
	if settles != 2 {
		t.Errorf("what came with the retry was settled %d times, not a second time", settles-1)
	}
}

func TestANodeThatLostItsTaskStopsAndCommitsNothing(t *testing.T) {
	h := newHub(t)
	begun, lost := make(chan context.Context, 1), make(chan error, 1)
	h.serve("old", func(ctx context.Context, hold *schedule.Hold) error {
		return hold.Step(ctx, schedule.Key{Step: schedule.DoSettle}, []string{chain.Settled}, func(ctx context.Context) (string, error) {
			begun <- ctx
			<-ctx.Done()
			lost <- errors.Join(context.Cause(ctx), chain.StillHeld(context.WithoutCancel(ctx)))
			return "", nil
		})
	}, func(e *schedule.Engine) { e.Workers = 1; e.Lease = 200 * time.Millisecond })
	task, err := h.book.Start(t.Context(), schedule.Work{Do: schedule.DoSettle}, "张三")
	h.ok(err)
	old := chain.HolderOf(<-begun)
	h.pass(time.Second) // by the clock of run state its lease ran out before it could renew it
	h.serve("heir", func(ctx context.Context, hold *schedule.Hold) error {
		return hold.Step(ctx, schedule.Key{Step: schedule.DoSettle}, []string{chain.Settled}, func(ctx context.Context) (string, error) {
			if f := chain.HolderOf(ctx).Fence; f <= old.Fence {
				t.Errorf("the heir's number %d is not above %d", f, old.Fence)
			}
			return "", nil
		})
	}, func(e *schedule.Engine) { e.Lease = time.Hour })
	task = h.until(task.ID, schedule.Done)
	if err := <-lost; !errors.Is(err, schedule.ErrLost) {
		t.Errorf("the old holder was told %v", err)
	}
	if !strings.HasPrefix(task.Node, "heir/") {
		t.Errorf("it was finished by %s", task.Node)
	}
}

func TestANodeThatStopsGivesItsTasksBack(t *testing.T) {
	h := newHub(t)
	begun := make(chan struct{}, 1)
	stop := h.serve("n1", func(ctx context.Context, _ *schedule.Hold) error {
		begun <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	task, err := h.book.Start(t.Context(), schedule.Work{Do: schedule.DoSettle}, "张三")
	h.ok(err)
	<-begun
	stop()
	got, err := h.book.Task(t.Context(), task.ID)
	h.ok(err)
	if got.State != schedule.Waiting || got.Why != schedule.WhyReleased || got.About != "n1" || !got.Lease.IsZero() {
		t.Fatalf("%+v", got)
	}
	if nodes, err := h.book.Nodes(t.Context(), time.Time{}); err != nil || len(nodes) > 0 {
		t.Errorf("%v, %v", nodes, err)
	}
	h.serve("n2", settled)
	h.until(task.ID, schedule.Done)
}

func TestANodeThatStopsLetsAShortTaskComeToItsEnd(t *testing.T) {
	h := newHub(t)
	begun, on := make(chan struct{}), make(chan struct{})
	stop := h.serve("n1", func(context.Context, *schedule.Hold) error { close(begun); <-on; return nil }, func(e *schedule.Engine) { e.Grace = time.Minute })
	task, err := h.book.Start(t.Context(), schedule.Work{Do: schedule.DoSettle}, "张三")
	h.ok(err)
	<-begun
	go func() { beat(); close(on) }()
	stop()
	if got, err := h.book.Task(t.Context(), task.ID); err != nil || got.State != schedule.Done {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestAPersonStopsARunningTask(t *testing.T) {
	h := newHub(t)
	begun := make(chan struct{})
	h.serve("n1", func(ctx context.Context, _ *schedule.Hold) error { close(begun); <-ctx.Done(); return ctx.Err() }, func(e *schedule.Engine) { e.Lease = 30 * time.Millisecond })
	task, err := h.book.Start(t.Context(), schedule.Work{Do: schedule.DoSettle}, "张三")
	h.ok(err)
	<-begun
	_, err = h.book.CancelTask(t.Context(), task.ID, "李四")
	h.ok(err)
	if got := h.until(task.ID, schedule.Cancelled); got.About != "李四" {
		t.Errorf("%+v", got)
	}
}

func TestATaskThatPanicsFailsAndTheNodeGoesOn(t *testing.T) {
	h := newHub(t)
	h.serve("n1", func(_ context.Context, hold *schedule.Hold) error {
		if hold.Task().Work.Do == schedule.DoScore {
			panic("a step broke")
		}
		return nil
	})
	broken, err := h.book.Start(t.Context(), schedule.Work{Do: schedule.DoScore}, "张三")
	h.ok(err)
	good, err := h.book.Start(t.Context(), schedule.Work{Do: schedule.DoSettle}, "张三")
	h.ok(err)
	if got := h.until(broken.ID, schedule.Failed); !strings.Contains(got.Error, "a step broke") {
		t.Errorf("%+v", got)
	}
	h.until(good.ID, schedule.Done)
}

func TestWhatIsInUseIsWaitedFor(t *testing.T) {
	h := newHub(t)
	begun, on := make(chan string, 2), make(chan struct{})
	var mu sync.Mutex
	at, most := 0, 0
	h.serve("n1", func(ctx context.Context, hold *schedule.Hold) error {
		return hold.Step(ctx, schedule.Key{Step: schedule.DoPull, Subject: "s/d"}, []string{"target t"}, func(context.Context) (string, error) {
			mu.Lock()
			at++
			most = max(most, at)
			mu.Unlock()
			begun <- hold.Task().ID
			<-on
			mu.Lock()
			at--
			mu.Unlock()
			return "", nil
		})
	}, func(e *schedule.Engine) { e.Workers = 2; e.Lease = time.Minute })
	a, err := h.book.Start(t.Context(), schedule.Work{Do: schedule.DoPull, Source: "s"}, "张三")
	h.ok(err)
	<-begun
	b, err := h.book.Start(t.Context(), schedule.Work{Do: schedule.DoPull, Source: "s"}, "张三")
	h.ok(err)
	h.until(b.ID, schedule.Running)
	close(on)
	h.until(a.ID, schedule.Done)
	h.until(b.ID, schedule.Done)
	if most != 1 {
		t.Errorf("%d tasks worked on one source at once", most)
	}
}

func TestWhatIsMadeUpForKeepsToTheWindow(t *testing.T) {
	h := newHub(t) // it is 10:00 in Shanghai
	h.save(schedule.Schedule{ID: "s", Spec: "30 23 * * *", Window: "23:00-01:00"})
	h.pass(24 * time.Hour) // the tick was at 23:30 of the day before
	h.serve("n1", settled)
	for id := "s@20261122T153000Z"; h.until(id, schedule.Waiting).Why != schedule.WhyWindow; {
		beat()
	}
	task := h.until("s@20261122T153000Z", schedule.Waiting)
	if want := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC); !task.After.Equal(want) {
		t.Errorf("it waits until %s, not %s", task.After, want)
	}
	h.pass(13 * time.Hour)
	h.until(task.ID, schedule.Done)
}

// ahead is run state whose clock this node's differs from.
type ahead struct {
	*state.State
	by time.Duration
}

func (a ahead) Skew(context.Context) (time.Duration, error) { return a.by, nil }

func TestANodeWhoseClockIsWrongTakesNothing(t *testing.T) {
	h := newHub(t)
	h.save(schedule.Schedule{ID: "s", Spec: "*/10 * * * *"})
	task, err := h.book.Start(t.Context(), schedule.Work{Do: schedule.DoSettle}, "张三")
	h.ok(err)
	h.pass(10 * time.Minute)
	h.serve("wrong", func(context.Context, *schedule.Hold) error { t.Error("it took a task"); return nil },
		func(e *schedule.Engine) { e.Keeper = ahead{h.state, -time.Hour} })
	for { // it says so to the others
		nodes, err := h.book.Nodes(t.Context(), time.Time{})
		h.ok(err)
		if len(nodes) == 1 && nodes[0].Skew == -time.Hour {
			break
		}
		beat()
	}
	h.serve("right", settled)
	h.until(task.ID, schedule.Done)
	h.until("s@20261122T021000Z", schedule.Done)
}

func TestPauseMakesUpForNothing(t *testing.T) {
	h := newHub(t)
	h.save(schedule.Schedule{ID: "s", Spec: "*/10 * * * *", CatchUp: schedule.CatchUpAll})
	_, err := h.book.Pause(t.Context(), "s", true, "张三")
	h.ok(err)
	h.pass(time.Hour)
	s, err := h.book.Pause(t.Context(), "s", false, "张三")
	h.ok(err)
	h.serve("n1", settled)
	h.pass(10 * time.Minute)
	h.quiet()
	if got := fmt.Sprint(h.tasks()); got != "[03:10 done]" || s.SavedBy != "张三" {
		t.Errorf("%s", got)
	}
}

func TestAChangeThatLeavesTheTimesAloneLosesNoTick(t *testing.T) {
	h := newHub(t)
	s := h.save(schedule.Schedule{ID: "s", Spec: "*/10 * * * *"})
	h.pass(10*time.Minute + time.Second) // 02:10 is due and nobody took it yet
	s.Title = "法院"
	h.save(s)
	h.serve("n1", settled)
	h.quiet()
	if got := fmt.Sprint(h.tasks()); got != "[02:10 done]" {
		t.Errorf("%s", got)
	}
}
