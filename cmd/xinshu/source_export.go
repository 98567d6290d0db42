package main

import (
	"context"

	"github.com/spf13/cobra"

	"xinshu/internal/desk"
)

// sourceExport prints a source, of the config or made in the console, as an item of `sources`.
func sourceExport(t *terminal, o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "export NAME", Short: "a source as an item of `sources` in xinshu.yaml; its secrets are named, not given", Args: usage(cobra.ExactArgs(1))}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			text, err := a.desk.ExportConnection(ctx, desk.SourceRole, args[0])
			if err != nil {
				return err
			}
			t.printf("%s", text)
			return nil
		})(cmd, args)
	}
	return cmd
}
