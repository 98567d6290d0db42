package lake

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// readBackLimit is how long a read-back may take. It runs on after the caller gave up, because
// whether the commit happened is worth knowing.
const readBackLimit = 20 * time.Second

func (l *Lake) readBack(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), readBackLimit)
}

// Commit makes a draft the next entry of its chain. If an entry with the draft's intent is among the
// newest, that one is the answer and nothing is written. If the chain moved on since the draft's
// base, or another writer takes the number, the answer is a conflict: the step reads the new head and
// does its work again, or drops it.
func (l *Lake) Commit(ctx context.Context, d chain.Draft) (chain.Entry, error) {
	name := d.Entry.Chain
	op := "commit to " + name
	if err := checkDraft(d); err != nil {
		return chain.Entry{}, &fault.Error{Op: op, Code: fault.Invalid, Err: err}
	}
	head, err := l.Head(ctx, name)
	if err != nil {
		return chain.Entry{}, failed(op, err)
	}
	if done, ok, err := l.findFrom(ctx, head, d.Entry.Intent); ok || err != nil {
		return done, failed(op, err)
	}
	if head.N != d.Base.N || head.SHA256 != d.Base.SHA256 {
		return chain.Entry{}, fault.Newf(fault.Conflict, op, "the work was done on entry %d, the newest is %d", d.Base.N, head.N)
	}
	if err := l.fresh(d.Entry); err != nil {
		return chain.Entry{}, &fault.Error{Op: op, Code: fault.Conflict, Err: err,
			Hint: "its objects may be collected before the commit is read; run the step again"}
	}
	// A holder with a smaller number lost what it held to one that has committed since. Work that nobody
	// leased carries the number on, so that it grows along the chain.
	holder := chain.HolderOf(ctx)
	if holder.Fence > 0 && holder.Fence < head.Fence {
		return chain.Entry{}, fault.Newf(fault.Conflict, op, "it is fenced off: the work has number %d, entry %d was written under %d", holder.Fence, head.N, head.Fence)
	}
	d.Entry.Fence = max(holder.Fence, head.Fence)
	e, err := l.next(d, head)
	if err != nil {
		return chain.Entry{}, &fault.Error{Op: op, Code: fault.Conflict, Err: err}
	}
	logged := e
	if logged.Manifests, logged.Files, err = l.fold(ctx, e, head); err != nil {
		return chain.Entry{}, failed(op, err)
	}
	body, err := canonical(logged)
	if err != nil {
		return chain.Entry{}, &fault.Error{Op: op, Code: fault.Invalid, Err: err}
	}
	e.Manifests, e.SHA256 = logged.Manifests, hashOf(body)

	fault.At(fault.AfterObjects)
	if err := chain.StillHeld(ctx); err != nil {
		return chain.Entry{}, fmt.Errorf("%s: %w", op, err)
	}
	winner, err := l.putEntry(ctx, e, body)
	if err != nil {
		return chain.Entry{}, failed(op, err)
	}
	fault.At(fault.AfterLog)
	l.forget(e)
	l.saw(winner)
	if winner.CommitID == e.CommitID {
		return e, nil
	}
	if winner.Intent == e.Intent { // another node did the same work a moment earlier
		return l.Entry(ctx, name, winner.N)
	}
	return chain.Entry{}, fault.Newf(fault.Conflict, op, "entry %d was written by node %q, run %s", winner.N, winner.Node, winner.Run)
}

// putEntry writes a log entry and gives the entry that stands under its number afterwards. minio-go
// repeats a PUT that got a 503 and then reports 412 for its own write, so the answer alone proves
// nothing: the commit id of what is there does.
func (l *Lake) putEntry(ctx context.Context, e chain.Entry, body []byte) (chain.Entry, error) {
	err := l.store.Put(ctx, logKey(e.Chain, e.N), body)
	if err == nil {
		return e, nil
	}
	if !isNotDone(err) {
		return chain.Entry{}, err
	}
	ctx, cancel := l.readBack(ctx)
	defer cancel()
	there, gone := l.entry(ctx, e.Chain, e.N)
	switch {
	case errors.Is(gone, ErrAbsent): // not written, as far as can be seen; if it comes late, its intent is found
		return chain.Entry{}, err
	case gone != nil:
		return chain.Entry{}, fmt.Errorf("%w; reading back: %w", err, gone)
	}
	return there, nil
}

// next is the draft as the entry after head.
func (l *Lake) next(d chain.Draft, head chain.Entry) (chain.Entry, error) {
	e := d.Entry
	e.Format, e.N, e.ParentSHA256 = entryFormat, head.N+1, head.SHA256
	e.Node, e.Engine, e.WrittenAt = l.node, l.engine, l.now().UTC().Format(time.RFC3339)
	if e.CommitID == "" {
		e.CommitID = newID()
	}
	if e.Inputs == nil {
		e.Inputs = []chain.Input{}
	}
	e.Files = []chain.File{}
	for _, f := range head.Files {
		if d.Keep == nil || d.Keep(f) {
			e.Files = append(e.Files, f)
		}
	}
	for _, f := range d.Files {
		f.N = e.N
		e.Files = append(e.Files, f)
	}
	// The cursor in the log is the truth about what was taken: a commit without one (a file loaded by
	// hand) carries the head's on, and one that began elsewhere would skip or repeat rows.
	if strings.HasPrefix(e.Chain, chain.Stage("")) {
		var at string
		if head.Cursor != nil {
			at = head.Cursor.After
		}
		if e.Feeds == nil {
			e.Feeds = head.Feeds
		}
		if e.Cursor == nil {
			e.Cursor = &chain.Cursor{Before: at, After: at}
		}
		if e.Cursor.Before != at {
			return e, fmt.Errorf("the pull began at another cursor than the head's")
		}
	}
	return e, nil
}

func checkDraft(d chain.Draft) error {
	if d.Entry.Chain == "" || d.Entry.Intent == "" {
		return fmt.Errorf("a draft names its chain and its intent")
	}
	if d.Base.Chain != "" && d.Base.Chain != d.Entry.Chain {
		return fmt.Errorf("the base is an entry of %s", d.Base.Chain)
	}
	if d.Entry.Ledger != nil {
		if err := d.Entry.Ledger.Check(); err != nil {
			return err
		}
	}
	var keys []string
	for _, f := range d.Files {
		if !strings.HasPrefix(f.Key, "data/"+d.Entry.Chain+"/") || len(f.SHA256) != 64 {
			return fmt.Errorf("%q is no object of this chain", f.Key)
		}
		keys = append(keys, f.Key)
	}
	slices.Sort(keys)
	if len(slices.Compact(keys)) != len(d.Files) {
		return fmt.Errorf("a file is listed twice")
	}
	return nil
}

// newID is a random UUID, version 4.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand stops the process instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
