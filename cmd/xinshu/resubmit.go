package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
	"xinshu/pipelines/stage"
)

func exportCommand(t *terminal, o *options) *cobra.Command {
	f := &rowFlags{}
	var out string
	cmd := t.jsonFlag(&cobra.Command{Use: "export --out FILE.xlsx", Short: "write the open rows as a workbook that a department mends and gives back", Args: usage(cobra.NoArgs)})
	f.add(cmd, true)
	cmd.Flags().StringVar(&out, "out", "", "the workbook to write, .xlsx; one that is there is replaced")
	cmd.RunE = t.withQuarantine(o, f, func(ctx context.Context, a *app, db *duck.DB, q quarantine.Query) error {
		if len(f.Datasets) == 0 && f.department == "" {
			return usageError{errors.New("name whose rows to export with --department or --dataset")}
		}
		if filepath.Ext(out) != ".xlsx" {
			return usageError{errors.New("--out names the workbook to write, with the ending .xlsx")}
		}
		if info, err := os.Stat(filepath.Dir(out)); err != nil || !info.IsDir() {
			return usageError{fmt.Errorf("--out: there is no folder %s", filepath.Dir(out))}
		}
		var contracts []quarantine.Contract
		for _, id := range q.Datasets {
			ds, _ := a.catalog.Dataset(id)
			c, _, err := a.contract(ds)
			if err != nil {
				return err
			}
			contracts = append(contracts, c)
		}
		done, err := quarantine.Export(ctx, a.lake, db, contracts, q, a.pipeline.Stager.HashKey, a.now(), out)
		if err != nil {
			return &fault.Error{Op: "export to " + out, Code: fault.CodeOf(err), Err: err, Hint: "nothing was changed; check that the folder can be written"}
		}
		if t.json {
			return t.printJSON(done)
		}
		for _, id := range q.Datasets {
			if n := done.Datasets[id]; n > 0 {
				t.printf("%-26s %d open rows\n", id, n)
			}
		}
		t.printf("%d rows in %s\n", done.Rows, out)
		return nil
	})
	return cmd
}

// Resubmitted is what became of a workbook; scripts rely on its form.
type Resubmitted struct {
	File     string             `json:"file"`
	SHA256   string             `json:"sha256"`
	Datasets []corrected        `json:"datasets"`
	Faults   []quarantine.Fault `json:"faults"` // with any, nothing was staged
}

// corrected is what became of one dataset's rows.
type corrected struct {
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

func (c *corrected) add(result stage.Result, rejects []stage.Reject) {
	l := result.Ledger
	c.Commit = result.Entry.N
	c.Accepted += l.Accepted
	c.Duplicate += l.Duplicate
	c.Skipped += l.Skipped
	c.Again += l.Quarantined
	for code, n := range result.Warnings {
		c.Warnings[code] += n
	}
	c.Rejects = append(c.Rejects, rejects...)
}

func resubmitCommand(t *terminal, o *options) *cobra.Command {
	var by string
	cmd := t.jsonFlag(&cobra.Command{Use: "resubmit FILE.xlsx --by NAME", Args: usage(cobra.ExactArgs(1)),
		Short: "take a mended workbook back: its changed rows are staged, linked to the rows they stand for",
		Long: "Takes back a workbook of quarantine export. The whole workbook is looked at first: with any fault in it nothing is staged. Then the\n" +
			"rows that one source brought to one dataset become one commit; what was stopped between two of them the same command finishes.\n" +
			"Rows that were not changed stay open. The same workbook given again changes nothing."})
	cmd.Flags().StringVar(&by, "by", "", "who answers for the corrections")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withQuarantine(o, &rowFlags{}, func(ctx context.Context, a *app, db *duck.DB, _ quarantine.Query) error {
			if by == "" {
				return usageError{errors.New("name who answers for the corrections with --by")}
			}
			r, err := a.resubmit(ctx, db, args[0], by)
			if r == nil {
				return err
			}
			if t.json {
				return errors.Join(t.printJSON(r), err)
			}
			for _, c := range r.Datasets {
				t.printf("%-26s changed %d = accepted %d + duplicate %d + skipped %d + refused again %d; withdrawn %d, unchanged %d, taken before %d\n",
					c.Dataset, c.Changed, c.Accepted, c.Duplicate, c.Skipped, c.Again, c.Withdrawn, c.Unchanged, total(c.Before))
				t.notice(stage.Result{Warnings: c.Warnings})
				for i, reject := range c.Rejects {
					if i == mostRejectsShown {
						t.printf("  … and %d more; see xinshu quarantine list\n", len(c.Rejects)-i)
						break
					}
					t.printf("  %s:%d %s %s %q\n", reject.File, reject.Line, reject.Column, reject.Reason, reject.Value)
				}
			}
			for _, f := range r.Faults {
				t.say("%s", f)
			}
			return err
		})(cmd, args)
	}
	return cmd
}

func total(counts map[string]int64) (sum int64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// resubmit looks at the whole workbook, then takes its datasets one after another.
func (a *app) resubmit(ctx context.Context, db *duck.DB, path, by string) (*Resubmitted, error) {
	name := filepath.Base(path)
	book, err := quarantine.Read(ctx, db, path, name, a.pipeline.Stager.HashKey)
	if err != nil {
		return nil, err
	}
	r := &Resubmitted{File: name, SHA256: book.SHA256, Datasets: []corrected{}, Faults: append([]quarantine.Fault{}, book.Faults...)}
	for _, id := range book.Datasets {
		j, err := a.heldAgainst(ctx, db, book, id, func(*quarantine.Book, quarantine.Contract, quarantine.Judged) error { return nil })
		if err != nil {
			return r, err
		}
		r.Faults = append(r.Faults, j.Faults...)
	}
	if len(r.Faults) > 0 {
		return r, faulty(name, len(r.Faults))
	}
	for _, id := range book.Datasets {
		c, err := a.take(ctx, db, book, id, by, name)
		if err != nil {
			return r, err
		}
		r.Datasets = append(r.Datasets, c)
	}
	return r, nil
}

func faulty(name string, faults int) error {
	return &fault.Error{Op: "resubmit " + name, Code: fault.Invalid, Err: fmt.Errorf("%d places in the workbook are wrong; nothing was staged", faults),
		Hint: "mend the cells named and give it again"}
}

// heldAgainst judges the workbook's rows of one dataset by the lake as it stands.
func (a *app) heldAgainst(ctx context.Context, db *duck.DB, book *quarantine.Returned, id string, then func(*quarantine.Book, quarantine.Contract, quarantine.Judged) error) (j quarantine.Judged, err error) {
	ds, ok := a.catalog.Dataset(id)
	if !ok {
		return j, fault.Newf(fault.NotFound, "resubmit "+id, "the catalogue has no such dataset any more")
	}
	c, _, err := a.contract(ds)
	if err != nil {
		return j, err
	}
	open, err := quarantine.OpenBook(ctx, a.lake, db, id)
	if err != nil {
		return j, err
	}
	if j, err = book.Judge(ctx, open, c, nil); err != nil {
		return j, err
	}
	return j, then(open, c, j)
}

// correctTries is how often a dataset is looked at anew because another run committed to its chain.
const correctTries = 8

// take stages the workbook's rows of one dataset, the rows of one source after those of another.
func (a *app) take(ctx context.Context, db *duck.DB, book *quarantine.Returned, id, by, name string) (corrected, error) {
	c := corrected{Dataset: id, Warnings: map[string]int64{}, Rejects: []stage.Reject{}}
	ds, _ := a.catalog.Dataset(id)
	first, conflicts := true, 0
	for {
		more := false
		_, err := a.heldAgainst(ctx, db, book, id, func(open *quarantine.Book, contract quarantine.Contract, j quarantine.Judged) error {
			if first {
				c.Changed, c.Withdrawn, c.Unchanged, c.Before = j.Changed, j.Withdrawn, j.Unchanged, j.Done
			}
			if len(j.Faults) > 0 { // another run dealt with its rows since the workbook was looked at
				return fmt.Errorf("%w: %s", faulty(name, len(j.Faults)), j.Faults[0])
			}
			if len(j.Sources) == 0 {
				return nil
			}
			more = len(j.Sources) > 1
			var rejects []stage.Reject
			result, err := a.pipeline.Correct(ctx, ds, stage.Correction{Source: j.Sources[0], Head: j.Head, By: by, Way: "workbook", Workbook: book.SHA256,
				Mends: mends(book.Mends(ctx, open, contract, j.Sources[0]), name), OnReject: func(r stage.Reject) { rejects = append(rejects, r) }})
			if err == nil {
				c.add(result, rejects)
				first = false
			}
			return err
		})
		if fault.Is(err, fault.Conflict) && conflicts < correctTries {
			conflicts++
			continue
		}
		if err != nil || !more {
			return c, err
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
