package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"xinshu/internal/desk"
	"xinshu/internal/duck"
	"xinshu/internal/quarantine"
	"xinshu/pipelines/stage"
)

func quarantineCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "quarantine", Short: "rejected rows"})
	cmd.AddCommand(listCommand(t, o), sumCommand(t, o), exportCommand(t, o), resubmitCommand(t, o), retryCommand(t, o))
	return cmd
}

// rowFlags choose refused rows.
type rowFlags struct {
	department string
	quarantine.Query
}

func (f *rowFlags) add(cmd *cobra.Command, run bool) {
	cmd.Flags().StringSliceVar(&f.Datasets, "dataset", nil, "dataset ids; none: all")
	cmd.Flags().StringVar(&f.department, "department", "", "datasets of one department or platform")
	cmd.Flags().StringVar(&f.Reason, "reason", "", "one reason code")
	if run {
		cmd.Flags().StringVar(&f.Run, "run", "", "rows that one run refused")
	}
}

func (f *rowFlags) chosen() desk.RefusedRows {
	return desk.RefusedRows{Department: f.department, Datasets: f.Datasets, Reason: f.Reason, Run: f.Run}
}

// query names the datasets that are meant, and refuses names that nothing has.
func (f *rowFlags) query(ctx context.Context, a *app) (q quarantine.Query, err error) {
	q = f.Query
	if q.Datasets, err = a.desk.QuarantineDatasets(ctx, f.chosen()); err != nil {
		return q, usageError{err}
	}
	return q, nil
}

// withQuarantine opens hub and DuckDB for a command that reads refused rows.
func (t *terminal) withQuarantine(o *options, f *rowFlags, do func(ctx context.Context, a *app, db *duck.DB, q quarantine.Query) error) func(*cobra.Command, []string) error {
	return t.withApp(o, func(ctx context.Context, a *app) (err error) {
		q, err := f.query(ctx, a)
		if err != nil {
			return err
		}
		db, err := duck.Open(a.duck)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		return do(ctx, a, db, q)
	})
}

func listCommand(t *terminal, o *options) *cobra.Command {
	f := &rowFlags{}
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "open rows with place, reason and original values", Args: usage(cobra.NoArgs)})
	f.add(cmd, true)
	cmd.Flags().BoolVar(&f.All, "all", false, "every refused row: the closed ones with what became of them, and each repetition")
	cmd.RunE = t.withQuarantine(o, f, func(ctx context.Context, a *app, db *duck.DB, q quarantine.Query) error {
		rows := []quarantine.Row{}
		for row, err := range quarantine.List(ctx, a.lake, db, q) {
			if err != nil {
				return err
			}
			if t.json {
				rows = append(rows, row)
				continue
			}
			ds, _ := a.catalog.Dataset(row.Dataset)
			t.printf("%s  %s  %s:%d  %s %s %q  %s%s\n", row.ID, row.Dataset, row.File, row.Line, row.Reason, row.Column, row.Value, stage.Sentence(row.Reason, ds).ZH, again(row))
		}
		if t.json {
			return t.printJSON(rows)
		}
		return nil
	})
	return cmd
}

// again says how often a row came, or who closed it.
func again(row quarantine.Row) string {
	switch c := row.Closed; {
	case row.State == quarantine.Repeat:
		return "  (a repetition)"
	case c != nil && c.Became != "":
		return fmt.Sprintf("  (%s, %s: refused again as %s)", c.By, c.At, c.Became)
	case c != nil:
		return fmt.Sprintf("  (%s, %s: %s)", c.By, c.At, c.Outcome)
	case row.Seen > 1 && row.State == quarantine.Open:
		return fmt.Sprintf("  (seen %d times, %s to %s)", row.Seen, row.FirstDay, row.LastDay)
	}
	return ""
}

func sumCommand(t *terminal, o *options) *cobra.Command {
	f := &rowFlags{}
	cmd := t.jsonFlag(&cobra.Command{Use: "summary", Short: "refused = open + corrected + withdrawn, for each dataset and reason", Args: usage(cobra.NoArgs)})
	f.add(cmd, false)
	cmd.RunE = t.withQuarantine(o, f, func(ctx context.Context, a *app, db *duck.DB, q quarantine.Query) error {
		sum, err := quarantine.Summarise(ctx, a.lake, db, q)
		if err != nil {
			return err
		}
		if t.json {
			return t.printJSON(sum)
		}
		for _, s := range append(sum.Rows, sum.Total) {
			name := s.Dataset
			if name == "" {
				name = "all"
			}
			t.printf("%-26s %-18s refused %d = open %d + corrected %d + withdrawn %d  (quarantined %d, of them repeated %d, refused again %d)\n",
				name, s.Reason, s.Refused, s.Open, s.Corrected, s.Withdrawn, s.Quarantined, s.Repeated, s.Again)
		}
		return nil
	})
	return cmd
}
