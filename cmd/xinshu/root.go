package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// version is set by the build; a plain `go run` says dev.
var version = "dev"

// terminal is what a command talks to. Commands print to it and to nothing else.
type terminal struct {
	in       io.Reader
	out, err *os.File
	json     bool
}

// execute runs one command line and gives its exit code.
func execute(ctx context.Context, args []string, in io.Reader, out, errs *os.File) int {
	t := &terminal{in: in, out: out, err: errs}
	root := rootCommand(t)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err != nil {
		report(errs, err)
	}
	return exitCode(ctx, err)
}

func rootCommand(t *terminal) *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:           "xinshu",
		Short:         "信枢: pulls, checks, scores and shares public credit information",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	group(root)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := root.PersistentFlags()
	flags.StringVarP(&o.config, "config", "c", "", "xinshu.yaml; none: an embedded set-up in the data folder")
	flags.StringVar(&o.data, "data", "", "data folder (default ./data, or what the config says)")
	root.AddCommand(
		usccCommand(t, o), catalogCommand(t, o), policyCommand(t, o),
		runCommand(t, o), pullCommand(t, o, "pull"), pullCommand(t, o, "stage"), settleCommand(t, o), scoreCommand(t, o), publishCommand(t, o), pushCommand(t, o),
		ingestCommand(t, o), receiveCommand(t, o), quarantineCommand(t, o), identityCommand(t, o), feedCommand(t, o), caseCommand(t, o), releaseCommand(t, o), verifyCommand(t, o), explainCommand(t, o),
		sourceCommand(t, o), targetCommand(t, o), scheduleCommand(t, o), taskCommand(t, o), demoCommand(t, o), simulateCommand(t, o), benchCommand(t), serveCommand(t, o), vaultCommand(t, o), userCommand(t, o), keyCommand(t, o), auditCommand(t, o),
		backupCommand(t, o), restoreCommand(t, o), migrateCommand(t, o), tidyCommand(t, o), doctorCommand(t, o),
	)
	return root
}

// options are the flags every command shares.
type options struct {
	config string
	data   string
}

// load reads the config and lets --data win over it.
func (o *options) load() (Config, error) {
	c, err := loadConfig(o.config)
	if err == nil && o.data != "" {
		c.Data = o.data
	}
	return c, err
}

// usage turns a wrong number of arguments into a usage error.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
		}
		return nil
	}
}

// group makes a command that only holds others: without one of them it shows its help, and an
// unknown one is the caller's fault.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usageError{fmt.Errorf("there is no command %q; see %s --help", args[0], cmd.CommandPath())}
		}
		return cmd.Help()
	}
	return cmd
}

// jsonFlag adds --json to a command whose form scripts rely on.
func (t *terminal) jsonFlag(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&t.json, "json", false, "one JSON document on standard output, messages on standard error")
	return cmd
}

// printJSON writes one indented document.
func (t *terminal) printJSON(v any) error {
	enc := json.NewEncoder(t.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (t *terminal) printf(format string, args ...any) { fmt.Fprintf(t.out, format, args...) }

// say prints a message about the work: to standard error, so that --json stays clean.
func (t *terminal) say(format string, args ...any) { fmt.Fprintf(t.err, format+"\n", args...) }
