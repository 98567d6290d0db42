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
	Result          stage.Result // of a stretch read again: all its slices together
	Slices          int          // of a stretch read again: how many were read; the others had been before
	Feed            chain.Feed   // as it stands after the pull
	Err             error
}

// Quiet says that the source gave no row: a success, and never a silent one.
func (p Pulled) Quiet() bool { return p.Err == nil && p.Dataset != "" && p.Result.Ledger.Read == 0 }

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
	sources, err := p.AllSources(ctx)
	if err != nil {
		return nil, err
	}
	turns := map[string]*sync.Mutex{}
	for _, source := range sources {
		for id := range source.Datasets {
			turns[id] = &sync.Mutex{}
		}
	}
	for _, source := range sources {
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
			err = errors.Join(err, p.unreached(ctx, source.Name, chosen, err))
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
			pull := func(ctx context.Context) error { return p.pullDataset(ctx, source, conn, c, &pulled) }
			var err error
			if c.Around != nil {
				err = c.Around(ctx, source.Name, id, pull)
			} else {
				err = pull(ctx)
			}
			if err != nil {
				pulled.Err = fmt.Errorf("source %s: %w", source.Name, err)
			}
			turns[id].Unlock()
			if !yield(pulled) {
				return
			}
		}
	}
}

// unreached records that the pull of each dataset failed with its source, so that whoever asks how a
// feed stands is not told of the last pull that did well.
func (p *Pipeline) unreached(ctx context.Context, source string, datasets []string, cause error) error {
	status := "failed"
	if ctx.Err() != nil {
		status = "interrupted"
	}
	var errs []error
	for _, id := range datasets {
		now := p.Now()
		errs = append(errs, p.Runs.SaveRun(context.WithoutCancel(ctx), chain.Run{ID: newRunID(now), Step: "pull", Subject: id, Source: source,
			Task: chain.HolderOf(ctx).Task, Started: now, Ended: now, Status: status, Error: cause.Error()}))
	}
	return errors.Join(errs...)
}

func (p *Pipeline) open(ctx context.Context, kind string, values connectors.Values) (connectors.Conn, error) {
	driver, ok := p.Drivers[kind]
	if !ok {
		return nil, &fault.Error{Op: "open a connection", Code: fault.Invalid, Err: fmt.Errorf("there is no connector kind %q", kind),
			Hint: "kinds are restapi, dbtable and files"}
	}
	return driver.Open(ctx, values)
}

// pullDataset pulls one dataset: what follows the cursor, or the stretch that was asked for.
func (p *Pipeline) pullDataset(ctx context.Context, source Source, conn connectors.Conn, c Choice, pulled *Pulled) error {
	id := pulled.Dataset
	ds, ok := p.Catalog.Dataset(id)
	if !ok {
		return &fault.Error{Op: "pull " + id, Code: fault.NotFound, Err: errors.New("the catalogue has no such dataset"), Hint: "see xinshu catalog list"}
	}
	puller, ok := conn.(connectors.Puller)
	if !ok {
		return fault.Newf(fault.Invalid, "pull "+id, "a connection of kind %s cannot pull", source.Kind)
	}
	pull := pull{pipeline: p, source: source, conn: conn, puller: puller, job: connectors.Job{Dataset: ds, Values: source.Datasets[id]}, reload: c.Reload}
	if c.Again != nil {
		return pull.again(ctx, *c.Again, pulled)
	}
	var err error
	pulled.Result, err = pull.once(ctx, nil)
	pulled.Feed = pull.feed
	return err
}

// pull is the pulling of one dataset from one source.
type pull struct {
	pipeline *Pipeline
	source   Source
	conn     connectors.Conn
	puller   connectors.Puller
	job      connectors.Job
	reload   bool       // from the beginning, whatever was read before
	feed     chain.Feed // as the last pull left it
}

// once is one run: pages from where the chain stands, one commit, one acknowledgement. With a slice it
// reads that and leaves the cursor where it is.
func (u *pull) once(ctx context.Context, s *slice) (result stage.Result, err error) {
	p, id, name := u.pipeline, u.job.Dataset.ID, u.source.Name
	head, err := p.Heads.Head(ctx, chain.Stage(id))
	if err != nil {
		return result, err
	}
	if err := p.acknowledge(ctx, u.conn, u.job, name, head); err != nil { // what a killed run committed and did not acknowledge
		return result, err
	}
	places, err := readCursors(head)
	if err != nil {
		return result, err
	}
	u.feed = head.Feeds[name]
	after := places[name]
	if u.reload {
		after = ""
	}
	staged := stage.Pull{Source: name, CollectedOn: u.source.Collected}
	if head.Cursor != nil {
		staged.Before = connectors.Cursor(head.Cursor.After)
	}
	if _, placed := places[name]; placed && delivered(head, name) {
		staged.CollectedOn = catalog.NoDate // only a first load is stock
	}
	job := u.job
	if s != nil {
		job.Window, staged.Window, after = &s.window, &s.window, ""
	}
	err = p.recordedAs(ctx, chain.Run{ID: newRunID(p.Now()), Step: "pull", Subject: id, Source: name}, func(run string) (chain.Run, string, error) {
		staged.Run = run
		today := catalog.DateOf(p.Now().In(connectors.Shanghai))
		g := guarded{dataset: u.job.Dataset, run: run, today: today, first: after == ""}
		staged.Judge = func(came stage.Came) stage.Judgement {
			if u.feed = came.Head.Feeds[name]; s != nil {
				u.feed = s.done(u.feed)
			} else {
				u.feed = g.judge(u.feed, came)
			}
			if came.Ledger.Read > 0 {
				u.feed.Drift = chain.Drifted(u.feed.Drift, came.Drift, came.Ledger.Read, today.String())
			}
			return judgement(name, came, u.feed)
		}
		var err error
		result, err = p.Stager.Run(ctx, u.job.Dataset, places.pages(name, counted(ctx, u.puller.Pull(ctx, job, after))), staged)
		return stagedRun(result), pullNote(result, u.feed), err
	})
	if err != nil {
		return result, err
	}
	return result, p.acknowledge(ctx, u.conn, u.job, name, result.Entry)
}

// stagedRun is what the record of a run keeps of a staging: its counts, and the entry it committed if any.
func stagedRun(r stage.Result) chain.Run {
	done := chain.Run{Ledger: r.Ledger}
	if r.Entry.N > 0 {
		done.Chain, done.N = r.Entry.Chain, r.Entry.N
	}
	return done
}

func countsNote(l chain.Ledger) string {
	return chain.Notef("read %d, accepted %d, duplicate %d, quarantined %d, skipped %d", l.Read, l.Accepted, l.Duplicate, l.Quarantined, l.Skipped)
}

// pullNote says in words what a pull came to.
func pullNote(r stage.Result, feed chain.Feed) string {
	note := countsNote(r.Ledger)
	if r.Ledger.Read == 0 {
		note = chain.Notef("the source gave no row")
	}
	if r.Gone > 0 {
		note += ", " + chain.Notef("gone %d", r.Gone)
	}
	if feed.Hold != nil {
		note += ", " + chain.Notef("ON HOLD: %s", Alarm(*feed.Hold))
	}
	return note
}

// acknowledge tells a source what its newest commit took, once; a repetition after a kill is harmless.
// Run state remembers it, so that a source is not asked to look through the same handles at every pull.
func (p *Pipeline) acknowledge(ctx context.Context, conn connectors.Conn, job connectors.Job, source string, head chain.Entry) error {
	acker, ok := conn.(connectors.Acker)
	taken := stage.NewestTaken(head, source)
	if !ok || len(taken) == 0 {
		return nil
	}
	ack := chain.Run{ID: fmt.Sprintf("%s-%d-ack", head.Chain, taken[0].N), Step: "acknowledge", Subject: job.Dataset.ID, Source: source, Started: p.Now(), Ended: p.Now(), Status: "done"}
	switch done, err := p.Runs.Run(ctx, ack.ID); {
	case err == nil && done.Status == "done":
		return nil
	case err != nil && !fault.Is(err, fault.NotFound):
		return err
	}
	if err := acker.Ack(ctx, job, oneByOne(p.Stager.Taken(ctx, taken))); err != nil {
		return fmt.Errorf("acknowledge %s: %w", job.Dataset.ID, err)
	}
	fault.At(fault.AfterAck)
	return p.Runs.SaveRun(ctx, ack)
}

// delivered says whether a source ever brought a row that was accepted: a first pull of which everything
// was refused has loaded no stock.
func delivered(head chain.Entry, source string) bool {
	return slices.ContainsFunc(head.Table(stage.RowsTable), func(f chain.File) bool {
		return f.Source == source || f.Source == "" // an older hub did not note whose it was
	})
}

// oneByOne passes the crash point between any two handles.
func oneByOne(handles iter.Seq2[string, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for handle, err := range handles {
			if !yield(handle, err) {
				return
			}
			fault.At(fault.MidAck)
		}
	}
}
