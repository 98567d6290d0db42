package main

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// durable is one kind of durable write: the crash points that it passes, and a place to do it at.
type durable struct {
	name   string
	points []string
	passes map[string]int // how often one piece of work passes a point, where that is more than once
	// repeats says that done again after its commit the work is read again, and its refused rows count as repetitions.
	repeats bool
	open    func(t *testing.T, pieces int) place
}

// place is a hub at which a write is done again and again, each time another piece of work.
type place struct {
	data   string
	before func(i int) // lays a piece ready; may be nil
	do     func(i int, env string) (killed bool)
	holds  func() []string // what it comes to outside the lake; may be nil
}

// commitPoints are those that every commit passes; a pull with something to acknowledge passes two more.
var (
	commitPoints = []string{fault.BeforeObjects, fault.MidObject, fault.AfterObjects, fault.AfterLog, fault.AfterState}
	pullPoints   = append(slices.Clone(commitPoints), fault.MidAck, fault.AfterAck)
	pushPoints   = []string{fault.BeforeSend, fault.AfterSend, fault.BeforeReceipt}
)

// TestEveryDurableWriteKilledEndsAsOneNeverKilled is the crash report: each durable write beside those
// of the main job is killed at every point it passes, each time at another piece of work, and done once
// more. What the hub, its sources and its receivers then hold is what they hold of a hub never killed.
func TestEveryDurableWriteKilledEndsAsOneNeverKilled(t *testing.T) {
	t.Parallel() // a life leaves half of each core free
	wanted := 1  // kills of each write; at least one at each of its points
	if full() {
		wanted = 20
	}
	writes := slices.Concat(stageWrites, otherWrites, taskWrites)
	var kills atomic.Int64
	t.Run("writes", func(t *testing.T) {
		for _, w := range writes {
			t.Run(w.name, func(t *testing.T) {
				t.Parallel()
				kills.Add(int64(killed(t, w, (wanted+len(w.points)-1)/len(w.points))))
			})
		}
	})
	if !t.Failed() {
		t.Logf("crash report: %d kills at %d kinds of durable writes: none lost, none doubled", kills.Load(), len(writes))
	}
}

// killed kills a write so many times at each point, goes on each time, and compares the end with a hub
// that was never killed.
func killed(t *testing.T, w durable, each int) (kills int) {
	t.Helper()
	pieces := each * len(w.points)
	calm, hub := w.open(t, pieces), w.open(t, pieces)
	for i := range pieces {
		calm.ready(i)
		calm.do(i, "")
		hub.ready(i)
		point := w.points[i%len(w.points)]
		at := 1 + i/len(w.points)%max(w.passes[point], 1)
		if !hub.do(i, fmt.Sprintf("%s=%s:%d", fault.CrashEnv, point, at)) {
			t.Fatalf("piece %d was not killed at %s:%d", i, point, at)
		}
		kills++
		if hub.do(i, "") {
			t.Fatalf("piece %d was killed without a crash point", i)
		}
	}
	want, got := calm.everything(t, w.repeats), hub.everything(t, w.repeats)
	if len(want) < pieces {
		t.Errorf("only %d statements to compare for %d pieces of work", len(want), pieces)
	}
	if diff := differences(want, got); diff != "" {
		t.Errorf("after %d kills: %s", kills, diff)
	}
	xinshu(t, "", "verify", "--read-data", "--data", hub.data)
	t.Logf("%s: %d kills at %s, %d statements compared", w.name, kills, strings.Join(w.points, " "), len(want))
	return kills
}

func (b place) ready(i int) {
	if b.before != nil {
		b.before(i)
	}
}

// everything is what a hub holds, unless work repeats how many commits and rows each of its chains took to come there, and
// what stands outside.
func (b place) everything(t *testing.T, repeats bool) []string {
	t.Helper()
	all := holdings(t, b.data)
	eachChain(t, b.data, func(head chain.Entry, _ func(question) []string) {
		line := fmt.Sprintf("%s entry %d", head.Chain, head.N)
		for _, table := range []string{"rows", "quarantine", "taken", "corrected", "gone", "absent", "judgement"} {
			rows := int64(0)
			for _, f := range head.Table(table) {
				rows += f.Rows
			}
			line += fmt.Sprintf(" %s %d", table, rows)
		}
		if !repeats {
			all = append(all, line)
		}
	})
	if b.holds != nil {
		all = append(all, b.holds()...)
	}
	slices.Sort(all)
	return all
}

// command is a write that is one command line.
func command(t *testing.T, args func(i int) []string) func(int, string) bool {
	return func(i int, env string) bool {
		t.Helper()
		_, killed := xinshu(t, env, args(i)...)
		return killed
	}
}
