package state

import (
	"sync"
	"testing"
	"time"
)

func TestARequestIsBegunOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		const hold, keep = time.Minute, 24 * time.Hour
		begin := func(actor, name, digest string) (Answer, bool) {
			known, ours, err := f.BeginRequest(t.Context(), actor, name, digest, true, hold, keep)
			f.ok(err)
			return known, ours
		}
		if _, ours := begin("a", "k", "d1"); !ours {
			t.Fatal("the first does not begin")
		}
		if known, ours := begin("a", "k", "d1"); ours || known.Status != 0 || known.Digest != "d1" {
			t.Errorf("under way: %v %+v", ours, known)
		}
		if _, ours := begin("b", "k", "d1"); !ours {
			t.Error("another actor's key is another key")
		}
		f.ok(f.EndRequest(t.Context(), "a", "k", Answer{Status: 201, Header: `{"Etag":"1"}`, Body: "made"}))
		if known, ours := begin("a", "k", "d2"); ours || known != (Answer{Digest: "d1", Status: 201, Header: `{"Etag":"1"}`, Body: "made"}) {
			t.Errorf("answered: %v %+v", ours, known)
		}
		f.ok(f.DropRequest(t.Context(), "a", "k"))
		if _, ours := begin("a", "k", "d1"); ours {
			t.Error("an answered request was forgotten")
		}
		f.clock = f.clock.Add(2 * time.Minute)
		if _, ours := begin("b", "k", "other"); ours {
			t.Error("another request took over")
		}
		if _, ours := begin("b", "k", "d1"); !ours {
			t.Error("a request whose process died is not taken over")
		}
		f.ok(f.DropRequest(t.Context(), "b", "k"))
		if _, ours := begin("b", "k", "d9"); !ours {
			t.Error("what came to nothing was not forgotten")
		}
		f.clock = f.clock.Add(keep)
		if _, ours := begin("a", "k", "d3"); !ours {
			t.Error("kept for longer than said")
		}
	})
}

func TestOfManyAtOnceOneBegins(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		begun := 0
		for range 16 {
			wg.Go(func() {
				_, ours, err := f.BeginRequest(t.Context(), "a", "k", "d", true, time.Minute, time.Hour)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				} else if ours {
					begun++
				}
			})
		}
		wg.Wait()
		if begun != 1 {
			t.Errorf("%d began", begun)
		}
	})
}

func TestWhatMustNotBeDoneTwiceIsNotTakenOver(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		begin := func(name string) (Answer, bool) {
			known, ours, err := f.BeginRequest(t.Context(), "a", name, "d", false, time.Minute, time.Hour)
			f.ok(err)
			return known, ours
		}
		begin("died")
		begin("failed")
		if known, ours := begin("died"); ours || known.Lost {
			t.Errorf("under way: %v %+v", ours, known)
		}
		f.ok(f.LoseRequest(t.Context(), "a", "failed"))
		if known, ours := begin("failed"); ours || !known.Lost {
			t.Errorf("failed: %v %+v", ours, known)
		}
		f.clock = f.clock.Add(2 * time.Minute)
		if known, ours := begin("died"); ours || !known.Lost {
			t.Errorf("its process died: %v %+v", ours, known)
		}
		f.ok(f.EndRequest(t.Context(), "a", "died", Answer{Status: 201}))
		if known, ours := begin("died"); ours || known.Lost || known.Status != 201 {
			t.Errorf("it was only slow: %v %+v", ours, known)
		}
	})
}
