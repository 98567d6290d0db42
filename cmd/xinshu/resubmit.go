package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/pipelines/stage"
)

func exportCommand(t *terminal, o *options) *cobra.Command {
	f := &rowFlags{}
	var out string
	cmd := t.jsonFlag(&cobra.Command{Use: "export --out FILE.xlsx", Short: "write the open rows as a workbook that a department mends and gives back", Args: usage(cobra.NoArgs)})
	f.add(cmd, true)
	cmd.Flags().StringVar(&out, "out", "", "the workbook to write, .xlsx; one that is there is replaced")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		if len(f.Datasets) == 0 && f.department == "" {
			return usageError{errors.New("name whose rows to export with --department or --dataset")}
		}
		if filepath.Ext(out) != ".xlsx" {
			return usageError{errors.New("--out names the workbook to write, with the ending .xlsx")}
		}
		if info, err := os.Stat(filepath.Dir(out)); err != nil || !info.IsDir() {
			return usageError{fmt.Errorf("--out: there is no folder %s", filepath.Dir(out))}
		}
		q, err := f.query(ctx, a)
		if err != nil {
			return err
		}
		done, err := a.desk.ExportRefused(ctx, f.chosen(), out)
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

func resubmitCommand(t *terminal, o *options) *cobra.Command {
	var by string
	cmd := t.jsonFlag(&cobra.Command{Use: "resubmit FILE.xlsx --by NAME", Args: usage(cobra.ExactArgs(1)),
		Short: "take a mended workbook back: its changed rows are staged, linked to the rows they stand for",
		Long: "Takes back a workbook of quarantine export. The whole workbook is looked at first: with any fault in it nothing is staged. Then the\n" +
			"rows that one source brought to one dataset become one commit; what was stopped between two of them the same command finishes.\n" +
			"Rows that were not changed stay open. The same workbook given again changes nothing."})
	cmd.Flags().StringVar(&by, "by", "", "who answers for the corrections")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			if by == "" {
				return usageError{errors.New("name who answers for the corrections with --by")}
			}
			r, err := a.desk.TakeWorkbook(auth.With(ctx, auth.Shell(by)), args[0], args[0])
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
