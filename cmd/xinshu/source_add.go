package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"xinshu/internal/fault"
)

func sourceAdd(t *terminal, o *options) *cobra.Command {
	var (
		from          string
		yes, untested bool
		rows          int
	)
	cmd := &cobra.Command{Use: "add [NAME]", Short: "take in a source: its settings are asked for or read, tried, shown with ten rows, and written to the config",
		Args: usage(cobra.MaximumNArgs(1))}
	cmd.Flags().StringVar(&from, "from", "", "a file in the form of one item of `sources`, or - for standard input; none: every setting is asked for")
	cmd.Flags().BoolVar(&yes, "yes", false, "write without asking")
	cmd.Flags().BoolVar(&untested, "untested", false, "write without reaching the source, where the network is not open yet")
	cmd.Flags().IntVar(&rows, "rows", previewRows, "rows to show of each dataset")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if o.config == "" {
			return usageError{errors.New("name the config that the source is written to with -c; a file that is not there yet is made")}
		}
		a := &asker{t: t, in: bufio.NewReader(t.in)}
		s, err := readSource(a, from)
		if err != nil {
			return err
		}
		if len(args) == 1 {
			s.Name = args[0]
		}
		edit, err := newSourceEdit(o.config, s)
		if err != nil {
			return err
		}
		c, resolved, err := edit.check()
		if err != nil {
			return err
		}
		if o.data != "" {
			c.Data = o.data
		}
		if !untested {
			if err := t.trySource(cmd.Context(), before(c, resolved), resolved.Name, nil, rows); err != nil {
				t.say("nothing was written; --untested writes a source that cannot be reached yet")
				return err
			}
		}
		if !yes && !a.agrees(fmt.Sprintf("写入 %s？ write %s to %s? [y/N] ", o.config, s.Name, o.config)) {
			return errors.Join(context.Cause(cmd.Context()), usageError{errors.New("nothing was written")})
		}
		if err := edit.write(); err != nil {
			return err
		}
		t.say("source %s is in %s; next: xinshu pull -c %s --source %s", s.Name, o.config, o.config, s.Name)
		return nil
	}
	return cmd
}

// readSource takes a source from YAML or from the dialogue.
func readSource(a *asker, from string) (s SourceConfig, err error) {
	var text []byte
	switch from {
	case "":
		return a.source()
	case "-":
		text, err = io.ReadAll(io.LimitReader(a.in, 1<<20))
	default:
		text, err = os.ReadFile(from)
	}
	if err != nil {
		return s, usageError{&fault.Error{Op: "read the source", Code: fault.NotFound, Err: err}}
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&s); err != nil {
		f := &configFaults{path: from}
		f.yaml(err)
		return s, f.err()
	}
	return s, nil
}
