package state

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/chain"
)

func (f *fixture) count(table string) (n int) {
	f.t.Helper()
	f.ok(f.db.QueryRowContext(f.t.Context(), "select count(*) from "+table).Scan(&n))
	return n
}

func TestForgettingKeepsWhatIsOpenAndWhatKeepsThingsFromBeingDoneTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "share", Kind: "restapi"})
		for i := range 3 { // three versions, each sent and acknowledged
			f.publish("p", grade("A", int64(i+1)), grade("B", int64(i+1)))
			d, _ := f.claim("share")
			var rows []connectors.RowReceipt
			for _, r := range d.Rows {
				rows = append(rows, connectors.RowReceipt{ID: r.ID})
			}
			f.ok(f.Answered(t.Context(), d, connectors.Receipt{Code: "0", Accepted: 2}, rows, time.Time{}))
			f.clock = f.clock.Add(24 * time.Hour)
		}
		f.publish("p", grade("C", 1)) // waits
		for i := range 3 * chunk / 2 {
			f.ok(f.SaveRun(t.Context(), chain.Run{ID: fmt.Sprintf("run%05d", i), Step: "pull", Subject: "d", Status: "done", Started: f.clock.Add(time.Duration(i) * time.Second), Ended: f.clock}))
		}
		f.ok(f.SaveRun(t.Context(), chain.Run{ID: "batch 1", Step: "receive", Subject: "d", Status: "done", Started: f.clock, Ended: f.clock}))
		f.ok(f.SaveRun(t.Context(), chain.Run{ID: "batch 2", Step: "receive", Subject: "d", Status: "done", Started: f.clock, Ended: f.clock.Add(time.Second)}))
		f.ok(f.SaveRun(t.Context(), chain.Run{ID: "still", Step: "pull", Subject: "d", Status: "running", Started: f.clock}))
		k, _, find := watched(f)
		find("ends", "lasts")
		f.ok(k.Look(t.Context()))
		f.clock = f.clock.Add(time.Hour)
		find("lasts")
		f.ok(k.Look(t.Context()))

		f.clock = f.clock.Add(1000 * 24 * time.Hour)
		old := f.clock.Add(-24 * time.Hour)
		kept, err := f.Forget(t.Context(), Keep{})
		f.ok(err)
		if kept != (Forgotten{}) {
			t.Errorf("nothing was to be forgotten: %+v", kept)
		}
		held, err := f.Holdings(t.Context(), "p", "A")
		f.ok(err)
		done, err := f.Forget(t.Context(), Keep{Runs: old, Deliveries: old, Alerts: old})
		f.ok(err)
		if done.Runs < 3*chunk/2-1 || done.Alerts != 1 || done.Statements != 4 || done.Receipts != 3 {
			t.Errorf("forgotten: %+v", done)
		}
		if n := f.count("run where step = 'receive'"); n != 2 {
			t.Errorf("%d posted batches are known", n)
		}
		if n := f.count("run where id = 'still' or id = 'run00749'"); n != 2 {
			t.Errorf("the running and the newest run: %d", n)
		}
		if n := f.count("outbox where state = 'due'"); n != 1 || f.count("receipt") != 0 || f.count("delivery") != 3 {
			t.Errorf("%d due, %d receipts, %d deliveries", n, f.count("receipt"), f.count("delivery"))
		}
		again, err := f.Holdings(t.Context(), "p", "A")
		f.ok(err)
		if len(held) != 1 || len(again) != 1 || again[0] != held[0] {
			t.Errorf("what the target holds was %+v and is %+v", held, again)
		}
		if twice, err := f.Forget(t.Context(), Keep{Runs: old, Deliveries: old, Alerts: old}); err != nil || twice != (Forgotten{}) {
			t.Errorf("a second pass: %+v, %v", twice, err)
		}
		f.targets()
		f.targets(Target{ID: "share", Kind: "restapi"})
		if _, rows := f.claim("share"); len(rows) != 1 {
			t.Errorf("after it %v is sent", rows)
		}
	})
}

func TestUpkeepIsOneNodesTurn(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		day := func() int64 {
			var turns atomic.Int64
			var nodes sync.WaitGroup
			for range 6 {
				nodes.Go(func() {
					if mine, err := f.Upkeep(t.Context(), "retention", f.clock.Add(-time.Hour)); err != nil {
						t.Error(err)
					} else if mine {
						turns.Add(1)
					}
				})
			}
			nodes.Wait()
			return turns.Load()
		}
		first, second := day(), day()
		f.clock = f.clock.Add(24 * time.Hour)
		if third := day(); first != 1 || second != 0 || third != 1 {
			t.Errorf("turns: %d, %d, %d", first, second, third)
		}
	})
}
