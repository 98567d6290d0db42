package main

import (
	"context"

	"github.com/spf13/cobra"
)

func verifyCommand(t *terminal, o *options) *cobra.Command {
	var readData bool
	cmd := t.jsonFlag(&cobra.Command{Use: "verify", Short: "check objects, log entries and seals; names the first thing that does not match", Args: usage(cobra.NoArgs)})
	cmd.Flags().BoolVar(&readData, "read-data", false, "hash every object instead of comparing sizes, and the rows of each newest score against its seal")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		r, err := a.lake.Verify(ctx, readData)
		if err != nil {
			return err
		}
		if t.json {
			return t.printJSON(r)
		}
		t.printf("all of it matches: %d chains, %d log entries, %d objects (%d bytes%s), %d seals", r.Chains, r.Entries, r.Objects, r.Bytes, map[bool]string{true: ", every one read", false: ""}[readData], r.Seals)
		t.printf("\n")
		return nil
	})
	return cmd
}
