package main

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"xinshu/internal/fault"
)

// killsPerPoint is how often the process is killed at each point before it may finish.
const killsPerPoint = 5

// TestAHubKilledAnywhereEndsAsOneNeverKilled kills a hub at each named crash point, five times in one
// life, lets it go on each time, and compares everything it came to with a hub that was never killed.
func TestAHubKilledAnywhereEndsAsOneNeverKilled(t *testing.T) {
	args := []string{"demo", "--once", "--json", "--entities", "120", "--seed", "7", "--data"}
	calm := t.TempDir()
	out, _ := xinshu(t, "", append(args, calm)...)
	want, wantSummary := holdings(t, calm), summaryOf(t, out)
	if len(want) < 1000 {
		t.Fatalf("the unkilled hub holds only %d statements", len(want))
	}
	passes := map[string]int{ // about how often a life passes a point: kills are spread over it
		fault.BeforeObjects: 400, fault.MidObject: 500, fault.AfterObjects: 350, fault.AfterLog: 350, fault.AfterState: 350,
		fault.AfterAck: 120, fault.BeforeSend: 20, fault.AfterSend: 20, fault.BeforeReceipt: 20}
	total := 0
	for _, point := range crashPoints {
		t.Run(point, func(t *testing.T) {
			random := rand.New(rand.NewPCG(7, uint64(len(point))+uint64(point[1])))
			dir, kills := t.TempDir(), 0
			for kills < killsPerPoint {
				at := 1 + random.IntN(max(passes[point]/killsPerPoint, 1))
				if _, killed := xinshu(t, fmt.Sprintf("%s=%s:%d", fault.CrashEnv, point, at), append(args, dir)...); !killed {
					break // the life ended first
				}
				kills++
			}
			if kills < killsPerPoint {
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
			total += kills
		})
	}
	if t.Failed() {
		return
	}
	t.Logf("%d kills at %d points, %d statements compared after each: none lost, none doubled", total, len(crashPoints), len(want))
}
