// Package settle owns the third step: staged rows of every dataset become credit records of one
// shape, marks about them, entities with their ids, and the reach of each dataset, in one commit of
// the chain "settled". It refuses to score, and to see a source or a contract's fields: rows come as
// Parquet from the stage chains, one SQL file per family says what they mean. Scoring and explaining
// read what it commits. It runs where internal/duck puts bounds on memory, one range of entities
// after another.
package settle

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// Lake is the part of the lake that settling needs.
type Lake interface {
	Head(ctx context.Context, chainName string) (chain.Entry, error)
	Put(ctx context.Context, o chain.Object) (chain.File, error)
	Local(ctx context.Context, f chain.File) (string, error)
	Commit(ctx context.Context, d chain.Draft) (chain.Entry, error)
	TempDir() string
}

// Settler settles what is staged. Its fields are set once, before Run.
type Settler struct {
	Lake    Lake
	Catalog *catalog.Catalog
	SQL     fs.FS            // macros, staging and settled models
	Now     func() time.Time // the hub's clock: the day a delivery without rows is from
	Threads int              // of DuckDB; 0: as many as the machine has cores
	Memory  int              // MiB that DuckDB may use; 0: 512
}

// Result says what one settling did.
type Result struct {
	N         int64 // head of the chain afterwards; 0: nothing was ever settled
	Committed bool  // false: nothing new was staged
	Rows      int64 // staged rows taken
	Gone      int64 // records ended because their source no longer has them
	Records   int64 // versions of records in the ranges written, old ones included
	Marks     int64 // marks in all
	Entities  int64 // codes that got an id
	Ranges    int   // ranges written anew
}

// The tables of the chain.
const (
	Record   = "record"
	Mark     = "mark"
	Entity   = "entity"
	Coverage = "coverage"
	Alias    = "alias"
)

// RangeBits says how a range is cut: it holds the ids that are equal but for these low bits.
const RangeBits = 16

// attempts is how often a settling is done anew because another node settled first. Each attempt
// means that another made progress, so a small number is enough.
const attempts = 8

// Run settles the stage entries that came since the last settling. Without any it commits nothing.
func (s *Settler) Run(ctx context.Context, run string) (Result, error) {
	return s.redo(ctx, func(head chain.Entry) (Result, error) {
		news, err := s.news(ctx, head)
		if err != nil {
			return Result{}, err
		}
		if len(news.batches) == 0 {
			return Result{N: head.N}, nil
		}
		return s.settle(ctx, run, head, news, nil)
	})
}

// AddMarks puts decided cases into the lake: a commit of marks alone, whatever is staged. A mark that
// is there already with the same content is not added again.
func (s *Settler) AddMarks(ctx context.Context, run string, marks []Statement) (Result, error) {
	if err := checkStatements(marks); err != nil {
		return Result{}, err
	}
	return s.redo(ctx, func(head chain.Entry) (Result, error) {
		return s.settle(ctx, run, head, news{inputs: head.Inputs}, marks)
	})
}

func (s *Settler) redo(ctx context.Context, work func(head chain.Entry) (Result, error)) (Result, error) {
	for attempt := 1; ; attempt++ {
		head, err := s.Lake.Head(ctx, chain.Settled)
		if err != nil {
			return Result{}, fmt.Errorf("read the head of %s: %w", chain.Settled, err)
		}
		result, err := work(head)
		if attempt == attempts || !fault.Is(err, fault.Conflict) || chain.StillHeld(ctx) != nil {
			return result, err
		}
	}
}

// settle does the work on one head and commits it.
func (s *Settler) settle(ctx context.Context, run string, head chain.Entry, in news, marks []Statement) (Result, error) {
	intent, err := intentOf(head, in, marks)
	if err != nil {
		return Result{}, err
	}
	fault.At(fault.BeforeObjects)
	w, err := s.open(ctx, run, head)
	if err != nil {
		return Result{}, err
	}
	defer w.close()
	if err := w.load(ctx, in, marks); err != nil {
		return Result{}, err
	}
	if err := w.register(ctx, in); err != nil {
		return Result{}, err
	}
	if err := w.writeRanges(ctx); err != nil {
		return Result{}, err
	}
	if err := w.writeMarks(ctx); err != nil {
		return Result{}, err
	}
	if err := w.writeAliases(ctx); err != nil {
		return Result{}, err
	}
	if marks != nil && !w.marksChanged {
		w.result.N = head.N
		return w.result, nil
	}
	if err := w.writeCoverage(ctx, in); err != nil {
		return Result{}, err
	}
	if len(w.files) == 0 { // duplicates alone: what is settled stands, and with it every score made from it
		w.result.N = head.N
		return w.result, nil
	}
	entry, err := s.Lake.Commit(ctx, chain.Draft{
		Base:  head,
		Entry: chain.Entry{Chain: chain.Settled, Intent: intent, Run: run, Inputs: in.inputs, SQLSHA256: w.models.sha},
		Keep:  w.keeps,
		Files: w.files,
	})
	if err != nil {
		return Result{}, err
	}
	w.result.N, w.result.Committed = entry.N, true
	return w.result, nil
}

// intentOf names the work: the same stage entries and marks on the same settled head are settled once.
func intentOf(head chain.Entry, in news, marks []Statement) (string, error) {
	parts := []string{"settle"}
	if marks != nil {
		said, err := json.Marshal(marks)
		if err != nil {
			return "", fault.Newf(fault.Invalid, "settle marks", "%w", err)
		}
		parts = append(parts, head.SHA256, string(said))
	}
	for _, i := range in.inputs {
		parts = append(parts, i.Chain, fmt.Sprint(i.N), i.SHA256)
	}
	return chain.Intent(parts...), nil
}

// models are the SQL files of settling by name.
type models struct {
	named map[string]duck.Model
	sha   string
}

func (s *Settler) models() (models, error) {
	m := models{named: map[string]duck.Model{}}
	var parts []string
	for _, pattern := range []string{"macros/*.sql", "staging/*.sql", "settled/*.sql"} {
		files, err := fs.Glob(s.SQL, pattern)
		if err != nil {
			return m, fault.Newf(fault.Internal, "list "+pattern, "%w", err)
		}
		slices.Sort(files)
		for _, file := range files {
			text, err := fs.ReadFile(s.SQL, file)
			if err != nil {
				return m, fault.Newf(fault.Internal, "read "+file, "%w", err)
			}
			parts = append(parts, file, string(text))
			if pattern == "macros/*.sql" {
				continue
			}
			model, err := duck.ParseModel(file, string(text))
			if err != nil {
				return m, err
			}
			m.named[model.Name] = model
		}
	}
	m.sha = chain.Intent(parts...)
	return m, nil
}
