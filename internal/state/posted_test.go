package state

import (
	"strings"
	"testing"
	"time"

	"xinshu/internal/chain"
)

func TestARunIsFoundByTheNameItsBatchGaveIt(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		const name = "receive-0123456789abcdef0123456789abcdef-"
		name2 := strings.Replace(name, "0123", "0124", 1)
		find := func(prefix string) (chain.Run, bool) {
			r, found, err := f.FinishedRun(t.Context(), prefix)
			f.ok(err)
			return r, found
		}
		if r, found := find(name); found {
			t.Fatalf("found %+v before anything was there", r)
		}
		f.ok(f.SaveRun(t.Context(), chain.Run{ID: name + "ffffffffffffffff", Step: "receive", Subject: "amr.reg", Started: f.clock, Status: "failed"}))
		if r, found := find(name); found {
			t.Fatalf("a run that failed is found as finished: %+v", r)
		}
		// Committed by a process that died: the log has it, the run was never written down as done.
		f.log.append(chain.Entry{Chain: chain.Stage("amr.reg"), Run: name + "00000000000000ff", Ledger: &chain.Ledger{Read: 5, Accepted: 4, Quarantined: 1}})
		f.log.append(chain.Entry{Chain: chain.Stage("amr.reg"), Run: name2 + "aaaaaaaaaaaaaaaa", Ledger: &chain.Ledger{Read: 1, Accepted: 1}})
		f.ok(f.FollowChain(t.Context(), chain.Stage("amr.reg")))
		r, found := find(name)
		if !found || r.ID != name+"00000000000000ff" || r.N != 1 || r.Chain != chain.Stage("amr.reg") || r.Ledger.Accepted != 4 || r.Ledger.Quarantined != 1 {
			t.Errorf("found %v: %+v", found, r)
		}
		if r, found := find(name2); !found || r.N != 2 {
			t.Errorf("its neighbour: %v, %+v", found, r)
		}
		empty := strings.Replace(name, "0123", "ffff", 1)
		f.ok(f.SaveRun(t.Context(), chain.Run{ID: empty + "1111111111111111", Step: "receive", Subject: "amr.reg", Started: f.clock, Ended: f.clock, Status: "done"}))
		if r, found := find(empty); !found || r.N != 0 {
			t.Errorf("a batch without rows: %v, %+v", found, r)
		}
	})
}

func TestANonceIsFreshOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		fresh := func(source, nonce string) bool {
			ok, err := f.Nonce(t.Context(), source, nonce, 10*time.Minute)
			f.ok(err)
			return ok
		}
		if !fresh("a", "n1") || fresh("a", "n1") || !fresh("b", "n1") || !fresh("a", "n2") {
			t.Error("a nonce is fresh once for each sender")
		}
		f.clock = f.clock.Add(9 * time.Minute)
		if fresh("a", "n1") {
			t.Error("it is forgotten while its time would still be taken")
		}
		f.clock = f.clock.Add(2 * time.Minute)
		if !fresh("a", "n1") {
			t.Error("it is kept for ever")
		}
	})
}
