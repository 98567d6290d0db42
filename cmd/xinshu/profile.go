package main

import (
	"context"

	"github.com/spf13/cobra"

	"xinshu/internal/desk"
)

func catalogProfile(t *terminal, o *options) *cobra.Command {
	var run string
	cmd := t.jsonFlag(&cobra.Command{Use: "profile DATASET", Short: "what a pull brought in each field: rows, empty ones, different values, least, greatest, most frequent, share of valid codes", Args: usage(cobra.ExactArgs(1))})
	cmd.Flags().StringVar(&run, "run", "", "run whose rows are meant; empty: the last one that brought rows")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			ds, err := a.dataset(args[0])
			if err != nil {
				return err
			}
			report, err := a.desk.Profile(ctx, ds.ID, run)
			if err != nil {
				return err
			}
			if t.json {
				return t.printJSON(report)
			}
			t.profile(report)
			return nil
		})(cmd, args)
	}
	return cmd
}

func (t *terminal) profile(r desk.Profile) {
	t.printf("%s, run %s, commit %d\n", r.Dataset, r.Run, r.Commit)
	for _, f := range r.Fields {
		about := ""
		if !f.Exact {
			about = "about "
		}
		t.printf("%-18s rows %d, empty %d, unreadable %d, different %s%d", f.Field, f.Rows, f.Nulls, f.Unread, about, f.Distinct)
		if f.Valid != nil {
			t.printf(", valid codes %.2f%%", 100**f.Valid)
		}
		if f.Min != "" {
			t.printf(", from %s to %s", f.Min, f.Max)
		}
		t.printf("\n")
		for _, v := range f.Top {
			t.printf("    %8d  %s\n", v.Rows, v.Value)
		}
	}
}
