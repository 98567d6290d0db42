package audit

import (
	"context"
	"sync"
)

// queue lets acts that come while another is being written go to the disk together: one transaction for
// all of them, so that a busy API does not wait in line for as many.
type queue struct {
	mu      sync.Mutex
	waiting []*batched
	writing bool
}

type batched struct {
	entry *Entry
	done  chan error
}

// mostAtOnce bounds one transaction.
const mostAtOnce = 200

// append keeps an entry and returns when it is kept. Who finds nobody writing writes, for all who come
// meanwhile too.
func (q *queue) append(ctx context.Context, store Store, e *Entry) error {
	b := &batched{entry: e, done: make(chan error, 1)}
	q.mu.Lock()
	q.waiting = append(q.waiting, b)
	lead := !q.writing
	q.writing = true
	q.mu.Unlock()
	if lead {
		// Its own context may end while others' entries are in the same transaction.
		go q.write(context.WithoutCancel(ctx), store)
	}
	return <-b.done
}

func (q *queue) write(ctx context.Context, store Store) {
	for {
		q.mu.Lock()
		n := min(len(q.waiting), mostAtOnce)
		if n == 0 {
			q.writing = false
			q.mu.Unlock()
			return
		}
		batch := q.waiting[:n:n]
		q.waiting = q.waiting[n:]
		q.mu.Unlock()
		entries := make([]*Entry, n)
		for i, b := range batch {
			entries[i] = b.entry
		}
		err := store.AppendEntries(ctx, entries)
		for _, b := range batch {
			b.done <- err
		}
	}
}
