package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/connectors"
	"xinshu/connectors/all"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/pipelines"
	"xinshu/pipelines/stage"
)

func sourceCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "source", Short: "the platforms and departments that are pulled from"})
	cmd.AddCommand(sourceAdd(t, o), sourceTest(t, o), sourceList(t, o), sourceExport(t, o), sourceManual(t))
	return cmd
}

func sourceList(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "the sources of the config and of the console, without their secrets", Args: usage(cobra.NoArgs)})
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		type shown struct {
			Name     string   `json:"name"`
			Kind     string   `json:"kind"`
			Datasets []string `json:"datasets"`
			Fixed    bool     `json:"fixed"` // it stands in the config; the others were made in the console
		}
		sources, err := a.desk.Connections(ctx, desk.SourceRole)
		if err != nil {
			return err
		}
		list := []shown{}
		for _, c := range sources {
			list = append(list, shown{c.ID, c.Kind, append([]string{}, c.IDs()...), c.Fixed})
		}
		if t.json {
			return t.printJSON(list)
		}
		for _, s := range list {
			t.printf("%-16s %-10s %s\n", s.Name, s.Kind, strings.Join(s.Datasets, " "))
		}
		return nil
	})
	return cmd
}

func datasetsOf(s SourceConfig) []string {
	ids := []string{}
	for id := range s.Datasets {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func sourceTest(t *terminal, o *options) *cobra.Command {
	var (
		datasets []string
		rows     int
	)
	cmd := t.jsonFlag(&cobra.Command{Use: "test NAME", Short: "reach a source and show its first rows with their verdicts; nothing is staged", Args: usage(cobra.ExactArgs(1))})
	cmd.Flags().StringSliceVar(&datasets, "dataset", nil, "dataset ids; none: all of the source")
	cmd.Flags().IntVar(&rows, "rows", previewRows, "rows to show of each dataset, 100 at most; 0: the connection alone")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			return t.trySource(ctx, a.desk, args[0], datasets, rows)
		})(cmd, args)
	}
	return cmd
}

// previewRows is how many rows are looked at before a source is taken in.
const previewRows = 10

// trial is what a look at a source came to, with the source's name.
type trial struct {
	Source string `json:"source"`
	desk.Trial
}

// trySource has the desk reach a source and look at the first rows of its datasets. A dataset that
// cannot be read does not keep the others from being shown.
func (t *terminal) trySource(ctx context.Context, d *desk.Desk, name string, datasets []string, rows int) error {
	if _, err := d.Connection(ctx, desk.SourceRole, name); fault.Is(err, fault.NotFound) {
		return usageError{&fault.Error{Op: "choose the source", Code: fault.NotFound, Err: err, Hint: "see xinshu source list"}}
	}
	looked, err := d.TrySaved(ctx, desk.SourceRole, name, datasets, rows)
	if err != nil {
		return fmt.Errorf("source %s: %w", name, err)
	}
	t.say("%s", looked.Reached)
	var errs []error
	for _, table := range looked.Datasets {
		if table.Error != "" {
			errs = append(errs, fmt.Errorf("source %s: %s", name, table.Error))
		}
		if t.json {
			continue
		}
		ds, _ := d.Catalog.Dataset(table.Dataset)
		t.printf("%s %s: %d rows as staging would judge them\n", table.Dataset, ds.Title.ZH, len(table.Rows))
		for _, j := range table.Rows {
			t.printf("%s", judgedLine(j, stage.Sentence(j.Reason, ds).ZH))
		}
	}
	if t.json {
		errs = append(errs, t.printJSON(trial{Source: name, Trial: looked}))
	}
	return errors.Join(errs...)
}

// before is a desk for a source that is not in the config yet: there may be no hub.
func before(c Config, s SourceConfig) *desk.Desk {
	cat, _ := loadCatalog(c)
	drivers := map[string]connectors.Driver{}
	for _, d := range all.Drivers(hubClock) {
		drivers[d.Kind] = d
	}
	return &desk.Desk{Catalog: cat, Drivers: drivers, Pipeline: &pipelines.Pipeline{Catalog: cat, Drivers: drivers, Now: hubClock},
		Given: []desk.Given{{Role: desk.SourceRole, ID: s.Name, Kind: s.Kind, Values: s.Values, Datasets: s.Datasets, Collected: s.Collected}}}
}

// judgedLine shows one row: where it is, the verdict with its reason, what was there.
func judgedLine(j stage.Judged, sentence string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s:%d  %s", filepath.Base(j.File), j.Line, j.Verdict)
	if j.Reason != "" {
		fmt.Fprintf(&b, "  %s %s %s", j.Reason, sentence, j.Column)
	}
	for _, note := range j.Notes {
		fmt.Fprintf(&b, "  (%s)", note)
	}
	b.WriteString("\n   ")
	for _, c := range j.Values {
		if c.Value != nil && *c.Value != "" {
			fmt.Fprintf(&b, " %s=%s", c.Name, clip(*c.Value))
		}
	}
	return b.String() + "\n"
}

// clip keeps a line readable.
func clip(text string) string {
	const most = 24
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

func sourceManual(t *terminal) *cobra.Command {
	var into string
	cmd := &cobra.Command{Use: "manual [KIND]", Short: "a kind's page of the manual, drawn from its declared settings", Args: usage(cobra.MaximumNArgs(1))}
	language := cmd.Flags().String("lang", "zh", "zh or en")
	cmd.Flags().StringVar(&into, "into", "", "write every kind's page in every language into this folder")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if !slices.Contains(connectors.Languages, *language) {
			return usageError{fmt.Errorf("--lang is %s", strings.Join(connectors.Languages, " or "))}
		}
		if into != "" {
			return writeManuals(into)
		}
		if len(args) == 0 {
			for _, d := range all.Drivers(hubClock) {
				t.printf("%-10s %s  %s\n", d.Kind, d.Title.ZH, d.Title.EN)
			}
			return nil
		}
		d, ok := all.Driver(args[0], hubClock)
		if !ok {
			return usageError{fmt.Errorf("there is no connector kind %q; see xinshu source manual", args[0])}
		}
		t.printf("%s", d.Manual(*language))
		return nil
	}
	return cmd
}

func writeManuals(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { // pages for everybody to read
		return err
	}
	for _, d := range all.Drivers(hubClock) {
		for _, language := range connectors.Languages {
			path := filepath.Join(dir, d.Kind+"."+language+".md")
			if err := os.WriteFile(path, []byte(d.Manual(language)), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
