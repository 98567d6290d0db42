// Package score owns the grading of entities under a policy: it loads the policy as tables and the
// settled records as views, runs the models of sql/ over groups of entity ranges in bounded memory,
// and seals what came out. It refuses to know any city, to settle or to publish. Records come from
// the chain settled; points and grade go to scored/<policy>, from where publishing takes them.
package score

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
)

// Lake is the part of the lake that scoring needs.
type Lake interface {
	Head(ctx context.Context, chainName string) (chain.Entry, error)
	Put(ctx context.Context, o chain.Object) (chain.File, error)
	Local(ctx context.Context, f chain.File) (string, error)
	Commit(ctx context.Context, d chain.Draft) (chain.Entry, error)
	Seal(ctx context.Context, policy, asOf string, seal []byte) (string, error)
	TempDir() string
}

// Clocks are grading's: the three times of a score.
type Clocks = grading.Clocks

// Scorer scores policies.
type Scorer struct {
	Lake      Lake
	Seals     func(ctx context.Context, policy string) (map[string][]byte, error) // the lake's seals, by hash
	SQL       fs.FS                                                               // macros, intermediate and marts
	Duck      duck.Options
	Platforms []string                         // datasets that platforms send
	Xinshu    string                           // version of this program, for the seal
	Watch     func(phase string, done, of int) // told how far a run is: score in groups of ranges, then seal; may be nil
}

func (s *Scorer) tell(phase string, done, of int) {
	if s.Watch != nil {
		s.Watch(phase, done, of)
	}
}

// Result is what a run came to.
type Result struct {
	Entry    chain.Entry // newest entry of scored/<policy> that holds this result
	Clocks   Clocks      // as they were used
	Seal     Seal
	SealSHA  string
	Trial    bool
	Reasons  []string // why it is a trial
	Repeated bool     // the same result stood already: nothing was committed
}

// Run scores every entity of the policy's population. Scoring the same clocks again commits nothing.
func (s *Scorer) Run(ctx context.Context, run string, p catalog.Policy, c Clocks) (Result, error) {
	op := "score " + p.ID
	settled, err := s.Lake.Head(ctx, chain.Settled)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", op, err)
	}
	if settled.N == 0 {
		return Result{}, &fault.Error{Op: op, Code: fault.NotFound, Hint: "nothing is settled yet; run settle first"}
	}
	if c, err = s.clocks(ctx, p, c, settled.N); err != nil {
		return Result{}, fmt.Errorf("%s: %w", op, err)
	}
	models, err := grading.Load(s.SQL)
	if err != nil {
		return Result{}, err
	}
	intent := chain.Intent("score", p.ID, p.SHA256, models.SHA256, c.AsOf.String(), c.CorrectedTo.String(),
		strconv.FormatInt(c.KnownSeq, 10), strconv.FormatInt(c.MarksSeq, 10))
	result := Result{Clocks: c}
	result.Trial, result.Reasons = p.Trial(c.AsOf)
	for {
		head, err := s.Lake.Head(ctx, chain.Scored(p.ID))
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", op, err)
		}
		if head.N > 0 && head.Intent == intent {
			return s.repeated(ctx, p, head, result)
		}
		fault.At(fault.BeforeObjects)
		w := work{Scorer: s, run: run, policy: p, clocks: c, models: models, settled: settled}
		files, seal, err := w.score(ctx)
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", op, err)
		}
		seal.Intent = intent
		if result.SealSHA, err = s.Lake.Seal(ctx, p.ID, c.AsOf.String(), seal.JSON()); err != nil {
			return Result{}, fmt.Errorf("%s: %w", op, err)
		}
		entry, err := s.Lake.Commit(ctx, chain.Draft{
			Base: head,
			Entry: chain.Entry{Chain: chain.Scored(p.ID), Intent: intent, Run: run, PolicySHA256: p.SHA256, SQLSHA256: models.SHA256,
				Inputs: []chain.Input{{Chain: chain.Settled, N: settled.N, SHA256: settled.SHA256}}},
			Keep:  func(chain.File) bool { return false }, // the chain holds its newest result; older ones repeat from their seals
			Files: files,
		})
		if fault.Is(err, fault.Conflict) {
			continue // another node committed meanwhile: look again, then redo
		}
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", op, err)
		}
		result.Entry, result.Seal = entry, seal
		return result, nil
	}
}

// clocks fills in what the caller leaves open and refuses what cannot be.
func (s *Scorer) clocks(ctx context.Context, p catalog.Policy, c Clocks, newest int64) (Clocks, error) {
	if c.CorrectedTo == catalog.NoDate {
		c.CorrectedTo = c.AsOf
	}
	if c.CorrectedTo < c.AsOf {
		return c, fault.Newf(fault.Invalid, "check clocks", "corrected_to %s lies before as_of %s", c.CorrectedTo, c.AsOf)
	}
	if c.KnownSeq == 0 {
		c.KnownSeq = newest
		if p.Cycle == "yearly" && c.CorrectedTo > c.AsOf {
			// A correction reads the records that the result it corrects was made from: data missing
			// then come in by a case, not by themselves.
			first, found, err := s.firstSeal(ctx, p.ID, c.AsOf)
			if err != nil {
				return c, err
			}
			if found {
				c.KnownSeq = first.KnownSeq
			}
		}
	}
	if c.MarksSeq == 0 {
		c.MarksSeq = newest
	}
	if c.KnownSeq > newest || c.MarksSeq > newest || c.MarksSeq < c.KnownSeq {
		return c, fault.Newf(fault.Invalid, "check clocks", "snapshots %d and %d are not within the %d settled ones in this order", c.KnownSeq, c.MarksSeq, newest)
	}
	return c, nil
}

// repeated gives the result that stands already, with the seal it was committed under.
func (s *Scorer) repeated(ctx context.Context, p catalog.Policy, head chain.Entry, r Result) (Result, error) {
	seals, err := s.seals(ctx, p.ID)
	if err != nil {
		return Result{}, err
	}
	for sha, seal := range seals {
		if seal.Intent == head.Intent {
			r.Entry, r.Seal, r.SealSHA, r.Repeated = head, seal, sha, true
			return r, nil
		}
	}
	return Result{}, &fault.Error{Op: "score " + p.ID, Code: fault.Internal,
		Err:  fmt.Errorf("entry %d of %s has no seal", head.N, head.Chain),
		Hint: "run xinshu verify; a seal is written before its entry and never deleted"}
}

// Newest gives the newest committed result of a policy, for publishing by itself.
func (s *Scorer) Newest(ctx context.Context, p catalog.Policy) (Result, error) {
	head, err := s.Lake.Head(ctx, chain.Scored(p.ID))
	if err != nil {
		return Result{}, err
	}
	if head.N == 0 {
		return Result{}, &fault.Error{Op: "read the newest result of " + p.ID, Code: fault.NotFound, Hint: "score the policy first"}
	}
	r, err := s.repeated(ctx, p, head, Result{})
	if err != nil {
		return Result{}, err
	}
	if r.Clocks, err = r.Seal.Clocks(); err != nil {
		return Result{}, err
	}
	r.Trial, r.Reasons = p.Trial(r.Clocks.AsOf)
	return r, nil
}

// work is one scoring of the whole population.
type work struct {
	*Scorer
	run     string
	policy  catalog.Policy
	clocks  Clocks
	models  grading.Models
	settled chain.Entry
	joined  joined
}

func (w *work) score(ctx context.Context) (files []chain.File, seal Seal, err error) {
	defer func() { w.joined.forget() }()
	db, err := w.open(ctx)
	if err != nil {
		return nil, Seal{}, err
	}
	defer func() { err = closed(err, db) }()
	rows, err := newCanonical(w.Lake.TempDir())
	if err != nil {
		return nil, Seal{}, err
	}
	defer rows.remove()
	groups := Groups(w.settled, w.Duck.MemoryMB)
	w.tell("score", 0, len(groups))
	for part, group := range groups {
		fresh, err := w.group(ctx, db, part, group)
		if err != nil {
			return nil, Seal{}, err
		}
		files = append(files, fresh...)
		w.tell("score", part+1, len(groups))
		for table := range canonicalRows {
			if err := rows.add(ctx, db, table); err != nil {
				return nil, Seal{}, err
			}
		}
		w.tell("seal", part+1, len(groups)+1)
	}
	merged, err := w.successors(ctx, db)
	if err != nil {
		return nil, Seal{}, err
	}
	files = append(files, merged...)
	seal, err = w.seal(files, rows)
	w.tell("seal", len(groups)+1, len(groups)+1)
	return files, seal, err
}

func closed(err error, db *duck.DB) error {
	if bad := db.Close(); err == nil {
		return bad
	}
	return err
}

// group scores the entities of some neighbouring ranges and puts what came out.
func (w *work) group(ctx context.Context, db *duck.DB, part int, g RangeGroup) ([]chain.File, error) {
	if err := w.groupViews(ctx, db, g); err != nil {
		return nil, err
	}
	if err := w.models.Materialise(ctx, db); err != nil {
		return nil, err
	}
	var (
		tables = []string{"grade", "points"}
		stored = make([]chain.File, len(tables))
		puts   errgroup.Group
	)
	for i, table := range tables { // one table is hashed and stored while the next is written
		object, err := w.write(ctx, db, part, table)
		if err != nil {
			return nil, errors.Join(err, puts.Wait())
		}
		puts.Go(func() (err error) {
			stored[i], err = w.Lake.Put(ctx, object)
			return err
		})
	}
	if err := puts.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(stored, func(f chain.File) bool { return f.Rows == 0 }), nil
}

// local gives the local paths of files.
func (s *Scorer) local(ctx context.Context, files []chain.File) ([]string, error) {
	paths := make([]string, 0, len(files))
	for _, f := range files {
		path, err := s.Lake.Local(ctx, f)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}
