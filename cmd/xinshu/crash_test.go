package main

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"xinshu/internal/fault"
)

// killsPerPoint is how often the process is killed at each point: within one life, unless that ends first.
func killsPerPoint() int {
	if full() {
		return 20
	}
	return 5
}

// TestAHubKilledAnywhereEndsAsOneNeverKilled kills a hub at each named crash point several times in one
// life, lets it go on each time, and compares everything it came to with a hub that was never killed.
func TestAHubKilledAnywhereEndsAsOneNeverKilled(t *testing.T) {
	t.Parallel() // a life leaves half of each core free
	args := []string{"demo", "--once", "--json", "--entities", "120", "--seed", "7", "--data"}
	calm := t.TempDir()
	out, _ := xinshu(t, "", append(args, calm)...)
	want, wantSummary := holdings(t, calm), summaryOf(t, out)
	if len(want) < 1000 {
		t.Fatalf("the unkilled hub holds only %d statements", len(want))
	}
	passes := map[string]int{ // about how often a life passes a point: kills are spread over it
		fault.BeforeObjects: 400, fault.MidObject: 500, fault.AfterObjects: 350, fault.AfterLog: 350, fault.AfterState: 350,
		fault.MidAck: 300, fault.AfterAck: 120, fault.BeforeSend: 20, fault.AfterSend: 20, fault.BeforeReceipt: 20}
	var total atomic.Int64
	wanted := killsPerPoint()
	t.Run("points", func(t *testing.T) {
		for _, point := range crashPoints {
			t.Run(point, func(t *testing.T) {
				t.Parallel()
				total.Add(int64(killedAt(t, point, wanted, max(passes[point]/wanted, 1), args, want, wantSummary)))
			})
		}
	})
	if t.Failed() {
		return
	}
	t.Logf("%d kills at %d points, %d statements compared after each: none lost, none doubled", total.Load(), len(crashPoints), len(want))
}

// killedAt kills one life so many times at a point, each time after at most so many passes of it.
func killedAt(t *testing.T, point string, wanted, passes int, args, want []string, wantSummary Summary) (kills int) {
	t.Helper()
	random := rand.New(rand.NewPCG(7, uint64(len(point))+uint64(point[1])))
	dir := t.TempDir()
	for kills < wanted {
		at := 1 + random.IntN(passes)
		if _, killed := xinshu(t, fmt.Sprintf("%s=%s:%d", fault.CrashEnv, point, at), append(args, dir)...); !killed {
			break // the life ended first
		}
		kills++
	}
	if kills < wanted {
		t.Fatalf("only %d kills at %s before the life ended; lower its number of passes", kills, point)
	}
	out, _ := xinshu(t, "", append(args, dir)...)
	if diff := differences(want, holdings(t, dir)); diff != "" {
		t.Errorf("after %d kills at %s: %s", kills, point, diff)
	}
	got := summaryOf(t, out)
	for i, p := range wantSummary.Policies {
		if i >= len(got.Policies) || got.Policies[i].Seal != p.Seal || got.Policies[i].AsOf != p.AsOf {
			t.Errorf("after %d kills at %s the seal of %s differs", kills, point, p.ID)
		}
	}
	if got.Deliveries.Open != 0 {
		t.Errorf("after %d kills at %s %d rows are open", kills, point, got.Deliveries.Open)
	}
	xinshu(t, "", "verify", "--read-data", "--data", dir)
	return kills
}

// TestAHubKilledAtRandomEndsAsOneNeverKilled kills a hub at random instants, from its first
// milliseconds on, and lets it go on each time. When a life ends, what it came to is held against the
// unkilled hub and against the province's own books, and the next life begins in an empty folder.
func TestAHubKilledAtRandomEndsAsOneNeverKilled(t *testing.T) {
	t.Parallel()
	const entities, seed = "120", 7
	wanted, longest := 12, 3*time.Second
	if full() {
		wanted = 200
	}
	args := []string{"demo", "--once", "--json", "--entities", entities, "--seed", fmt.Sprint(seed), "--data"}
	calm := t.TempDir()
	xinshu(t, "", append(args, calm)...)
	want := holdings(t, calm)
	province, cat := provinceOf(t, seed, 120)
	began := uint64(time.Now().UnixNano()) // any number will do; it is printed
	random := rand.New(rand.NewPCG(began, 0))
	kills, lives := 0, 0
	for kills < wanted {
		dir := t.TempDir()
		for {
			delay := time.Duration(random.Int64N(int64(longest)))
			if kills >= wanted {
				delay = 0
			}
			_, killed, err := try(t, delay, "", append(args, dir)...)
			if err != nil {
				t.Fatalf("after %d kills (random seed %d): %v", kills, began, err)
			}
			if !killed {
				break
			}
			kills++
		}
		lives++
		if diff := differences(want, holdings(t, dir)); diff != "" {
			t.Fatalf("after %d kills (random seed %d): %s", kills, began, diff)
		}
		if diff := differences(injected(province, cat), refused(t, dir, cat)); diff != "" {
			t.Errorf("after %d kills (random seed %d) the quarantine is not what the province did wrong: %s", kills, began, diff)
		}
		receiversAgree(t, dir, cat, province)
		xinshu(t, "", "verify", "--read-data", "--data", dir)
	}
	t.Logf("%d random kills in %d lives (random seed %d), %d statements compared after each life: none lost, none doubled", kills, lives, began, len(want))
}
