package work

import (
	"context"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/pipelines/schedule"
)

// outbox holds one delivery that waits, and the tasks that were queued for it.
type outbox struct {
	at    time.Time
	tasks map[string]schedule.Task
}

func (o *outbox) NextAttempt(context.Context) (time.Time, error) { return o.at, nil }

func (o *outbox) Enqueue(_ context.Context, t schedule.Task) (bool, error) {
	if _, there := o.tasks[t.ID]; there {
		return false, nil
	}
	o.tasks[t.ID] = t
	return true, nil
}

func TestADeliveryThatIsDueAgainQueuesOnePush(t *testing.T) {
	now := time.Date(2026, 11, 22, 2, 3, 0, 0, time.UTC)
	o := &outbox{tasks: map[string]schedule.Task{}}
	look := func(want int) {
		t.Helper()
		for range 3 { // nodes
			if err := Retry(t.Context(), o, now); err != nil {
				t.Fatal(err)
			}
		}
		if len(o.tasks) != want {
			t.Errorf("at %s %d pushes were queued, not %d", now.Format("15:04"), len(o.tasks), want)
		}
	}
	look(0) // nothing waits
	o.at = now.Add(time.Minute)
	look(0)
	now = now.Add(time.Minute)
	look(1)
	now = now.Add(5 * time.Minute)
	look(1) // the push at that time may be under way
	now = now.Add(6 * time.Minute)
	look(2) // it could not even reach the target: once every ten minutes
	now = now.Add(4 * time.Minute)
	look(2)
	now = now.Add(6 * time.Minute)
	look(3)
	for _, task := range o.tasks {
		if task.Work.Do != schedule.DoPush || task.State != schedule.Waiting {
			t.Errorf("%+v", task)
		}
	}
}

func TestATaskStandsForItsDay(t *testing.T) {
	dynamic, yearly := catalog.Policy{ID: "d"}, catalog.Policy{}
	c, _ := catalog.Load(catalog.Files)
	for _, p := range c.Policies {
		if p.ID == "heilongjiang-2021" {
			yearly = p
		}
	}
	midnight := time.Date(2026, 1, 11, 16, 30, 0, 0, time.UTC) // 12 January in Shanghai
	for _, one := range []struct {
		name   string
		task   schedule.Task
		policy catalog.Policy
		want   string
	}{
		{"a tick's day in Shanghai", schedule.Task{Tick: midnight, Queued: midnight.AddDate(0, 0, 3)}, dynamic, "2026-01-12"},
		{"without a tick the day it was asked for", schedule.Task{Queued: midnight}, dynamic, "2026-01-12"},
		{"a yearly policy's last cut-off", schedule.Task{Tick: midnight}, yearly, "2025-12-31"},
		{"the day that was asked for", schedule.Task{Tick: midnight, Work: schedule.Work{AsOf: "2025-06-30"}}, dynamic, "2025-06-30"},
	} {
		t.Run(one.name, func(t *testing.T) {
			clocks, err := New(nil).clocks(one.task)
			if err != nil {
				t.Fatal(err)
			}
			if got := clocks(one.policy).AsOf.String(); got != one.want {
				t.Errorf("as of %s, not %s", got, one.want)
			}
		})
	}
}
