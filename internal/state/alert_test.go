package state

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"xinshu/internal/alerts"
)

// ear is a channel that hears, or fails while it is deaf.
type ear struct {
	mu    sync.Mutex
	deaf  bool
	heard []string
}

func (e *ear) Name() string      { return "ear" }
func (e *ear) Wants(string) bool { return true }
func (e *ear) Send(_ context.Context, m alerts.Message) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.deaf {
		return errors.New("nobody listens")
	}
	e.heard = append(e.heard, m.ID)
	return nil
}

// watched is a keeper over a fixture, with one rule that finds what the test puts there.
func watched(f *fixture) (k *alerts.Keeper, e *ear, find func(subjects ...string)) {
	var now []alerts.Finding
	e = &ear{}
	k = &alerts.Keeper{Store: f.State, Now: func() time.Time { return f.clock }, EscalateAfter: 4 * time.Hour, Channels: []alerts.Channel{e},
		Rules: []alerts.Rule{{Name: alerts.Disk, Find: func(context.Context) ([]alerts.Finding, error) { return now, nil }}}}
	return k, e, func(subjects ...string) {
		now = nil
		for _, s := range subjects {
			now = append(now, alerts.Finding{Rule: alerts.Disk, Subject: s, Level: alerts.Warning, ZH: "满", EN: "full"})
		}
	}
}

func TestAnAlertIsRaisedOnceSeenEscalatedAndEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		k, e, find := watched(f)
		look := func() []alerts.Alert {
			t.Helper()
			f.ok(k.Look(t.Context()))
			f.ok(k.Send(t.Context()))
			open, err := f.OpenAlerts(t.Context())
			f.ok(err)
			return open
		}
		find("/data", "/cache")
		for range 3 {
			if open := look(); len(open) != 2 {
				t.Fatalf("%d alerts last", len(open))
			}
			f.clock = f.clock.Add(time.Minute)
		}
		if len(e.heard) != 2 {
			t.Errorf("three looks told %d times", len(e.heard))
		}
		open := look()
		f.ok(f.SeeAlert(t.Context(), open[0].ID, "王芳"))
		f.ok(f.SeeAlert(t.Context(), open[0].ID, "somebody later"))
		f.clock = f.clock.Add(4 * time.Hour)
		look()
		look()
		if open, _ = f.OpenAlerts(t.Context()); open[0].SeenBy != "王芳" || !open[0].Escalated.IsZero() || open[1].Escalated.IsZero() || len(e.heard) != 3 {
			t.Errorf("what nobody saw escalates once, and nothing else: %+v, told %v", open, e.heard)
		}
		find("/cache")
		if open = look(); len(open) != 1 || open[0].Subject != "/cache" || len(e.heard) != 4 {
			t.Errorf("what is found no more ends: %+v, told %v", open, e.heard)
		}
		find("/data", "/cache")
		f.clock = f.clock.Add(time.Minute)
		look()
		all, err := f.Alerts(t.Context(), alerts.Alert{}, 10)
		f.ok(err)
		if len(all) != 3 || len(e.heard) != 5 {
			t.Errorf("what comes back is another alert: %d in all, told %v", len(all), e.heard)
		}
		if page, err := f.Alerts(t.Context(), all[0], 1); err != nil || len(page) != 1 || page[0].ID != all[1].ID {
			t.Errorf("the second page is %+v, %v", page, err)
		}
		if err := f.SeeAlert(t.Context(), "none", "x"); err == nil {
			t.Error("an alert that is not there was seen")
		}
	})
}

func TestAMessageThatFailsIsTriedAgainForADayAndThenGivenUp(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		k, e, find := watched(f)
		find("/data")
		e.deaf = true
		tries := 0
		k.Failed = func(string, error) { tries++ }
		f.ok(k.Look(t.Context()))
		end := f.clock.Add(48 * time.Hour)
		for ; f.clock.Before(end); f.clock = f.clock.Add(10 * time.Second) {
			if f.clock.Second() == 0 || tries < 2 {
				f.ok(k.Send(t.Context()))
			}
		}
		if tries != 8 {
			t.Errorf("it was tried %d times", tries)
		}
		var state, why string
		f.ok(f.db.QueryRowContext(t.Context(), `select state, error from alert_message`).Scan(&state, &why))
		if state != "given_up" || why != "nobody listens" {
			t.Errorf("it is %s: %s", state, why)
		}
	})
}

func TestSeveralNodesRaiseAndSendOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		k, e, find := watched(f)
		find("a", "b", "c", "d", "e")
		var nodes sync.WaitGroup
		for range 6 {
			nodes.Go(func() {
				if err := errors.Join(k.Look(t.Context()), k.Send(t.Context())); err != nil {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
		f.ok(k.Send(t.Context()))
		slices.Sort(e.heard)
		if len(e.heard) != 5 || len(slices.Compact(slices.Clone(e.heard))) != 5 {
			t.Errorf("six nodes told %v", e.heard)
		}
	})
}

func TestANodeThatDiesWhileSendingLeavesTheMessageToAnother(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		k, e, find := watched(f)
		find("a")
		f.ok(k.Look(t.Context()))
		first, found, err := f.ClaimMessage(t.Context(), time.Minute) // and dies
		f.ok(err)
		if !found {
			t.Fatal("nothing was due")
		}
		f.ok(k.Send(t.Context()))
		if len(e.heard) != 0 {
			t.Fatal("two nodes sent one message at one time")
		}
		f.clock = f.clock.Add(2 * time.Minute)
		f.ok(k.Send(t.Context()))
		if len(e.heard) != 1 || e.heard[0] != first.ID {
			t.Errorf("the other told %v; the id was %s", e.heard, first.ID)
		}
	})
}

func TestAWarningThatBecomesCriticalIsToldAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		k, e, _ := watched(f)
		level := alerts.Warning
		k.Rules[0].Find = func(context.Context) ([]alerts.Finding, error) {
			return []alerts.Finding{{Rule: alerts.Disk, Subject: "/data", Level: level, ZH: "满", EN: "full"}}, nil
		}
		look := func() []alerts.Alert {
			t.Helper()
			f.ok(k.Look(t.Context()))
			f.ok(k.Send(t.Context()))
			f.clock = f.clock.Add(time.Minute)
			open, err := f.OpenAlerts(t.Context())
			f.ok(err)
			return open
		}
		f.ok(f.SeeAlert(t.Context(), look()[0].ID, "王芳"))
		level = alerts.Critical
		if open := look(); len(open) != 1 || open[0].Level != alerts.Critical || open[0].SeenBy != "" || len(e.heard) != 2 {
			t.Errorf("worse: %+v, told %v", open, e.heard)
		}
		level = alerts.Warning
		if open := look(); len(open) != 1 || open[0].Level != alerts.Critical || len(e.heard) != 2 {
			t.Errorf("better, and not over: %+v, told %v", open, e.heard)
		}
	})
}

// What one node finds on its own machine another node does not end by not finding it.
func TestEachNodeEndsItsOwnAlerts(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		first, _, find := watched(f)
		second, _, _ := watched(f)
		there := []string{"first", "second"}
		for name, k := range map[string]*alerts.Keeper{"first": first, "second": second} {
			k.Node, k.Nodes, k.Rules[0].Local = name, func(context.Context) ([]string, error) { return there, nil }, true
		}
		lasting := func(k *alerts.Keeper) (all []string) {
			t.Helper()
			f.ok(k.Look(t.Context()))
			open, err := f.OpenAlerts(t.Context())
			f.ok(err)
			for _, a := range open {
				all = append(all, a.Subject)
			}
			return all
		}
		find("/data")
		for _, k := range []*alerts.Keeper{first, second, first} {
			if got := lasting(k); !slices.Equal(got, []string{"first: /data"}) {
				t.Errorf("after %s looked: %v", k.Node, got)
			}
		}
		find()
		if got := lasting(first); len(got) != 0 {
			t.Errorf("its node finds it no more: %v", got)
		}
		find("/data")
		lasting(first)
		there = []string{"second"}
		if got := lasting(second); len(got) != 0 {
			t.Errorf("its node is gone: %v", got)
		}
	})
}
