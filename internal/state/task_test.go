package state

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/pgtest"
	"xinshu/pipelines/schedule"
)

const lease = 30 * time.Second

func (f *fixture) schedule(id string) schedule.Schedule {
	f.t.Helper()
	s, err := f.SaveSchedule(f.t.Context(), schedule.Schedule{ID: id, Spec: "* * * * *", Work: schedule.Work{Do: schedule.DoPull, Source: "court"},
		NextAt: f.clock.Add(time.Minute), FiredAt: f.clock, SavedAt: f.clock, SavedBy: "张三"})
	f.ok(err)
	return s
}

func (f *fixture) task(id, of string) schedule.Task {
	return schedule.Task{ID: id, Schedule: of, Work: schedule.Work{Do: schedule.DoPull, Source: "court"}, State: schedule.Waiting, Queued: f.clock, After: f.clock, Attempts: 3}
}

func (f *fixture) take(node string) schedule.Task {
	f.t.Helper()
	t, found, err := f.TakeTask(f.t.Context(), node, lease)
	f.ok(err)
	if !found {
		f.t.Fatal("there is nothing to take")
	}
	return t
}

func (f *fixture) nothing(node string) {
	f.t.Helper()
	if t, found, err := f.TakeTask(f.t.Context(), node, lease); err != nil || found {
		f.t.Fatalf("took %+v, %v", t, err)
	}
}

func TestAScheduleIsSavedOverTheVersionThatWasRead(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		s := f.schedule("nightly")
		if s.Version != 1 || s.SavedBy != "张三" || s.Work.Source != "court" || !s.NextAt.Equal(f.clock.Add(time.Minute)) {
			t.Errorf("%+v", s)
		}
		s.Title = "法院"
		again, err := f.SaveSchedule(t.Context(), s)
		f.ok(err)
		if again.Version != 2 || again.Title != "法院" {
			t.Errorf("%+v", again)
		}
		if _, err := f.SaveSchedule(t.Context(), s); !fault.Is(err, fault.Conflict) {
			t.Errorf("an old version is saved over a newer one: %v", err)
		}
		s.Version = 0
		if _, err := f.SaveSchedule(t.Context(), s); !fault.Is(err, fault.Conflict) {
			t.Errorf("a new one takes a name that is taken: %v", err)
		}
		if err := f.DeleteSchedule(t.Context(), "nightly", 1); !fault.Is(err, fault.Conflict) {
			t.Errorf("an old version is deleted: %v", err)
		}
		f.ok(f.DeleteSchedule(t.Context(), "nightly", 2))
		if _, err := f.Schedule(t.Context(), "nightly"); !fault.Is(err, fault.NotFound) {
			t.Errorf("it is there still: %v", err)
		}
	})
}

func TestATickIsTakenOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		s := f.schedule("nightly")
		f.clock = f.clock.Add(time.Minute)
		due, err := f.DueSchedules(t.Context(), f.clock)
		f.ok(err)
		if len(due) != 1 {
			t.Fatalf("%d schedules are due", len(due))
		}
		var took sync.Map
		var nodes sync.WaitGroup
		for node := range 8 {
			nodes.Go(func() {
				mine := f.task("nightly@1", "nightly")
				mine.By = fmt.Sprint(node)
				won, err := f.Fire(t.Context(), due[0], s.NextAt.Add(time.Minute), s.NextAt, []schedule.Task{mine})
				if err != nil {
					t.Error(err)
				}
				if won {
					took.Store(node, true)
				}
			})
		}
		nodes.Wait()
		winners := 0
		took.Range(func(any, any) bool { winners++; return true })
		page, err := f.Tasks(t.Context(), schedule.Filter{Schedule: "nightly"})
		f.ok(err)
		if winners != 1 || len(page.Tasks) != 1 {
			t.Errorf("%d nodes took it, %d tasks stand", winners, len(page.Tasks))
		}
		f.clock = f.clock.Add(time.Minute)
		due, err = f.DueSchedules(t.Context(), f.clock)
		f.ok(err)
		if _, err := f.SaveSchedule(t.Context(), due[0]); err != nil {
			t.Fatal(err)
		}
		if won, err := f.Fire(t.Context(), due[0], f.clock, f.clock, nil); err != nil || won {
			t.Errorf("a schedule that was changed meanwhile fires as it was: %v, %v", won, err)
		}
	})
}

func TestATaskIsOneNodesUntilItsLeaseRunsOut(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		_, err := f.Enqueue(t.Context(), f.task("a", ""))
		f.ok(err)
		if queued, err := f.Enqueue(t.Context(), f.task("a", "")); err != nil || queued {
			t.Fatalf("the same task is queued twice: %v", err)
		}
		first := f.take("n1")
		if first.Attempt != 1 || first.Fence == 0 || first.State != schedule.Running || first.Node != "n1" {
			t.Fatalf("%+v", first)
		}
		f.nothing("n2")
		f.clock = f.clock.Add(lease - time.Second)
		lost, _, err := f.Beat(t.Context(), schedule.Node{ID: "n1", Name: "n1"}, map[string]int64{"a": first.Fence}, lease)
		f.ok(err)
		if len(lost) > 0 {
			t.Fatalf("lost %v", lost)
		}
		f.clock = f.clock.Add(lease - time.Second)
		f.nothing("n2")
		f.ok(f.SaveRun(t.Context(), chain.Run{ID: "r1", Step: "pull", Subject: "court.debtor", Started: f.clock, Status: "running", Task: "a"}))
		f.clock = f.clock.Add(time.Second)
		if err := f.HoldsTask(t.Context(), "a", first.Fence); !errors.Is(err, schedule.ErrLost) {
			t.Errorf("a lease that ran out still holds: %v", err)
		}
		second := f.take("n2")
		if second.Attempt != 2 || second.Fence <= first.Fence || second.Tries != 1 {
			t.Fatalf("%+v", second)
		}
		if r, err := f.Run(t.Context(), "r1"); err != nil || r.Status != "interrupted" || r.Task != "a" {
			t.Errorf("the run of the dead holder: %+v, %v", r, err)
		}
		lost, _, err = f.Beat(t.Context(), schedule.Node{ID: "n1", Name: "n1"}, map[string]int64{"a": first.Fence}, lease)
		f.ok(err)
		first.State = schedule.Done
		for what, err := range map[string]error{
			"finishes": f.FinishTask(t.Context(), first),
			"notes":    f.SaveStep(t.Context(), "a", first.Fence, schedule.Step{Key: schedule.Key{Step: "pull"}, State: schedule.Done}, nil),
			"commits":  f.HoldsTask(t.Context(), "a", first.Fence),
		} {
			if !errors.Is(err, schedule.ErrLost) || !fault.Is(err, fault.Conflict) {
				t.Errorf("the old holder %s: %v", what, err)
			}
		}
		if _, _, _, err := f.LockNames(t.Context(), "a", first.Fence, []string{"source court"}, lease); !errors.Is(err, schedule.ErrLost) {
			t.Errorf("the old holder locks: %v", err)
		}
		if len(lost) != 1 {
			t.Errorf("the old holder is not told: %v", lost)
		}
		second.State, second.Ended = schedule.Done, f.clock
		f.ok(f.FinishTask(t.Context(), second))
		f.nothing("n1")
	})
}

func TestNodesTakeEachTaskOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		for i := range 60 {
			_, err := f.Enqueue(t.Context(), f.task(fmt.Sprintf("t%02d", i), fmt.Sprintf("s%d", i%20)))
			f.ok(err)
		}
		var took sync.Map
		var nodes sync.WaitGroup
		for node := range 6 {
			nodes.Go(func() {
				for {
					mine, found, err := f.TakeTask(t.Context(), fmt.Sprint(node), lease)
					if err != nil {
						t.Error(err)
						return
					}
					if !found {
						if page, err := f.Tasks(t.Context(), schedule.Filter{States: []string{schedule.Waiting, schedule.Running}, Most: 1}); err != nil || len(page.Tasks) == 0 {
							return
						}
						continue
					}
					if _, twice := took.LoadOrStore(mine.ID, node); twice {
						t.Errorf("%s was taken twice", mine.ID)
					}
					mine.State, mine.Ended = schedule.Done, f.clock
					if err := f.FinishTask(t.Context(), mine); err != nil {
						t.Error(err)
					}
				}
			})
		}
		nodes.Wait()
		n := 0
		took.Range(func(any, any) bool { n++; return true })
		if n != 60 {
			t.Errorf("%d of 60 tasks were taken", n)
		}
	})
}

func TestTheTasksOfAScheduleTakeTurns(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		for _, id := range []string{"s@1", "s@2"} {
			_, err := f.Enqueue(t.Context(), f.task(id, "s"))
			f.ok(err)
		}
		first := f.take("n1")
		f.nothing("n2")
		if n, oldest, err := f.UnfinishedTasks(t.Context(), "s"); err != nil || n != 2 || oldest != "s@1" {
			t.Errorf("%d, %s, %v", n, oldest, err)
		}
		first.State, first.Why, first.After = schedule.Waiting, schedule.WhyRetry, f.clock.Add(time.Minute)
		f.ok(f.FinishTask(t.Context(), first))
		f.nothing("n2") // the first one's time has not come, and the second waits for it
		f.clock = f.clock.Add(time.Minute)
		if again := f.take("n2"); again.ID != "s@1" {
			t.Errorf("took %s", again.ID)
		}
	})
}

func TestANameIsOneTasksAtATime(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		for _, id := range []string{"a", "b"} {
			_, err := f.Enqueue(t.Context(), f.task(id, ""))
			f.ok(err)
		}
		a, b := f.take("n1"), f.take("n2")
		lock := func(task schedule.Task, names ...string) (int64, string, string) {
			fence, busy, by, err := f.LockNames(t.Context(), task.ID, task.Fence, names, lease)
			f.ok(err)
			return fence, busy, by
		}
		fence, busy, _ := lock(a, "source court", "stage/court.debtor")
		if busy != "" || fence <= b.Fence {
			t.Fatalf("fence %d, busy %q", fence, busy)
		}
		if _, busy, by := lock(b, "source amr", "stage/court.debtor"); busy != "stage/court.debtor" || by != "a" {
			t.Errorf("busy %q by %q", busy, by)
		}
		if _, busy, by := lock(a, "source court"); busy != "source court" || by != "a" {
			t.Errorf("two steps of one task share a name: busy %q by %q", busy, by)
		}
		if _, busy, _ := lock(b, "source amr"); busy != "" {
			t.Errorf("what was locked in vain stays locked: %q", busy)
		}
		f.ok(f.UnlockNames(t.Context(), "a", fence, []string{"source court", "stage/court.debtor"}))
		later, busy, _ := lock(b, "stage/court.debtor")
		if busy != "" || later <= fence {
			t.Errorf("fence %d after %d, busy %q", later, fence, busy)
		}
		f.clock = f.clock.Add(lease / 2)
		_, _, err := f.Beat(t.Context(), schedule.Node{ID: "n2"}, map[string]int64{"b": b.Fence}, lease)
		f.ok(err)
		f.clock = f.clock.Add(lease / 2)
		a = f.take("n3") // its node died
		if _, busy, by := lock(a, "source amr"); busy != "source amr" || by != "b" {
			t.Errorf("a lock that was renewed is given away: busy %q by %q", busy, by)
		}
		f.clock = f.clock.Add(lease / 2)
		if _, busy, _ := lock(a, "source amr"); busy != "" {
			t.Errorf("a dead task's lock stays: %q", busy)
		}
	})
}

func TestATaskWhoseSourceIsInUseLeavesTheWorkerToOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		for _, id := range []string{"a", "b", "c"} {
			task := f.task(id, "")
			if id == "c" {
				task.Work.Source = "amr"
			}
			_, err := f.Enqueue(t.Context(), task)
			f.ok(err)
		}
		a := f.take("n1")
		fence, _, _, err := f.LockNames(t.Context(), "a", a.Fence, []string{"source court"}, lease)
		f.ok(err)
		if next := f.take("n2"); next.ID != "c" {
			t.Errorf("took %s, which waits for the source", next.ID)
		}
		f.nothing("n2")
		f.ok(f.UnlockNames(t.Context(), "a", fence, []string{"source court"}))
		if next := f.take("n2"); next.ID != "b" {
			t.Errorf("took %s", next.ID)
		}
		f.clock = f.clock.Add(lease) // a's own lock must not keep it from its heir
		_, _, _, err = f.LockNames(t.Context(), "b", 0, nil, lease)
		if !errors.Is(err, schedule.ErrLost) {
			t.Errorf("%v", err)
		}
		if next := f.take("n3"); next.ID != "a" {
			t.Errorf("took %s", next.ID)
		}
	})
}

func TestStepsAndLogOfATask(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		_, err := f.Enqueue(t.Context(), f.task("a", ""))
		f.ok(err)
		a := f.take("n1")
		step := func(step, subject, state string, anew ...schedule.Key) {
			t.Helper()
			f.ok(f.SaveStep(t.Context(), "a", a.Fence, schedule.Step{Key: schedule.Key{Step: step, Subject: subject}, State: state, Note: "read 1"}, anew))
		}
		step("pull", "court/court.debtor", schedule.Failed)
		step("settle", "", schedule.Done)
		step("pull", "court/court.debtor", schedule.Done, schedule.Key{Step: "settle"})
		steps, err := f.Steps(t.Context(), "a")
		f.ok(err)
		if len(steps) != 2 || steps[0].State != schedule.Done || steps[1].State != schedule.Stale {
			t.Errorf("%+v", steps)
		}
		var writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() {
				for range 25 {
					if err := f.AddEvent(t.Context(), "a", schedule.Event{Node: fmt.Sprint(w), Status: "running"}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		events, err := f.Events(t.Context(), "a", 90, 1000)
		f.ok(err)
		if len(events) != 10 || events[0].No != 91 || events[9].No != 100 {
			t.Errorf("%d events", len(events))
		}
		a.State, a.Error, a.Code, a.Ended = schedule.Failed, "no", "invalid", f.clock
		f.ok(f.FinishTask(t.Context(), a))
		step2, err := f.RetryTask(t.Context(), "a", "张三")
		f.ok(err)
		if step2.State != schedule.Waiting || step2.About != "张三" || step2.Error != "" {
			t.Errorf("%+v", step2)
		}
		if _, err := f.RetryTask(t.Context(), "a", "张三"); !fault.Is(err, fault.Conflict) {
			t.Errorf("a task that waits is retried: %v", err)
		}
		cancelled, err := f.CancelTask(t.Context(), "a", "李四")
		f.ok(err)
		if cancelled.State != schedule.Cancelled {
			t.Errorf("%+v", cancelled)
		}
		f.clock = f.clock.Add(time.Hour)
		if n, err := f.ForgetTasks(t.Context(), f.clock); err != nil || n != 1 {
			t.Errorf("%d forgotten, %v", n, err)
		}
		if events, err := f.Events(t.Context(), "a", 0, 1000); err != nil || len(events) > 0 {
			t.Errorf("%d events stay, %v", len(events), err)
		}
	})
}

func TestPagesOfTasks(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		for i := range 7 {
			_, err := f.Enqueue(t.Context(), f.task(fmt.Sprintf("t%d", i), fmt.Sprintf("s%d", i%2)))
			f.ok(err)
			if i%2 == 1 { // some share their time
				f.clock = f.clock.Add(time.Second)
			}
		}
		var got []string
		for after := ""; ; {
			page, err := f.Tasks(t.Context(), schedule.Filter{After: after, Most: 2, Source: "court", States: []string{schedule.Waiting, schedule.Done}})
			f.ok(err)
			for _, one := range page.Tasks {
				got = append(got, one.ID)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if fmt.Sprint(got) != "[t6 t5 t4 t3 t2 t1 t0]" {
			t.Error(got)
		}
		if _, err := f.Tasks(t.Context(), schedule.Filter{After: "x"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a made-up cursor: %v", err)
		}
	})
}

func TestProcessesThatStartAtOnceMakeTheTablesOnce(t *testing.T) {
	for name, address := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "state.db"), "postgres": pgtest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					s, err := Open(t.Context(), address, time.Now)
					if err != nil {
						t.Error(err)
						return
					}
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		})
	}
}

func TestFencesGrowAboveTheLog(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.log.append(chain.Entry{Chain: chain.Stage("amr.reg"), Run: "r", Fence: 4711, Ledger: &chain.Ledger{}})
		_, err := f.Follow(t.Context())
		f.ok(err)
		_, err = f.Enqueue(t.Context(), f.task("a", ""))
		f.ok(err)
		if a := f.take("n1"); a.Fence != 4712 {
			t.Errorf("fence %d", a.Fence)
		}
	})
}

func TestADatasetIsFreshOnceItsPullWentThrough(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		run := func(id, step, status string, ended time.Time) {
			f.ok(f.SaveRun(t.Context(), chain.Run{ID: id, Step: step, Subject: "amr.reg", Started: ended, Ended: ended, Status: status}))
		}
		since := f.clock
		run("a", "pull", "done", since)
		run("b", "pull", "failed", since.Add(time.Second))
		run("c", "score", "done", since.Add(2*time.Second))
		at, err := f.Refreshed(t.Context(), []string{"amr.reg", "amr.severe"}, since)
		f.ok(err)
		if len(at) != 0 {
			t.Errorf("%v", at)
		}
		run("d", "receive", "done", since.Add(3*time.Second))
		run("e", "pull", "done", since.Add(4*time.Second))
		at, err = f.Refreshed(t.Context(), []string{"amr.reg", "amr.severe"}, since)
		f.ok(err)
		if len(at) != 1 || !at["amr.reg"].Equal(since.Add(3*time.Second)) {
			t.Errorf("%v", at)
		}
	})
}

func TestANodesClockIsHeldAgainstTheDatabases(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.clock = time.Now().Add(time.Hour)
		skew, err := f.Skew(t.Context())
		f.ok(err)
		if f.postgres && (skew < 59*time.Minute || skew > 61*time.Minute) || !f.postgres && skew != 0 {
			t.Errorf("the clock is %s ahead", skew)
		}
		_, _, err = f.Beat(t.Context(), schedule.Node{ID: "n1", Name: "n1", Skew: skew}, nil, lease)
		f.ok(err)
		if nodes, err := f.Nodes(t.Context(), time.Time{}); err != nil || len(nodes) != 1 || nodes[0].Skew != skew.Truncate(time.Millisecond) {
			t.Errorf("%+v, %v", nodes, err)
		}
	})
}
