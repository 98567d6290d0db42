package pipelines

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"sync"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/pipelines/stage"
)

// Posts is what run state knows of batches that departments posted.
type Posts interface {
	// FollowChain takes in what a chain holds beyond what this database knows.
	FollowChain(ctx context.Context, name string) error
	// FinishedRun gives the run whose id begins so and that came to its end.
	FinishedRun(ctx context.Context, prefix string) (r chain.Run, found bool, err error)
}

// Batch is what a department posted, already proven to be its own.
type Batch struct {
	Source   string
	Dataset  catalog.Dataset
	No       string // the department's number of it; with source and dataset its name for ever
	Digest   string // hex, of its bytes: the same number with other bytes is another batch
	Total    *int64 // rows it says it has
	File     string // its bytes
	Format   string // json, jsonl or csv
	Encoding string
}

// Received is what became of a batch: the same every time it is asked for.
type Received struct {
	Run      string
	Ledger   chain.Ledger
	Refused  []stage.RefusedRow // the first of them
	Repeated bool               // it had been taken before; nothing was staged again
}

// refusedShown is how many refused rows a receipt names; the counts are of all.
const refusedShown = 10_000

// batchTries is how often a batch begins again because another commit came between.
const batchTries = 8

// Receive stages a posted batch as one commit and gives its receipt. The run's id is made of source,
// dataset and batch number, and of the bytes: the commit carries it, so a batch posted again after a
// kill is found in the log, whatever the process that died could still write down. What is told of
// refused rows is read back from the commit, the first time as every later one. Posts of one dataset
// take turns.
func (p *Pipeline) Receive(ctx context.Context, b Batch) (Received, error) {
	op := "receive " + b.Dataset.ID
	prefix := "receive-" + chain.Intent(b.Source, b.Dataset.ID, b.No)[:32] + "-"
	run := prefix + b.Digest[:16]
	leave, err := p.posts.enter(ctx, b.Dataset.ID)
	if err != nil {
		return Received{}, err
	}
	defer leave()
	for try := 1; ; try++ {
		if err := p.Posts.FollowChain(ctx, chain.Stage(b.Dataset.ID)); err != nil {
			return Received{}, err
		}
		done, found, err := p.Posts.FinishedRun(ctx, prefix)
		if err != nil {
			return Received{}, err
		}
		if found && done.ID != run {
			return Received{}, &fault.Error{Op: op, Code: fault.Conflict, Err: fmt.Errorf("batch %s was taken with other content", b.No),
				Hint: "give the new content a batch number of its own"}
		}
		if found {
			return p.received(ctx, b, done, true)
		}
		done, err = p.takeBatch(ctx, b, run)
		if fault.Is(err, fault.Conflict) && try < batchTries {
			continue // a pull or another hub committed to the chain in between
		}
		if err != nil {
			return Received{}, err
		}
		return p.received(ctx, b, done, false)
	}
}

func (p *Pipeline) takeBatch(ctx context.Context, b Batch, run string) (done chain.Run, err error) {
	conn, err := p.open(ctx, "files", connectors.Values{"place": "folder", "root": filepath.Dir(b.File)})
	if err != nil {
		return done, err
	}
	defer func() { _ = conn.Close() }() // only read from
	puller, ok := conn.(connectors.Puller)
	if !ok {
		return done, fault.Newf(fault.Internal, "receive "+b.Dataset.ID, "the kind files cannot pull")
	}
	job := connectors.Job{Dataset: b.Dataset, Values: connectors.Values{"pattern": filepath.Base(b.File), "format": b.Format, "encoding": b.Encoding}}
	err = p.recordedAs(ctx, chain.Run{ID: run, Step: "receive", Subject: b.Dataset.ID, Source: b.Source}, func(string) (chain.Run, string, error) {
		result, err := p.Stager.Run(ctx, b.Dataset, b.pages(puller.Pull(ctx, job, "")), stage.Pull{Run: run, ByHand: true, Source: b.Source})
		done = stagedRun(result)
		done.ID = run
		return done, pullNote(result, chain.Feed{}), err
	})
	return done, err
}

// pages names rows by their batch instead of the file that its bytes lie in for a moment, and
// declares the batch's total.
func (b Batch) pages(pages iter.Seq2[connectors.Page, error]) iter.Seq2[connectors.Page, error] {
	return func(yield func(connectors.Page, error) bool) {
		for page, err := range pages {
			page.Origin.File = b.Source + "/" + b.No
			if page.Declared = nil; b.Total != nil {
				page.Declared = b.Total
			}
			page.Whole = false // a batch is what a department has to say, not everything it holds
			if !yield(page, err) {
				return
			}
		}
	}
}

// received makes the receipt of a batch from what was committed.
func (p *Pipeline) received(ctx context.Context, b Batch, done chain.Run, repeated bool) (Received, error) {
	r := Received{Run: done.ID, Ledger: done.Ledger, Repeated: repeated}
	if done.N == 0 || done.Ledger.Quarantined == 0 {
		return r, nil
	}
	head, err := p.Heads.Head(ctx, chain.Stage(b.Dataset.ID))
	if err != nil {
		return r, err
	}
	for row, err := range p.Stager.Refused(ctx, head, done.N) {
		if err != nil {
			return r, err
		}
		if r.Refused = append(r.Refused, row); len(r.Refused) == refusedShown {
			break
		}
	}
	return r, nil
}

// turns let one post of a dataset in at a time.
type turns struct {
	mu   sync.Mutex
	busy map[string]chan struct{}
}

func (t *turns) enter(ctx context.Context, dataset string) (leave func(), err error) {
	t.mu.Lock()
	if t.busy == nil {
		t.busy = map[string]chan struct{}{}
	}
	turn, ok := t.busy[dataset]
	if !ok {
		turn = make(chan struct{}, 1)
		t.busy[dataset] = turn
	}
	t.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, &fault.Error{Op: "receive " + dataset, Code: fault.Unavailable, Hint: "other batches of this dataset were still being taken; post it again", Err: ctx.Err()}
	}
}
