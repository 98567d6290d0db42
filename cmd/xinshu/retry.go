package main

import (
	"context"
	"errors"
	"iter"

	"github.com/spf13/cobra"

	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
	"xinshu/pipelines/stage"
)

// Retried is what became of one dataset's open rows; scripts rely on its form.
type Retried struct {
	Dataset   string           `json:"dataset"`
	Commit    int64            `json:"commit"` // 0: no row's verdict has changed
	Open      int64            `json:"open"`   // rows looked at
	Retried   int64            `json:"retried"`
	Accepted  int64            `json:"accepted"`
	Duplicate int64            `json:"duplicate"`
	Skipped   int64            `json:"skipped"`
	Again     int64            `json:"again"`     // refused for another reason now
	Unchanged int64            `json:"unchanged"` // refused for the same reason still
	Lost      []lostRow        `json:"lost"`      // of which a value was not kept: only a workbook can mend them
	Warnings  map[string]int64 `json:"warnings"`  // accepted rows by warning about their code
	Rejects   []stage.Reject   `json:"rejects"`
}

type lostRow struct {
	ID     string `json:"id"`
	Column string `json:"column"`
}

func retryCommand(t *terminal, o *options) *cobra.Command {
	var by string
	f := &rowFlags{}
	cmd := t.jsonFlag(&cobra.Command{Use: "retry --by NAME", Args: usage(cobra.NoArgs),
		Short: "stage open rows again, as they are, whose verdict is another now: after an override, a new code list or contract",
		Long: "Judges open rows anew by the contract, the code lists and the overrides as they stand, and stages those that would no longer be\n" +
			"refused for the same reason. Values come from what was kept: a row of which a value was masked or unreadable where it counts is\n" +
			"named and left open; quarantine export and resubmit mend it."})
	f.add(cmd, true)
	cmd.Flags().StringVar(&by, "by", "", "who answers for it")
	cmd.RunE = t.withQuarantine(o, f, func(ctx context.Context, a *app, db *duck.DB, q quarantine.Query) error {
		if by == "" {
			return usageError{errors.New("name who answers for it with --by")}
		}
		all := []Retried{}
		var errs []error
		for _, id := range q.Datasets {
			r, err := a.retry(ctx, db, id, by, q)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if r.Open == 0 {
				continue
			}
			all = append(all, r)
			if t.json {
				continue
			}
			t.printf("%-26s open %d: retried %d = accepted %d + duplicate %d + skipped %d + refused again %d; unchanged %d, not kept whole %d\n",
				id, r.Open, r.Retried, r.Accepted, r.Duplicate, r.Skipped, r.Again, r.Unchanged, len(r.Lost))
			t.notice(stage.Result{Warnings: r.Warnings})
			for i, l := range r.Lost {
				if i == mostRejectsShown {
					t.printf("  … and %d more\n", len(r.Lost)-i)
					break
				}
				t.printf("  %s: the value of %s was not kept; mend it in a workbook (quarantine export)\n", l.ID, l.Column)
			}
		}
		if t.json {
			errs = append(errs, t.printJSON(all))
		}
		return errors.Join(errs...)
	})
	return cmd
}

// retry stages the open rows of one dataset whose verdict is another now, source by source.
func (a *app) retry(ctx context.Context, db *duck.DB, id, by string, q quarantine.Query) (Retried, error) {
	r := Retried{Dataset: id, Lost: []lostRow{}, Warnings: map[string]int64{}, Rejects: []stage.Reject{}}
	conflicts := 0
	for {
		once, more, err := a.retryOnce(ctx, db, id, by, q)
		if fault.Is(err, fault.Conflict) && conflicts < correctTries {
			conflicts++
			continue
		}
		r.add(once)
		if err != nil || !more {
			return r, err
		}
	}
}

// add takes the answer about one source's rows in. What was looked at is counted the first time; what
// stays open, the last time.
func (r *Retried) add(once Retried) {
	if r.Open == 0 {
		r.Open, r.Retried = once.Open, once.Retried
	}
	if once.Commit > 0 {
		r.Commit = once.Commit
	}
	r.Accepted += once.Accepted
	r.Duplicate += once.Duplicate
	r.Skipped += once.Skipped
	r.Again += once.Again
	r.Unchanged, r.Lost = once.Unchanged, once.Lost
	for code, n := range once.Warnings {
		r.Warnings[code] += n
	}
	r.Rejects = append(r.Rejects, once.Rejects...)
}

// retried is a row to stage anew and the source that brought it.
type retried struct {
	stage.Mend
	source string
}

// retryOnce stages the rows of one source, and says whether another source has some. It looks at the
// open rows twice: first to count them, so that nothing is committed where no verdict has changed.
func (a *app) retryOnce(ctx context.Context, db *duck.DB, id, by string, q quarantine.Query) (r Retried, more bool, err error) {
	r = Retried{Dataset: id, Lost: []lostRow{}}
	ds, _ := a.catalog.Dataset(id)
	contract, reread, err := a.contract(ds)
	if err != nil {
		return r, false, err
	}
	open, err := quarantine.OpenBook(ctx, a.lake, db, id)
	if err != nil {
		return r, false, err
	}
	q.All = false
	changed := func(count *Retried) iter.Seq2[retried, error] {
		return func(yield func(retried, error) bool) {
			for row, err := range open.List(ctx, q) {
				mend, is := stage.Mend{}, true
				if err == nil {
					mend, is, err = judgeAnew(row, contract, reread, count)
				}
				if is && !yield(retried{mend, row.Source}, err) || err != nil {
					return
				}
			}
		}
	}
	source := ""
	for one, err := range changed(&r) {
		if err != nil {
			return r, false, err
		}
		if r.Retried == 0 {
			source = one.source
		}
		more = more || one.source != source
		r.Retried++
	}
	if r.Retried == 0 {
		return r, false, nil
	}
	ofSource := func(yield func(stage.Mend, error) bool) {
		for one, err := range changed(&Retried{}) {
			if (err != nil || one.source == source) && !yield(one.Mend, err) {
				return
			}
		}
	}
	result, err := a.pipeline.Correct(ctx, ds, stage.Correction{Source: source, Head: open.Head(), By: by, Way: "retry", Mends: ofSource,
		OnReject: func(reject stage.Reject) { r.Rejects = append(r.Rejects, reject) }})
	l := result.Ledger
	r.Warnings = result.Warnings
	r.Commit, r.Accepted, r.Duplicate, r.Skipped, r.Again = result.Entry.N, l.Accepted, l.Duplicate, l.Skipped, l.Quarantined
	return r, more, err
}

// judgeAnew says whether a row's verdict is another now.
func judgeAnew(row quarantine.Row, contract quarantine.Contract, reread *stage.Rereader, count *Retried) (stage.Mend, bool, error) {
	count.Open++
	kept, err := quarantine.Cells(row.Values)
	if err != nil {
		return stage.Mend{}, true, err
	}
	cells := stagedCells(kept)
	if column, lost := reread.Lost(cells); lost {
		count.Lost = append(count.Lost, lostRow{row.ID, column})
		return stage.Mend{}, false, nil
	}
	if reason, field := reread.Reason(cells); reason == row.Reason && (field == "" || field == contract.Field(row.Column)) {
		count.Unchanged++
		return stage.Mend{}, false, nil
	}
	return stage.Mend{N: row.N, Row: row.No, At: row.ReceivedAt, Cells: reread.Again(cells), File: row.File, Line: row.Line}, true, nil
}
