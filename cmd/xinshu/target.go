package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"xinshu/connectors/dbtable"
)

func targetCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "target", Short: "the platforms that results are pushed to"})
	cmd.AddCommand(targetDDL(t, o))
	return cmd
}

// targetDDL prints and never runs: the tables belong to the receiver, whose administrator makes them.
func targetDDL(t *terminal, o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "ddl ID", Args: usage(cobra.ExactArgs(1)),
		Short: "print the statements that make a database target's tables, for its administrator to look at and run"}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		c, err := o.load()
		if err != nil {
			return err
		}
		at := slices.IndexFunc(c.Targets, func(target TargetConfig) bool { return target.ID == args[0] })
		if at < 0 {
			return usageError{fmt.Errorf("no target %q in the config", args[0])}
		}
		target := c.Targets[at]
		push, feedback := target.Values["push_table"], target.Values["feedback_table"]
		if target.Kind != "dbtable" || push == "" {
			return usageError{fmt.Errorf("target %s has no tables: it needs kind dbtable and the setting push_table", target.ID)}
		}
		statements := dbtable.DDL(target.Values["engine"], target.Values["push_schema"], push, feedback)
		if len(statements) == 0 {
			return usageError{errors.New("the statements for engine " + target.Values["engine"] + " are not known; docs/operator.zh.md lists the columns")}
		}
		if feedback == "" { // what was laid down counts as received: no second table
			statements = statements[:1]
		}
		for _, s := range statements {
			t.printf("%s;\n", s)
		}
		return nil
	}
	return cmd
}
