package chain

import "context"

// Holder is the task on whose behalf work is done: one that a node holds under a lease. The zero Holder
// is work that nobody leased, a command of a person.
type Holder struct {
	Task  string
	Fence int64                           // grows with every lease and lock that is given
	Held  func(ctx context.Context) error // fails when the lease is lost; nil: nothing can be lost
	Began func(run string)                // is told of each run that is begun; may be nil
	Told  func(note string)               // is told in words how far the work is; may be nil
	Came  func(note string)               // is told in words what a run came to; may be nil
}

type holderKey struct{}

// Held gives a context in which work is done on behalf of a task.
func Held(ctx context.Context, h Holder) context.Context {
	return context.WithValue(ctx, holderKey{}, h)
}

// HolderOf gives the task on whose behalf a context's work is done.
func HolderOf(ctx context.Context) Holder {
	h, _ := ctx.Value(holderKey{}).(Holder)
	return h
}

// StillHeld fails when the task that the work belongs to is another's by now. It is asked right before
// anything is made durable.
func StillHeld(ctx context.Context) error {
	if h := HolderOf(ctx); h.Held != nil {
		return h.Held(ctx)
	}
	return nil
}
