// Package stage owns the step from received pages to staged Parquet: it checks each row against its
// dataset's contract, maps it to the family's columns, masks what may not be kept, tells repeated
// rows, accounts for every row in a ledger, and commits rows, refused rows and cursor as one entry of
// the dataset's chain. It refuses to decide what a row means for an entity (settle does) and to keep
// anything raw. Pages come from a connector; Parquet goes to settle, and refused rows to
// internal/quarantine.
package stage

import (
	"context"
	"fmt"
	"iter"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Lake is the part of the lake that staging needs.
type Lake interface {
	// Head gives the newest entry of a chain, N 0 when it is empty.
	Head(ctx context.Context, chainName string) (chain.Entry, error)
	Entry(ctx context.Context, chainName string, n int64) (chain.Entry, error)
	// Put stores a local file as a data object and removes the file.
	Put(ctx context.Context, o chain.Object) (chain.File, error)
	// Local gives a path whose bytes are the file's.
	Local(ctx context.Context, f chain.File) (string, error)
	// Commit makes the draft the chain's next entry, or answers Conflict when the head moved.
	Commit(ctx context.Context, d chain.Draft) (chain.Entry, error)
	TempDir() string
}

// Stager stages pulls. Its fields are set before first use; it may run several datasets at once.
type Stager struct {
	Lake  Lake
	Words Words
	Now   func() time.Time

	// HashKey keys the hash that stands beside a masked person field; empty: no hash is kept.
	HashKey []byte
}

// Pull says what is being staged.
type Pull struct {
	Run    string            // id of the run; with Before it names the piece of work
	Before connectors.Cursor // the place the pages begin after; it must be where the chain stands
	// ByHand marks a file brought by a person: it begins where the chain stands and leaves the
	// source's cursor there.
	ByHand bool
	// Source names the connection that the pages come from; empty for a file brought by a person. What
	// a source brought, only that source can take away by leaving it out.
	Source string
	// Window is the part of the source that is read again: the cursor stays where it is, and each
	// window of a run is a piece of work of its own. Nil: the pull goes on from the cursor.
	Window *connectors.Window
	// Judge is told what a pull came to, before anything is committed, and says what that means; nil:
	// only that a pull with rows is committed.
	Judge func(Came) Judgement
	// CollectedOn is the day on which the sending platform had collected these rows, for the declared
	// first load of its stock; zero: the day of the clock.
	CollectedOn catalog.Date
	// OnReject is told of each refused row, in order; may be nil.
	OnReject func(Reject)

	mending *mending // of Correct: the refused rows that these rows stand for
}

// Came is what a pull came to.
type Came struct {
	Head   chain.Entry // that the commit will follow
	Ledger chain.Ledger
	Whole  bool          // it gave everything that the source holds now
	Drift  []chain.Drift // in what the source departed from the contract
}

// Judgement is what a pull means for its feed.
type Judgement struct {
	Feeds  map[string]chain.Feed // of the chain, from this commit on; nil: as the head has them
	Commit bool                  // there is something to keep even if no row came
	Held   bool                  // what the pull leaves out is not believed to be gone
}

// Result is what became of a pull.
type Result struct {
	Entry    chain.Entry // the commit; N 0 when the source had nothing and nothing was committed
	Ledger   chain.Ledger
	Files    []FileLedger     // by origin, in order of appearance; empty when the work had been done before
	Reasons  map[string]int64 // refused rows by reason code
	Warnings map[string]int64 // accepted rows by warning about their code, such as USCC_NORMALISED
	Unknown  []string         // source columns that the contract does not know
	Drift    []chain.Drift    // in what the source departs from the contract; empty when the work had been done before
	Done     bool             // an earlier attempt had committed this very work
	Whole    bool             // the pull gave everything that the source holds now
	Gone     int64            // records that a whole pull no longer has and that ended with this commit
	Absent   int64            // those that wait because the feed is on hold
	Unjudged int64            // rows that could not be told by their key and so may be any record that is missing
}

// Run stages the pages of one pull as one commit: all of it becomes visible, or nothing. A pull
// without a row, and without an item that its source wants acknowledged, such as a file with nothing
// but a header, commits nothing and leaves the cursor. The same run and cursor are committed once; a
// chain that has moved on since Before answers Conflict, and the work is dropped.
func (s *Stager) Run(ctx context.Context, ds catalog.Dataset, pages iter.Seq2[connectors.Page, error], p Pull) (Result, error) {
	op := "stage " + ds.ID
	c, err := compile(ds, s.Words)
	if err != nil {
		return Result{}, err
	}
	head, err := s.Lake.Head(ctx, chain.Stage(ds.ID))
	if err != nil {
		return Result{}, err
	}
	at := connectors.Cursor("")
	if head.Cursor != nil {
		at = connectors.Cursor(head.Cursor.After)
	}
	intent := chain.Intent("stage", p.Run, string(p.Before))
	switch {
	case p.ByHand:
		p.Before, intent = at, chain.Intent("stage", p.Run)
	case p.Window != nil:
		intent = chain.Intent("stage", p.Run, "window", p.Window.From, p.Window.Until)
	}
	if done, ok, err := s.committed(ctx, head, intent); ok || err != nil {
		return done, err
	}
	if p.Before != at {
		return Result{}, &fault.Error{Op: op, Code: fault.Conflict, Err: fmt.Errorf("the pull began at another place than commit %d ended", head.N),
			Hint: "another run took these rows; pull again from the chain's cursor"}
	}
	if err := p.mending.current(op, head); err != nil {
		return Result{}, err
	}
	fault.At(fault.BeforeObjects)

	b, err := s.begin(c, p, head)
	if err != nil {
		return Result{}, &fault.Error{Op: op, Code: fault.Internal, Err: err}
	}
	defer b.discard()
	for page, err := range pages {
		if err != nil {
			return Result{}, err
		}
		if err := b.page(ctx, page); err != nil {
			return Result{}, asFault(op, err)
		}
	}
	files, err := b.finish(ctx)
	if err != nil {
		return Result{}, asFault(op, err)
	}
	result := b.result()
	if result.Drift, err = b.drifts.found(); err != nil {
		return result, err
	}
	result.Whole = b.whole
	if err := result.Ledger.Check(); err != nil {
		return result, &fault.Error{Op: op, Code: fault.Invalid, Err: err,
			Hint: "nothing was committed; pull again, and if it stays so ask the platform how it counts"}
	}
	var judged Judgement
	if p.Judge != nil {
		judged = p.Judge(Came{Head: head, Ledger: result.Ledger, Whole: b.whole, Drift: result.Drift})
	}
	left, err := b.departures(ctx, &result, judged.Held)
	if err != nil {
		return Result{}, asFault(op, err)
	}
	if result.Ledger.Read == 0 && len(left) == 0 && !judged.Commit && len(files) == 0 {
		return result, nil
	}
	cursor := &chain.Cursor{Before: string(p.Before), After: string(b.next)}
	if p.ByHand || p.Window != nil {
		cursor.After = cursor.Before
	}
	result.Entry, err = s.Lake.Commit(ctx, chain.Draft{
		Base: head, Files: append(files, left...), Keep: b.keeps,
		Entry: chain.Entry{
			Chain: chain.Stage(ds.ID), Intent: intent, Run: p.Run, ContractSHA256: ds.SHA256,
			Cursor: cursor, Ledger: &result.Ledger, Feeds: judged.Feeds,
		},
	})
	return result, err
}

// recent is how far back an attempt looks for itself: commits that others made while it was down.
const recent = 8

// committed finds the commit of an earlier attempt at the same work.
func (s *Stager) committed(ctx context.Context, head chain.Entry, intent string) (Result, bool, error) {
	e := head
	for e.N > 0 {
		if e.Intent == intent {
			result := Result{Entry: e, Done: true}
			if e.Ledger != nil {
				result.Ledger = *e.Ledger
			}
			return result, true, nil
		}
		if e.N == 1 || e.N <= head.N-recent+1 {
			break
		}
		older, err := s.Lake.Entry(ctx, head.Chain, e.N-1)
		if fault.Is(err, fault.NotFound) { // older entries have been collected
			break
		}
		if err != nil {
			return Result{}, false, err
		}
		e = older
	}
	return Result{}, false, nil
}

// asFault gives an error of the house its own way and names the step for any other.
func asFault(op string, err error) error {
	if fault.CodeOf(err) != fault.Internal {
		return err
	}
	return &fault.Error{Op: op, Code: fault.Internal, Err: err}
}
