package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"xinshu/catalog"
	"xinshu/internal/alerts"
	"xinshu/internal/fault"
	"xinshu/internal/gate"
	"xinshu/internal/release"
	"xinshu/pipelines/stage"
)

// lookAgain is how often a hub that serves looks whether its catalogue changed.
const lookAgain = 15 * time.Second

// keepTexts has the hub read by the texts that lie in the catalogue folder now, whatever becomes of the
// files. Where one of them cannot be read the others are read from the folder, as each command does.
func (c *Config) keepTexts() {
	if c.Catalog == "" || c.texts != nil {
		return
	}
	if texts, err := catalog.ReadTexts(os.DirFS(c.Catalog)); err == nil {
		c.texts = texts
	}
}

// notTaken is what is wrong with the catalogue that lies in the folder; nothing while the hub reads by it.
type notTaken struct {
	mu     sync.Mutex
	faults []catalog.Fault
}

func (n *notTaken) set(faults []catalog.Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = faults
}

func (n *notTaken) get() []catalog.Fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.faults
}

// flaws are what the alerts are told of: files that were left out at the start, and files that came since
// and keep the hub from reading the catalogue anew.
func (a *app) flaws() []alerts.Flaw {
	var flaws []alerts.Flaw
	for _, f := range a.catalog.Faults {
		flaws = append(flaws, alerts.Flaw{File: f.File, Says: f.Error(), LeftOut: true})
	}
	for _, f := range a.refused.get() {
		flaws = append(flaws, alerts.Flaw{File: f.File, Says: f.Error()})
	}
	return flaws
}

// reader looks whether another catalogue is to be in force than the one that the hub reads by.
type reader struct {
	*app
	seen catalog.Texts // in the folder, at the last look
}

// until waits for a tick at which another catalogue is to be in force, and gives the texts to read by. It
// says false when the context ended first.
func (r *reader) until(ctx context.Context, ticks <-chan time.Time) (catalog.Texts, bool) {
	r.seen = r.config.texts
	for {
		select {
		case <-ctx.Done():
			return nil, false
		case <-ticks:
		}
		if texts, changed := r.look(ctx); changed {
			return texts, true
		}
	}
}

// look gives the texts to read by, and whether something changed: a release was approved, here or on
// another node, or its day has come; or files were laid into the folder, and have stood still since the
// last look. Files that would break the catalogue are refused: the texts stay those of before.
func (r *reader) look(ctx context.Context) (catalog.Texts, bool) {
	released, err := r.state.Released(ctx, catalog.DateOf(r.now()))
	if err != nil {
		slog.WarnContext(ctx, "look for releases", "error", err)
		released = r.released
	}
	texts := r.config.texts
	if r.config.Catalog != "" {
		texts = r.laid(ctx, released)
	}
	same := slices.EqualFunc(released, r.released, func(x, y release.Proposal) bool { return x.ID == y.ID })
	return texts, !same || !sameTexts(texts, r.config.texts)
}

// laid gives the folder's texts where the hub can read by them, else those that it reads by.
func (r *reader) laid(ctx context.Context, released []release.Proposal) catalog.Texts {
	texts, err := catalog.ReadTexts(os.DirFS(r.config.Catalog))
	still := sameTexts(texts, r.seen)
	r.seen = texts
	var faults []catalog.Fault
	switch {
	case err != nil:
		faults = []catalog.Fault{{File: r.config.Catalog, Message: err.Error()}}
	case sameTexts(texts, r.config.texts):
		r.refused.set(nil)
		return r.config.texts
	case !still: // somebody may be writing
		return r.config.texts
	default:
		faults = r.judge(ctx, texts, released)
	}
	if len(faults) == 0 {
		return texts
	}
	if !slices.Equal(faults, r.refused.get()) {
		for _, f := range faults {
			slog.ErrorContext(ctx, "the catalogue folder changed and is not taken: the hub goes on by what it read before", "fault", f.Error())
		}
	}
	r.refused.set(faults)
	return r.config.texts
}

// judge lists what would be wrong with a catalogue that is not wrong with the one in force.
func (r *reader) judge(ctx context.Context, texts catalog.Texts, released []release.Proposal) []catalog.Fault {
	if len(texts) == 0 {
		return []catalog.Fault{{File: r.config.Catalog, Message: "the folder is empty or gone"}}
	}
	cat, faults := release.Load(catalog.Layer(texts, catalog.Files), released)
	faults = slices.DeleteFunc(slices.Clone(faults), func(f catalog.Fault) bool {
		return slices.ContainsFunc(r.catalog.Faults, func(known catalog.Fault) bool { return known.File == f.File && known.Message == f.Message })
	})
	for _, ds := range cat.Datasets { // what the files alone do not show
		if err := stage.Check(ds, cat); err != nil {
			faults = append(faults, catalog.Fault{File: ds.File, Message: err.Error()})
		}
	}
	for id, by := range r.inUse(ctx) {
		before, was := r.catalog.Dataset(id)
		if _, is := cat.Dataset(id); was && !is {
			faults = append(faults, catalog.Fault{File: before.File, Message: fmt.Sprintf("dataset %s is gone, and %s still brings it", id, by)})
		}
	}
	slices.SortFunc(faults, func(x, y catalog.Fault) int { return strings.Compare(x.Error(), y.Error()) })
	return faults
}

// inUse gives the datasets that somebody brings, with who does.
func (r *reader) inUse(ctx context.Context) map[string]string {
	use := map[string]string{}
	sources, err := r.pipeline.AllSources(ctx)
	if err != nil { // those of the config are given all the same
		slog.WarnContext(ctx, "look for datasets in use", "error", err)
	}
	for _, s := range sources {
		for id := range s.Datasets {
			use[id] = "source " + s.Name
		}
	}
	for _, s := range r.config.Receive.Senders {
		for _, id := range s.Datasets {
			use[id] = "sender " + s.Name
		}
	}
	return use
}

func sameTexts(a, b catalog.Texts) bool { return maps.EqualFunc(a, b, bytes.Equal) }

// serveOn serves, and reads the catalogue anew each time another one is to be in force; whoever comes
// meanwhile waits. It closes the hub that it is given, and those that open makes for it.
func (t *terminal) serveOn(ctx context.Context, a *app, open func(texts catalog.Texts) (*app, error), addr string, ticks <-chan time.Time) error {
	l, err := listen(ctx, cmp.Or(addr, a.config.Serve.Addr, "127.0.0.1:8088"))
	if err != nil {
		return errors.Join(err, a.Close())
	}
	defer func() { _ = l.TCPListener.Close() }() // the last server may have done so
	for {
		texts, changed, err := t.serveUntil(ctx, a, l, ticks)
		if changed && fault.Is(err, fault.Unavailable) {
			slog.WarnContext(ctx, "a request was cut for another catalogue", "error", err)
			err = nil
		}
		if err = errors.Join(err, a.Close()); err != nil || !changed || ctx.Err() != nil {
			return err
		}
		t.say("another catalogue is in force: the hub reads it and goes on")
		if a, err = open(texts); err != nil {
			return err
		}
	}
}

// serveUntil serves until the context ends or another catalogue is to be in force, and gives its texts.
func (t *terminal) serveUntil(ctx context.Context, a *app, l *gate.Lasting, ticks <-chan time.Time) (texts catalog.Texts, changed bool, err error) {
	serving, stop := context.WithCancel(ctx)
	anew := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		if texts, changed = (&reader{app: a}).until(serving, ticks); changed {
			close(anew)
		}
	})
	err = t.serve(ctx, a, l, anew)
	stop()
	watch.Wait()
	return texts, changed, err
}
