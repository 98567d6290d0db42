package pipelines

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/pipelines/stage"
)

// Pulled is what became of one dataset.
type Pulled struct {
	Source, Dataset string
	Result          stage.Result
	Err             error
}

// Pull pulls and stages the chosen datasets of the chosen sources, sources side by side, the
// datasets of one source one after another. A dataset that several sources carry is pulled from one
// of them at a time, because its chain takes one commit after another. A dataset that fails does not
// hold up the next.
func (p *Pipeline) Pull(ctx context.Context, c Choice) ([]Pulled, error) {
	var (
		mu    sync.Mutex
		pulls []Pulled
		group errgroup.Group
	)
	group.SetLimit(max(p.Parallel, 1))
	turns := map[string]*sync.Mutex{}
	for _, source := range p.Sources {
		for id := range source.Datasets {
			turns[id] = &sync.Mutex{}
		}
	}
	for _, source := range p.Sources {
		if c.Source != "" && c.Source != source.Name {
			continue
		}
		group.Go(func() error {
			for pulled := range p.pullSource(ctx, source, c, turns) {
				mu.Lock()
				pulls = append(pulls, pulled)
				mu.Unlock()
			}
			return nil
		})
	}
	_ = group.Wait() // faults are in the pulls
	slices.SortFunc(pulls, func(a, b Pulled) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Dataset, b.Dataset))
	})
	var errs []error
	for _, pulled := range pulls {
		errs = append(errs, pulled.Err)
	}
	return pulls, errors.Join(append(errs, ctx.Err())...)
}

// pullSource opens one source and yields what became of each of its datasets.
func (p *Pipeline) pullSource(ctx context.Context, source Source, c Choice, turns map[string]*sync.Mutex) iter.Seq[Pulled] {
	return func(yield func(Pulled) bool) {
		var chosen []string
		for _, id := range slices.Sorted(maps.Keys(source.Datasets)) {
			if c.dataset(id) {
				chosen = append(chosen, id)
			}
		}
		if len(chosen) == 0 {
			return
		}
		conn, err := p.open(ctx, source.Kind, source.Values)
		if err != nil {
			yield(Pulled{Source: source.Name, Err: fmt.Errorf("source %s: %w", source.Name, err)})
			return
		}
		defer func() { _ = conn.Close() }() // everything read was checked as it came
		for _, id := range chosen {
			if ctx.Err() != nil {
				return
			}
			turns[id].Lock()
			pulled := Pulled{Source: source.Name, Dataset: id}
			if pulled.Result, err = p.pullDataset(ctx, source, conn, id); err != nil {
				pulled.Err = fmt.Errorf("source %s: %w", source.Name, err)
			}
			turns[id].Unlock()
			if !yield(pulled) {
				return
			}
		}
	}
}

func (p *Pipeline) open(ctx context.Context, kind string, values connectors.Values) (connectors.Conn, error) {
	driver, ok := p.Drivers[kind]
	if !ok {
		return nil, &fault.Error{Op: "open a connection", Code: fault.Invalid, Err: fmt.Errorf("there is no connector kind %q", kind),
			Hint: "kinds are restapi, dbtable and files"}
	}
	return driver.Open(ctx, values)
}

// pullDataset is one run: pages from where the chain stands, one commit, one acknowledgement.
func (p *Pipeline) pullDataset(ctx context.Context, source Source, conn connectors.Conn, id string) (result stage.Result, err error) {
	ds, ok := p.Catalog.Dataset(id)
	if !ok {
		return result, &fault.Error{Op: "pull " + id, Code: fault.NotFound, Err: errors.New("the catalogue has no such dataset"), Hint: "see xinshu catalog list"}
	}
	puller, ok := conn.(connectors.Puller)
	if !ok {
		return result, fault.Newf(fault.Invalid, "pull "+id, "a connection of kind %s cannot pull", source.Kind)
	}
	job := connectors.Job{Dataset: ds, Values: source.Datasets[id]}
	head, err := p.Heads.Head(ctx, chain.Stage(id))
	if err != nil {
		return result, err
	}
	if err := p.acknowledge(ctx, conn, job, head); err != nil { // what a killed run committed and did not acknowledge
		return result, err
	}
	places, err := readCursors(head)
	if err != nil {
		return result, err
	}
	var before connectors.Cursor
	if head.Cursor != nil {
		before = connectors.Cursor(head.Cursor.After)
	}
	collected := source.Collected
	if _, again := places[source.Name]; again {
		collected = catalog.NoDate // only a first load is stock
	}
	err = p.recorded(ctx, "pull", id, func(run string) (chain.Run, string, error) {
		var err error
		pages := places.pages(source.Name, puller.Pull(ctx, job, places[source.Name]))
		result, err = p.Stager.Run(ctx, ds, pages, stage.Pull{Run: run, Before: before, CollectedOn: collected})
		done := chain.Run{Ledger: result.Ledger}
		if result.Entry.N > 0 {
			done.Chain, done.N = result.Entry.Chain, result.Entry.N
		}
		l := result.Ledger
		return done, fmt.Sprintf("read %d, accepted %d, duplicate %d, quarantined %d, skipped %d", l.Read, l.Accepted, l.Duplicate, l.Quarantined, l.Skipped), err
	})
	if err != nil {
		return result, err
	}
	return result, p.acknowledge(ctx, conn, job, result.Entry)
}

// acknowledge tells the source what the commit took, once; a repetition after a kill is harmless. Run
// state remembers it, so that a source is not asked to look through the same handles at every pull.
func (p *Pipeline) acknowledge(ctx context.Context, conn connectors.Conn, job connectors.Job, e chain.Entry) error {
	acker, ok := conn.(connectors.Acker)
	if !ok || e.N == 0 || len(e.Since(stage.TakenTable, e.N-1)) == 0 {
		return nil
	}
	ack := chain.Run{ID: fmt.Sprintf("%s-ack-%s", e.Run, job.Dataset.ID), Step: "acknowledge", Subject: job.Dataset.ID, Started: p.Now(), Ended: p.Now(), Status: "done"}
	switch done, err := p.Runs.Run(ctx, ack.ID); {
	case err == nil && done.Status == "done":
		return nil
	case err != nil && !fault.Is(err, fault.NotFound):
		return err
	}
	if err := acker.Ack(ctx, job, p.Stager.Taken(ctx, e)); err != nil {
		return fmt.Errorf("acknowledge %s: %w", job.Dataset.ID, err)
	}
	fault.At(fault.AfterAck)
	return p.Runs.SaveRun(ctx, ack)
}
