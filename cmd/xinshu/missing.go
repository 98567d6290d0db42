package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/missing"
	"xinshu/sql"
)

func catalogMissing(t *terminal, o *options) *cobra.Command {
	var department string
	cmd := t.jsonFlag(&cobra.Command{Use: "missing", Short: "what others show and its owner never sent: acts past their duty, codes without registration", Args: usage(cobra.NoArgs)})
	cmd.Flags().StringVar(&department, "department", "", "acts of one department alone")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		f := missing.Finder{Lake: a.lake, SQL: sql.Files, Duck: a.duck, Catalog: a.catalog}
		lists, err := f.Find(ctx, catalog.DateOf(a.now()))
		if err != nil {
			return err
		}
		if department != "" {
			lists.Acts = slices.DeleteFunc(lists.Acts, func(act missing.Act) bool { return act.Department != department })
			lists.Entities = []missing.Entity{}
		}
		if t.json {
			return t.printJSON(lists)
		}
		for _, act := range lists.Acts {
			due := "no duty known"
			if act.DueOn != nil {
				due = "due on " + act.DueOn.String()
			}
			owner := act.Dataset
			if owner == "" {
				owner = "(nobody sends for " + act.Authority + ")"
			}
			t.printf("%-22s %s  %s  %s of %s, %s  shown by %s\n", owner, act.USCC, act.DocNo, act.Kind, act.DecidedOn, due, act.ShownBy)
		}
		for _, e := range lists.Entities {
			t.printf("%-22s %s  %s  named by %d records, first on %s by %s\n", "registration", e.USCC, e.Name, e.Records, e.ReceivedOn, e.ShownBy)
		}
		t.say("%d acts and %d registrations were never sent by their owners; for %d acts more the department still has time", len(lists.Acts), len(lists.Entities), lists.Early)
		return nil
	})
	return cmd
}
