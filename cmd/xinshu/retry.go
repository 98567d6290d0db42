package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"xinshu/internal/auth"
	"xinshu/pipelines/stage"
)

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
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		if by == "" {
			return usageError{errors.New("name who answers for it with --by")}
		}
		if _, err := f.query(ctx, a); err != nil {
			return err
		}
		all, err := a.desk.RetryRefused(auth.With(ctx, auth.Shell(by)), f.chosen())
		if t.json {
			return errors.Join(err, t.printJSON(all))
		}
		for _, r := range all {
			t.printf("%-26s open %d: retried %d = accepted %d + duplicate %d + skipped %d + refused again %d; unchanged %d, not kept whole %d\n",
				r.Dataset, r.Open, r.Retried, r.Accepted, r.Duplicate, r.Skipped, r.Again, r.Unchanged, len(r.Lost))
			t.notice(stage.Result{Warnings: r.Warnings})
			for i, l := range r.Lost {
				if i == mostRejectsShown {
					t.printf("  … and %d more\n", len(r.Lost)-i)
					break
				}
				t.printf("  %s: the value of %s was not kept; mend it in a workbook (quarantine export)\n", l.ID, l.Column)
			}
		}
		return err
	})
	return cmd
}
