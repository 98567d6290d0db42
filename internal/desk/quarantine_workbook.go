package desk

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"

	"xinshu/internal/auth"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
	"xinshu/pipelines/stage"
)

// ExportRefused writes the open rows that are chosen as a workbook that a department mends and gives back.
func (d *Desk) ExportRefused(ctx context.Context, w RefusedRows, path string) (done quarantine.Exported, err error) {
	ids, err := d.QuarantineDatasets(ctx, w)
	if err != nil {
		return done, err
	}
	var contracts []quarantine.Contract
	for _, id := range ids {
		ds, _ := d.Catalog.Dataset(id)
		c, _, err := d.contract(ds)
		if err != nil {
			return done, err
		}
		contracts = append(contracts, c)
	}
	if err := d.record(ctx, auth.Act{Action: "quarantine.export", Kind: "quarantine", ID: w.Department, Detail: w.detail()}); err != nil {
		return done, err
	}
	return done, d.withDuck(ctx, func(db *duck.DB) error {
		done, err = quarantine.Export(ctx, d.Lake, db, contracts, quarantine.Query{Datasets: ids, Reason: w.Reason, Run: w.Run}, d.Pipeline.Stager.HashKey, d.Now(), path)
		return err
	})
}

func (w RefusedRows) detail() map[string]string {
	detail := map[string]string{}
	for name, value := range map[string]string{"department": w.Department, "datasets": joined(w.Datasets), "reason": w.Reason, "run": w.Run} {
		if value != "" {
			detail[name] = value
		}
	}
	return detail
}

// withDuck lends an engine of its own to one piece of work after another, so that many of them at once
// do not take many times the memory.
func (d *Desk) withDuck(ctx context.Context, do func(*duck.DB) error) error {
	s := &d.shelves
	s.once.Do(func() { s.turn = make(chan struct{}, 1) })
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	db, err := duck.Open(d.reader(0))
	if err != nil {
		return err
	}
	return closed(db, do(db))
}

// Resubmitted is what became of a workbook; scripts rely on its form.
type Resubmitted struct {
	File     string             `json:"file"`
	SHA256   string             `json:"sha256"`
	Datasets []Mended           `json:"datasets"`
	Faults   []quarantine.Fault `json:"faults"` // with any, nothing was staged
}

// Mended is what became of one dataset's rows.
type Mended struct {
	Dataset   string           `json:"dataset"`
	Commit    int64            `json:"commit"` // the last one; 0: nothing was to be committed
	Changed   int64            `json:"changed"`
	Accepted  int64            `json:"accepted"`
	Duplicate int64            `json:"duplicate"`
	Skipped   int64            `json:"skipped"`
	Again     int64            `json:"again"` // refused again
	Withdrawn int64            `json:"withdrawn"`
	Unchanged int64            `json:"unchanged"` // still open
	Before    map[string]int64 `json:"before"`    // taken before from the same workbook, by outcome
	Warnings  map[string]int64 `json:"warnings"`  // accepted rows by warning about their code
	Rejects   []stage.Reject   `json:"rejects"`
}

func (m *Mended) add(result stage.Result, rejects []stage.Reject) {
	l := result.Ledger
	m.Commit = result.Entry.N
	m.Accepted += l.Accepted
	m.Duplicate += l.Duplicate
	m.Skipped += l.Skipped
	m.Again += l.Quarantined
	for code, n := range result.Warnings {
		m.Warnings[code] += n
	}
	m.Rejects = append(m.Rejects, rejects...)
}

// CheckWorkbook looks at a workbook that came back and stages nothing: what it says of each dataset, and
// every fault by sheet and cell.
func (d *Desk) CheckWorkbook(ctx context.Context, path, name string) (r *Resubmitted, err error) {
	err = d.withDuck(ctx, func(db *duck.DB) (err error) {
		_, r, err = d.readWorkbook(ctx, db, path, name)
		return err
	})
	return r, err
}

// TakeWorkbook looks at the whole workbook, then stages its changed rows, dataset after dataset. With any
// fault nothing is staged. The same workbook given again changes nothing.
func (d *Desk) TakeWorkbook(ctx context.Context, path, name string) (r *Resubmitted, err error) {
	err = d.withDuck(ctx, func(db *duck.DB) error {
		book, looked, err := d.readWorkbook(ctx, db, path, name)
		if r = looked; err != nil {
			return err
		}
		r.Datasets = []Mended{}
		if len(r.Faults) > 0 {
			return faulty(r.File, len(r.Faults))
		}
		if err := d.record(ctx, auth.Act{Action: "quarantine.workbook", Kind: "workbook", ID: book.SHA256, Detail: map[string]string{"file": r.File, "datasets": joined(book.Datasets)}}); err != nil {
			return err
		}
		for _, id := range book.Datasets {
			m, err := d.takeDataset(ctx, db, book, id, r.File)
			if err != nil {
				return err
			}
			r.Datasets = append(r.Datasets, m)
		}
		return nil
	})
	return r, err
}

// readWorkbook reads a workbook and holds it against the lake as it stands.
func (d *Desk) readWorkbook(ctx context.Context, db *duck.DB, path, name string) (*quarantine.Returned, *Resubmitted, error) {
	name = filepath.Base(name)
	book, err := quarantine.Read(ctx, db, path, name, d.Pipeline.Stager.HashKey)
	if err != nil {
		return nil, nil, err
	}
	r := &Resubmitted{File: name, SHA256: book.SHA256, Datasets: []Mended{}, Faults: append([]quarantine.Fault{}, book.Faults...)}
	if len(book.Datasets) > 0 {
		if _, err := d.QuarantineDatasets(ctx, RefusedRows{Datasets: book.Datasets}); err != nil {
			return nil, nil, err
		}
	}
	for _, id := range book.Datasets {
		m := newMended(id)
		j, err := d.heldAgainst(ctx, db, book, id, func(*quarantine.Book, quarantine.Contract, quarantine.Judged) error { return nil })
		if err != nil {
			return book, r, err
		}
		m.Changed, m.Withdrawn, m.Unchanged, m.Before = j.Changed, j.Withdrawn, j.Unchanged, j.Done
		r.Datasets = append(r.Datasets, m)
		r.Faults = append(r.Faults, j.Faults...)
	}
	return book, r, nil
}

func newMended(id string) Mended {
	return Mended{Dataset: id, Before: map[string]int64{}, Warnings: map[string]int64{}, Rejects: []stage.Reject{}}
}

func faulty(name string, faults int) error {
	return &fault.Error{Op: "resubmit " + name, Code: fault.Invalid, Err: fmt.Errorf("%d places in the workbook are wrong; nothing was staged", faults),
		Hint: "mend the cells named and give it again"}
}

// heldAgainst judges the workbook's rows of one dataset by the lake as it stands.
func (d *Desk) heldAgainst(ctx context.Context, db *duck.DB, book *quarantine.Returned, id string, then func(*quarantine.Book, quarantine.Contract, quarantine.Judged) error) (j quarantine.Judged, err error) {
	ds, ok := d.Catalog.Dataset(id)
	if !ok {
		return j, fault.Newf(fault.NotFound, "resubmit "+id, "the catalogue has no such dataset any more")
	}
	c, _, err := d.contract(ds)
	if err != nil {
		return j, err
	}
	open, err := quarantine.OpenBook(ctx, d.Lake, db, id)
	if err != nil {
		return j, err
	}
	if j, err = book.Judge(ctx, open, c, nil); err != nil {
		return j, err
	}
	return j, then(open, c, j)
}

// takeDataset stages the workbook's rows of one dataset, the rows of one source after those of another.
func (d *Desk) takeDataset(ctx context.Context, db *duck.DB, book *quarantine.Returned, id, name string) (Mended, error) {
	m := newMended(id)
	ds, _ := d.Catalog.Dataset(id)
	first, conflicts := true, 0
	for {
		more := false
		_, err := d.heldAgainst(ctx, db, book, id, func(open *quarantine.Book, contract quarantine.Contract, j quarantine.Judged) error {
			if first {
				m.Changed, m.Withdrawn, m.Unchanged, m.Before = j.Changed, j.Withdrawn, j.Unchanged, j.Done
			}
			if len(j.Faults) > 0 { // another run dealt with its rows since the workbook was looked at
				return fmt.Errorf("%w: %s", faulty(name, len(j.Faults)), j.Faults[0])
			}
			if len(j.Sources) == 0 {
				return nil
			}
			more = len(j.Sources) > 1
			var rejects []stage.Reject
			result, err := d.Pipeline.Correct(ctx, ds, stage.Correction{Source: j.Sources[0], Head: j.Head, By: decider(ctx), Way: "workbook", Workbook: book.SHA256,
				Mends: mends(book.Mends(ctx, open, contract, j.Sources[0]), name), OnReject: func(r stage.Reject) { rejects = append(rejects, r) }})
			if err == nil {
				m.add(result, rejects)
				first = false
			}
			return err
		})
		if fault.Is(err, fault.Conflict) && conflicts < correctTries {
			conflicts++
			continue
		}
		if err != nil || !more {
			return m, err
		}
	}
}

// mends gives staging what the workbook says.
func mends(rows iter.Seq2[quarantine.Mend, error], name string) iter.Seq2[stage.Mend, error] {
	return func(yield func(stage.Mend, error) bool) {
		for m, err := range rows {
			if !yield(stage.Mend{N: m.N, Row: m.No, Cells: stagedCells(m.Cells), Withdraw: m.Withdraw, At: m.At, File: name + "/" + m.Sheet, Line: m.Line}, err) {
				return
			}
		}
	}
}
