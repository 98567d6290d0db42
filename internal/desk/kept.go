package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/explain"
	"xinshu/internal/grading"
	"xinshu/internal/results"
)

// kept is what the desk keeps open between questions, because opening it costs more than the answer:
// the index of entities, the reader of change logs, an explainer for each policy. Each is renewed when
// the chain it reads moves. An answer from the one before is a true answer of a moment ago.
type kept struct {
	mu         sync.Mutex // of the fields, never held over a question
	registry   *holder[*results.Registry]
	published  *results.Published
	explainers map[string]*holder[*explaining]
	sealed     map[string]sealed // by policy
	counted    counted
	heads      heads
}

// explaining is an explainer with a lock: it answers one question after another.
type explaining struct {
	sync.Mutex
	*explain.Explainer
}

// stale is how long an opened reader is used: the lake promises its local paths for an hour.
const stale = 30 * time.Minute

// readerMB bounds each of the desk's small DuckDB instances.
const readerMB = 512

func (d *Desk) reader(threads int) duck.Options {
	o := d.Duck
	o.Threads, o.MemoryMB, o.KeepFooters = threads, min(max(o.MemoryMB, 64), readerMB), true
	if d.Duck.MemoryMB == 0 {
		o.MemoryMB = readerMB
	}
	// A folder of its own to spill into: instances that share one take one another's files for theirs.
	o.TempDir = filepath.Join(cmp.Or(d.Duck.TempDir, os.TempDir()), fmt.Sprintf("desk-%d-%d", os.Getpid(), readers.Add(1)))
	return o
}

// readers counts the instances that were opened, to name their folders.
var readers atomic.Int64

func (d *Desk) registry(ctx context.Context, use func(*results.Registry) error) error {
	return d.registryHolder().with(ctx, 0, d.openRegistry, use)
}

func (d *Desk) registryHolder() *holder[*results.Registry] {
	d.kept.mu.Lock()
	defer d.kept.mu.Unlock()
	if d.kept.registry == nil {
		d.kept.registry = &holder[*results.Registry]{}
	}
	return d.kept.registry
}

func (d *Desk) openRegistry(ctx context.Context) (*results.Registry, int64, error) {
	r, err := results.OpenRegistry(ctx, d.Lake, d.reader(0), cmp.Or(d.Duck.TempDir, os.TempDir()))
	if err != nil {
		return nil, 0, err
	}
	return r, r.Seq(), nil
}

func (d *Desk) published() (*results.Published, error) {
	d.kept.mu.Lock()
	defer d.kept.mu.Unlock()
	if d.kept.published == nil {
		p, err := results.OpenPublished(shown{d}, d.reader(0))
		if err != nil {
			return nil, err
		}
		d.kept.published = p
	}
	return d.kept.published, nil
}

// explainer lends the explainer of a policy. It knows at least the snapshots that the clocks name; for
// open clocks it is the newest.
func (d *Desk) explainer(ctx context.Context, p catalog.Policy, c grading.Clocks, use func(*explain.Explainer) error) error {
	least := max(c.KnownSeq, c.MarksSeq)
	if least == 0 {
		head, err := d.head(ctx, chain.Settled)
		if err != nil {
			return err
		}
		least = head.N
	}
	return d.explainerHolder(p).with(ctx, least, d.explainerOpener(p), func(x *explaining) error {
		x.Lock()
		defer x.Unlock()
		return use(x.Explainer)
	})
}

func (d *Desk) explainerHolder(p catalog.Policy) *holder[*explaining] {
	d.kept.mu.Lock()
	defer d.kept.mu.Unlock()
	if d.kept.explainers == nil {
		d.kept.explainers = map[string]*holder[*explaining]{}
	}
	h := d.kept.explainers[p.ID]
	if h == nil || h.policy != p.SHA256 {
		h = &holder[*explaining]{policy: p.SHA256}
		d.kept.explainers[p.ID] = h
	}
	return h
}

func (d *Desk) explainerOpener(p catalog.Policy) opener[*explaining] {
	return func(ctx context.Context) (*explaining, int64, error) {
		x, err := explain.Open(ctx, explain.Options{Lake: d.Lake, SQL: d.SQL, Duck: d.reader(1), Policy: p, Platforms: d.Catalog.PlatformDatasets()})
		if err != nil {
			return nil, 0, err
		}
		return &explaining{Explainer: x}, x.Seq(), nil
	}
}

// Keep renews what the desk keeps open when the data moved, and opens it before anybody asks. It ends
// with its context.
func (d *Desk) Keep(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	for {
		if err := d.Renew(ctx); err != nil && ctx.Err() == nil {
			log.Warn("renew what the desk keeps open", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Renew opens what the desk keeps open, and opens anew what is behind the data.
func (d *Desk) Renew(ctx context.Context) error {
	head, err := d.Lake.Head(ctx, chain.Settled)
	if err != nil || head.N == 0 {
		return err
	}
	faults := []error{d.registryHolder().renew(ctx, head.N, d.openRegistry)}
	for _, p := range d.Catalog.Policies {
		newest, err := d.Lake.Head(ctx, chain.Scored(p.ID))
		if err == nil && newest.N > 0 {
			err = d.explainerHolder(p).renew(ctx, head.N, d.explainerOpener(p))
		}
		faults = append(faults, err)
	}
	_, _, err = d.counts(ctx)
	return errors.Join(append(faults, err, d.sumUp(ctx), d.sumPublished(ctx))...)
}

// sumPublished has the grades of every policy and the moves of its last release counted, which the
// reader of change logs remembers: the overview and the pages of grades then find them.
func (d *Desk) sumPublished(ctx context.Context) error {
	r, err := d.published()
	if err != nil {
		return err
	}
	for _, p := range d.Catalog.Policies {
		head, err := r.Head(ctx, p.ID)
		if err != nil {
			return err
		}
		if _, err := r.Shares(ctx, p.ID, head); err != nil {
			return err
		}
		releases, err := r.Releases(ctx, head)
		if err != nil {
			return err
		}
		if len(releases) < 2 {
			continue
		}
		if _, err := r.Movement(ctx, head, releases[1].N, releases[0].N, results.Query{}); err != nil {
			return err
		}
	}
	return nil
}

// Close lets go of what the desk keeps open. Nobody may ask any more.
func (d *Desk) Close() error {
	d.kept.mu.Lock()
	defer d.kept.mu.Unlock()
	var faults []error
	if d.kept.registry != nil && d.kept.registry.filled {
		faults = append(faults, d.kept.registry.thing.Close())
	}
	for _, h := range d.kept.explainers {
		if h.filled {
			faults = append(faults, h.thing.Close())
		}
	}
	if d.kept.published != nil {
		faults = append(faults, d.kept.published.Close())
	}
	d.kept.registry, d.kept.explainers, d.kept.published = nil, nil, nil
	faults = append(faults, d.shelves.close())
	return errors.Join(faults...)
}
