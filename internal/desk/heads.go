package desk

import (
	"context"
	"sync"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// heads remembers the newest entry of each chain that a page was made of. A store is asked over the
// network for each entry, and a page looks at a hundred chains; which entry is the newest is known to run
// state, whoever committed it, and to this process, when it committed it itself. An entry never changes
// under its number. Orders, and what is opened to be read from, ask the log.
type heads struct {
	mu      sync.Mutex
	entries map[string]chain.Entry
}

// head gives the newest entry of a chain, to show; N is 0 when the chain is empty.
func (d *Desk) head(ctx context.Context, name string) (chain.Entry, error) {
	_, n, err := d.State.Cursor(ctx, name)
	if err != nil {
		return chain.Entry{}, err
	}
	return d.entryOf(ctx, name, n)
}

// headsNow reads once which entries are the newest, and gives them as they are asked for.
func (d *Desk) headsNow(ctx context.Context) (func(name string) (chain.Entry, error), error) {
	taken, err := d.State.Heads(ctx)
	if err != nil {
		return nil, err
	}
	return func(name string) (chain.Entry, error) { return d.entryOf(ctx, name, taken[name]) }, nil
}

func (d *Desk) entryOf(ctx context.Context, name string, n int64) (chain.Entry, error) {
	n = max(n, d.Lake.Seen(name)) // run state is told of a commit a moment after it
	if n == 0 {
		return chain.Entry{Chain: name}, nil
	}
	h := &d.kept.heads
	h.mu.Lock()
	known := h.entries[name]
	h.mu.Unlock()
	if known.N == n {
		return known, nil
	}
	e, err := d.Lake.Entry(ctx, name, n)
	if fault.Is(err, fault.NotFound) { // taken back to an older copy
		e, err = d.Lake.Head(ctx, name)
	}
	if err != nil {
		return chain.Entry{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.entries == nil {
		h.entries = map[string]chain.Entry{}
	}
	h.entries[name] = e
	return e, nil
}

// shown is the lake for what is only shown: its heads are those that the desk remembers.
type shown struct{ desk *Desk }

func (s shown) Head(ctx context.Context, name string) (chain.Entry, error) {
	return s.desk.head(ctx, name)
}

func (s shown) Local(ctx context.Context, f chain.File) (string, error) {
	return s.desk.Lake.Local(ctx, f)
}
