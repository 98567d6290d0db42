package audit

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"xinshu/internal/auth"
)

// held is a store whose first writer waits until it is let go.
type held struct {
	mu      sync.Mutex
	batches []int
	entered chan struct{}
	leave   chan struct{}
	fails   error
}

func (h *held) AppendEntries(_ context.Context, entries []*Entry) error {
	h.mu.Lock()
	h.batches = append(h.batches, len(entries))
	first := len(h.batches) == 1
	h.mu.Unlock()
	if first {
		close(h.entered)
		<-h.leave
	}
	return h.fails
}

func (h *held) Entries(context.Context, Filter) ([]Entry, error) { return nil, nil }
func (h *held) Chain(context.Context, func(Root, Head, iter.Seq2[Entry, error]) error) error {
	return nil
}
func (h *held) CutEntries(context.Context, Root) error { return nil }

// waiting gives how many acts stand in line.
func (t *Trail) waiting() int {
	t.queue.mu.Lock()
	defer t.queue.mu.Unlock()
	return len(t.queue.waiting)
}

func TestActsThatComeWhileOneIsWrittenAreWrittenTogether(t *testing.T) {
	for what, fails := range map[string]error{"kept": nil, "not kept": errors.New("the disk is full")} {
		h := &held{entered: make(chan struct{}), leave: make(chan struct{}), fails: fails}
		trail := New(h, nil, time.Now)
		const acts = 450
		var (
			all  sync.WaitGroup
			mu   sync.Mutex
			told int
		)
		record := func() {
			err := trail.Record(t.Context(), auth.Act{Action: "a"})
			mu.Lock()
			defer mu.Unlock()
			if told++; !errors.Is(err, fails) {
				t.Errorf("%s: an act is told %v", what, err)
			}
		}
		all.Go(record)
		<-h.entered
		for range acts {
			all.Go(record)
		}
		for trail.waiting() < acts { // they come by themselves
			runtime.Gosched()
		}
		close(h.leave)
		all.Wait()
		if !slices.Equal(h.batches, []int{1, 200, 200, 50}) || told != acts+1 {
			t.Errorf("%s: written as %v, %d told", what, h.batches, told)
		}
	}
}

func TestACellIsNoFormula(t *testing.T) {
	for cell, want := range map[string]string{"": "", "a": "a", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx"} {
		if got := harmless(cell); got != want {
			t.Errorf("%q is written %q", cell, got)
		}
	}
}
