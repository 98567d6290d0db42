// Package pipelines owns a run: which steps follow one another, for which sources, datasets and
// policies, and what happens when one fails. It refuses to know how a step works or where data
// lies. Sources and targets come from the config, the steps and the state from cmd; what a run did
// goes to the run state and to whoever watches it.
package pipelines

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
)

// Source is one connection and the datasets pulled over it.
type Source struct {
	Name      string
	Kind      string
	Values    connectors.Values
	Datasets  map[string]connectors.Values // by dataset id: the job settings
	Collected catalog.Date                 // received_on of the declared first load; NoDate: the day of the pull
}

// Runs keeps the record of runs.
type Runs interface {
	// SaveRun stores a run as it stands.
	SaveRun(ctx context.Context, r chain.Run) error
	// CommitRun stores a run that committed to r.Chain, with everything run state draws from that
	// chain, in one transaction.
	CommitRun(ctx context.Context, r chain.Run) error
	// Run gives one run; not_found when there is none.
	Run(ctx context.Context, id string) (chain.Run, error)
}

// Event tells a watcher how far a run is.
type Event struct {
	Step    string // pull, settle, score, publish, push
	Subject string // dataset, policy or target; empty for the step as a whole
	Status  string // running, done, failed
	Note    string // in words: "accepted 412, quarantined 3"
	Err     error
	Took    time.Duration
}

// newRunID gives an id that sorts by time and is unique.
func newRunID(now time.Time) string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails, says its documentation
	return now.UTC().Format("20060102T150405") + "-" + hex.EncodeToString(b[:])
}

// recorded does one piece of work as a run: recorded before and after, told to the watcher.
func (p *Pipeline) recorded(ctx context.Context, step, subject string, work func(run string) (chain.Run, string, error)) error {
	return p.recordedAs(ctx, chain.Run{ID: newRunID(p.Now()), Step: step, Subject: subject}, work)
}

// recordedAs is recorded for a run that has a name of its own, or a source.
func (p *Pipeline) recordedAs(ctx context.Context, r chain.Run, work func(run string) (chain.Run, string, error)) error {
	id, step, subject, holder := r.ID, r.Step, r.Subject, chain.HolderOf(ctx)
	r.Task = holder.Task
	r.Started, r.Status = p.Now(), "running"
	if err := p.Runs.SaveRun(ctx, r); err != nil {
		return fmt.Errorf("record run of %s %s: %w", step, subject, err)
	}
	if holder.Began != nil {
		holder.Began(id)
	}
	p.tell(Event{Step: step, Subject: subject, Status: "running"})
	timer := time.Now()
	done, note, err := work(id)
	if holder.Came != nil {
		holder.Came(note)
	}
	done.ID, done.Step, done.Subject, done.Source, done.Task, done.Started, done.Ended, done.Status = id, step, subject, r.Source, r.Task, r.Started, p.Now(), "done"
	if err != nil {
		done.Status, done.Error = "failed", err.Error()
		if ctx.Err() != nil {
			done.Status = "interrupted"
		}
	}
	p.tell(Event{Step: step, Subject: subject, Status: done.Status, Note: note, Err: err, Took: time.Since(timer)})
	keep := p.Runs.SaveRun
	if done.Chain != "" {
		keep = p.Runs.CommitRun
	}
	return errors.Join(err, keep(context.WithoutCancel(ctx), done)) // the record is kept even when the run was interrupted
}

func (p *Pipeline) tell(e Event) {
	if p.Watch != nil {
		p.Watch(e)
	}
}
