package desk

import (
	"context"
	"errors"
	"iter"

	"xinshu/internal/auth"
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
	Lost      []LostRow        `json:"lost"`      // of which a value was not kept: only a workbook can mend them
	Warnings  map[string]int64 `json:"warnings"`  // accepted rows by warning about their code
	Rejects   []stage.Reject   `json:"rejects"`
}

// LostRow is a refused row that cannot be staged from what was kept of it.
type LostRow struct {
	ID     string `json:"id"`
	Column string `json:"column"`
}

// RetryRefused judges the chosen open rows anew by the contract, the code lists and the overrides as
// they stand, and stages those whose verdict is another now. A dataset that fails does not hold up the
// next. Datasets without open rows are left out.
func (d *Desk) RetryRefused(ctx context.Context, w RefusedRows) ([]Retried, error) {
	all := []Retried{}
	ids, err := d.QuarantineDatasets(ctx, w)
	if err != nil {
		return all, err
	}
	if err := d.record(ctx, auth.Act{Action: "quarantine.retry", Kind: "quarantine", ID: w.Department, Detail: w.detail()}); err != nil {
		return all, err
	}
	return all, d.withDuck(ctx, func(db *duck.DB) error {
		var errs []error
		for _, id := range ids {
			r, err := d.retry(ctx, db, id, quarantine.Query{Reason: w.Reason, Run: w.Run})
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if r.Open > 0 {
				all = append(all, r)
			}
		}
		return errors.Join(errs...)
	})
}

// retry stages the open rows of one dataset whose verdict is another now, source by source.
func (d *Desk) retry(ctx context.Context, db *duck.DB, id string, q quarantine.Query) (Retried, error) {
	r := Retried{Dataset: id, Lost: []LostRow{}, Warnings: map[string]int64{}, Rejects: []stage.Reject{}}
	conflicts := 0
	for {
		once, more, err := d.retryOnce(ctx, db, id, q)
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
func (d *Desk) retryOnce(ctx context.Context, db *duck.DB, id string, q quarantine.Query) (r Retried, more bool, err error) {
	r = Retried{Dataset: id, Lost: []LostRow{}}
	ds, _ := d.Catalog.Dataset(id)
	contract, reread, err := d.contract(ds)
	if err != nil {
		return r, false, err
	}
	open, err := quarantine.OpenBook(ctx, d.Lake, db, id)
	if err != nil {
		return r, false, err
	}
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
	result, err := d.Pipeline.Correct(ctx, ds, stage.Correction{Source: source, Head: open.Head(), By: decider(ctx), Way: "retry", Mends: ofSource,
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
		count.Lost = append(count.Lost, LostRow{row.ID, column})
		return stage.Mend{}, false, nil
	}
	if reason, field := reread.Reason(cells); reason == row.Reason && (field == "" || field == contract.Field(row.Column)) {
		count.Unchanged++
		return stage.Mend{}, false, nil
	}
	return stage.Mend{N: row.N, Row: row.No, At: row.ReceivedAt, Cells: reread.Again(cells), File: row.File, Line: row.Line}, true, nil
}
