package state

import (
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// staged is an entry of a stage chain.
func staged(dataset, run, cursor string, read int64, declared *int64) chain.Entry {
	return chain.Entry{Chain: chain.Stage(dataset), Run: run, Cursor: &chain.Cursor{After: cursor},
		Ledger: &chain.Ledger{Declared: declared, Read: read, Accepted: read - 1, Quarantined: 1}}
}

func TestADeletedDatabaseIsRebuiltFromTheLog(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		three := int64(3)
		f.log.append(staged("amr.reg", "r1", "page 1", 3, &three))
		f.log.append(staged("amr.reg", "r1", "page 2", 3, &three))
		f.log.append(staged("court.debtor", "r2", "", 5, nil))
		f.log.append(chain.Entry{Chain: chain.Settled, Run: "r3"})
		f.targets(Target{ID: "x"})
		_, err := f.Follow(t.Context())
		f.ok(err)
		f.publish("p", grade("A", 1), grade("B", 1))
		f.publish("p", statement{uscc: "A", kind: "correction", version: 2})
		f.accept("x")

		for _, how := range []string{"as it was", "rebuilt"} {
			if how == "rebuilt" {
				if got, want := f.rebuild(Target{ID: "x"}), (Followed{Entries: 6, Changes: 3}); got != want {
					t.Errorf("rebuilt from %+v, want %+v", got, want)
				}
			}
			after, n, err := f.Cursor(t.Context(), "stage/amr.reg")
			f.ok(err)
			if after != "page 2" || n != 2 {
				t.Errorf("%s: cursor %q at %d", how, after, n)
			}
			r, err := f.Run(t.Context(), "r1")
			f.ok(err)
			if r.Step != "pull" || r.Subject != "amr.reg" || r.Status != "done" || r.N != 2 ||
				r.Ledger.Read != 6 || r.Ledger.Accepted != 4 || r.Ledger.Declared == nil || *r.Ledger.Declared != 6 {
				t.Errorf("%s: run %+v", how, r)
			}
			if r, err = f.Run(t.Context(), "r2"); err != nil || r.Ledger.Declared != nil {
				t.Errorf("%s: run %+v, %v", how, r, err)
			}
			if r, err = f.Run(t.Context(), "r3"); err != nil || r.Step != "settle" {
				t.Errorf("%s: run %+v, %v", how, r, err)
			}
		}
		// Delivered again, under the same row ids; of A only what is newest.
		if got, want := f.accept("x"), []string{"correction p/A/2", "grade p/B/1"}; !slices.Equal(got, want) {
			t.Errorf("after the rebuild x got %q, want %q", got, want)
		}
		if got, err := f.Follow(t.Context()); err != nil || got != (Followed{}) {
			t.Errorf("following again brought %+v, %v", got, err)
		}
	})
}

func TestWhatTheLogNoLongerHasIsLeftOutOfTheRunsOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		for _, cursor := range []string{"1", "2", "3"} {
			f.log.append(staged("amr.reg", "r"+cursor, cursor, 2, nil))
		}
		f.log.publish("p", grade("A", 1))
		f.log.publish("p", grade("B", 1))
		f.log.publish("p", grade("A", 2))
		f.log.kept = 3
		if got, want := f.rebuild(Target{ID: "x"}), (Followed{Entries: 2, Changes: 3}); got != want {
			t.Errorf("rebuilt from %+v, want %+v", got, want)
		}
		if after, _, err := f.Cursor(t.Context(), "stage/amr.reg"); after != "3" || err != nil {
			t.Errorf("cursor %q, %v", after, err)
		}
		if got, want := f.accept("x"), []string{"grade p/A/2", "grade p/B/1"}; !slices.Equal(got, want) {
			t.Errorf("x got %q, want %q", got, want)
		}
	})
}

func TestARunKilledAfterItsLogEntryIsCompletedByTheLog(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.ok(f.SaveRun(t.Context(), chain.Run{ID: "r1", Step: "pull", Subject: "amr.reg", Started: f.clock, Status: "running"}))
		f.ok(f.SaveRun(t.Context(), chain.Run{ID: "r2", Step: "pull", Subject: "court.debtor", Started: f.clock.Add(time.Second), Status: "running"}))
		f.log.append(staged("amr.reg", "r1", "c", 2, nil))
		_, err := f.Follow(t.Context())
		f.ok(err)
		n, err := f.Interrupt(t.Context())
		f.ok(err)
		runs, err := f.Runs(t.Context(), 10)
		f.ok(err)
		if n != 1 || len(runs) != 2 || runs[0].ID != "r2" || runs[0].Status != "interrupted" ||
			runs[1].Status != "done" || !runs[1].Started.Equal(f.clock) || runs[1].Ledger.Read != 2 {
			t.Errorf("%d interrupted, runs %+v", n, runs)
		}
		if _, err := f.Run(t.Context(), "nobody"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a run that never was: %v", err)
		}
	})
}

func TestTheHeadsAreThoseTakenIn(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		if heads, err := f.Heads(t.Context()); err != nil || len(heads) != 0 {
			t.Errorf("nothing is taken in: %v, %v", heads, err)
		}
		f.log.append(staged("amr.reg", "r1", "c", 2, nil))
		f.log.append(staged("court.debtor", "r2", "c", 2, nil))
		f.log.append(staged("amr.reg", "r3", "d", 2, nil))
		_, err := f.Follow(t.Context())
		f.ok(err)
		if heads, err := f.Heads(t.Context()); err != nil || len(heads) != 2 || heads[chain.Stage("amr.reg")] != 2 || heads[chain.Stage("court.debtor")] != 1 {
			t.Errorf("%v, %v", heads, err)
		}
	})
}

func TestACommitIsTakenInWholeOrNotAtAll(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"})
		e := f.log.publish("p", grade("A", 1), grade("B", 1))
		rows := f.log.stated["published/p#1"]
		whole := rows[1].Body
		rows[1].Body = []byte("broken")
		run := chain.Run{ID: e.Run, Step: "publish", Subject: "p", Status: "done", Chain: e.Chain, N: 1}
		err := f.CommitRun(t.Context(), run)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "p/B/1") {
			t.Errorf("error %v", err)
		}
		if _, n, _ := f.Cursor(t.Context(), e.Chain); n != 0 {
			t.Errorf("entry %d taken in with half its changes", n)
		}
		if _, rows := f.claim("x"); rows != nil {
			t.Errorf("%q due", rows)
		}
		rows[1].Body = whole
		for range 2 { // repeating it changes nothing
			f.ok(f.CommitRun(t.Context(), run))
		}
		if got := f.accept("x"); len(got) != 2 {
			t.Errorf("x got %q", got)
		}
	})
}

func TestManyChangesGoInManyStatementsAndOneEntityTwiceInOne(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"})
		var all []statement
		for i := range 3*batch + 7 {
			all = append(all, grade(string(rune('A'+i%26))+strings.Repeat("x", i/26), 1))
		}
		f.log.publish("p", all...)
		f.log.publish("p", grade("A", 3))
		f.log.publish("p", grade("A", 2)) // files are read in no order of theirs
		got := f.rebuild(Target{ID: "x"})
		if got.Changes != len(all)+2 {
			t.Errorf("%+v", got)
		}
		sent := f.accept("x")
		if len(sent) != len(all) || !slices.Contains(sent, "grade p/A/3") {
			t.Errorf("%d rows sent", len(sent))
		}
	})
}

func TestTwoNodesNeverHoldARowInTwoDeliveries(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.targets(Target{ID: "x"})
		f.publish("p", grade("A", 1), grade("B", 1))
		other, err := Open(t.Context(), f.address, func() time.Time { return f.clock })
		f.ok(err)
		defer func() { _ = other.Close() }()
		// What was claimed and not answered is claimed again: the same delivery, never a second one with its rows.
		claims := make(chan connectors.Delivery, 2)
		for _, node := range []*State{f.State, other} {
			go func() {
				d, _, _, err := node.Claim(t.Context(), "x", 100)
				if err != nil {
					t.Error(err)
				}
				claims <- d
			}()
		}
		if a, b := <-claims, <-claims; a.ID != b.ID || len(a.Rows) != 2 {
			t.Errorf("claimed %s and %s", a.ID, b.ID)
		}
	})
}
