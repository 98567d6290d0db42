package lineage

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"xinshu/internal/chain"
)

// Sink takes events, one JSON document each.
type Sink interface {
	Write(ctx context.Context, event []byte) error
	Close() error
}

// Writer makes events of runs and hands them on in the background. Its fields are set once, before Start.
type Writer struct {
	Namespace string // of our jobs; also begins the names of sources and targets
	Lake      string // namespace of the chains
	Producer  string // URI that names this program and its version
	Columns   func(dataset string) []Column
	Entry     func(ctx context.Context, chainName string, n int64) (chain.Entry, error)
	Sink      Sink
	Failed    func(err error) // told of an event that was dropped; may be nil

	queue   chan chain.Run
	done    chan struct{}
	open    sync.RWMutex // writers of the queue against its end
	closed  bool
	dropped atomic.Int64
}

// queued bounds what waits for a slow endpoint.
const queued = 1000

// writeWithin bounds one event, its retries included.
const writeWithin = 30 * time.Second

// Start begins to write.
func (w *Writer) Start() *Writer {
	w.queue, w.done = make(chan chain.Run, queued), make(chan struct{})
	go func() {
		defer close(w.done)
		for r := range w.queue {
			if err := w.write(r); err != nil {
				w.drop(err)
			}
		}
	}()
	return w
}

// Saw takes a run as it stands. It never waits: when the queue is full the event is dropped.
func (w *Writer) Saw(r chain.Run) {
	w.open.RLock()
	defer w.open.RUnlock()
	if w.closed {
		w.drop(errFull)
		return
	}
	select {
	case w.queue <- r:
	default:
		w.drop(errFull)
	}
}

// Dropped counts the events that were lost.
func (w *Writer) Dropped() int64 { return w.dropped.Load() }

func (w *Writer) drop(err error) {
	w.dropped.Add(1)
	if w.Failed != nil {
		w.Failed(err)
	}
}

func (w *Writer) write(r chain.Run) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
	defer cancel()
	var entry chain.Entry
	if r.Chain != "" && r.Status == "done" && w.Entry != nil {
		// The commit may be gone by the retention rule when the queue was long: then less is said.
		entry, _ = w.Entry(ctx, r.Chain, r.N)
	}
	body, err := json.Marshal(w.event(r, entry))
	if err != nil {
		return err
	}
	return w.Sink.Write(ctx, body)
}

// Close writes what waits, at most so long, and lets go of the sink. No run may be handed over after it.
func (w *Writer) Close(within time.Duration) error {
	w.open.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.open.Unlock()
	select {
	case <-w.done:
	case <-time.After(within):
		w.drop(errFull)
	}
	return w.Sink.Close()
}
