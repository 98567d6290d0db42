package desk

import (
	"context"
	"sync"
	"time"
)

// holder lets whoever asks go on with the thing they have while another takes its place.
type holder[T interface{ Close() error }] struct {
	opening sync.Mutex // one is opened at a time
	mu      sync.RWMutex
	thing   T
	seq     int64 // the settled snapshot it reads
	policy  string
	opened  time.Time // by the machine's clock: paths of the lake are good for an hour
	filled  bool
}

// opener opens a thing and says which settled snapshot it reads.
type opener[T any] func(context.Context) (T, int64, error)

// with lends the thing. Where there is none that knows the snapshot least, one is opened first.
func (h *holder[T]) with(ctx context.Context, least int64, open opener[T], use func(T) error) error {
	if !h.knows(least) {
		h.opening.Lock()
		if !h.knows(least) {
			if err := h.open(ctx, open); err != nil {
				h.opening.Unlock()
				return err
			}
		}
		h.opening.Unlock()
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	return use(h.thing)
}

func (h *holder[T]) knows(seq int64) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.filled && h.seq >= seq
}

// renew opens the thing anew where it is behind the head, or old.
func (h *holder[T]) renew(ctx context.Context, head int64, open opener[T]) error {
	h.opening.Lock()
	defer h.opening.Unlock()
	h.mu.RLock()
	due := !h.filled || h.seq < head || time.Since(h.opened) > stale
	h.mu.RUnlock()
	if !due {
		return nil
	}
	return h.open(ctx, open)
}

// open puts a fresh thing in the place of the one before, which is closed when nobody uses it any more.
func (h *holder[T]) open(ctx context.Context, open opener[T]) error {
	fresh, seq, err := open(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	old, had := h.thing, h.filled
	h.thing, h.seq, h.filled, h.opened = fresh, seq, true, time.Now()
	if had {
		return old.Close()
	}
	return nil
}
