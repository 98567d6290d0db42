package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// driftLine is one open drift in catalog drift --json.
type driftLine struct {
	Dataset string `json:"dataset"`
	Source  string `json:"source"`
	chain.Drift
}

func catalogDrift(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "drift [DATASET]", Short: "what sources send otherwise than their contracts say", Args: usage(cobra.MaximumNArgs(1))})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			lines, err := a.drifts(ctx, args)
			if err != nil {
				return err
			}
			if t.json {
				return t.printJSON(lines)
			}
			for _, l := range lines {
				t.printf("%s\n", l)
			}
			t.say("%d drifts are open", len(lines))
			return nil
		})(cmd, args)
	}
	return cmd
}

// String says a drift in a line.
func (l driftLine) String() string {
	text := fmt.Sprintf("%-22s %-12s %s", l.Dataset, l.Source, l.Kind)
	switch l.Kind {
	case catalog.UnknownColumn:
		text += fmt.Sprintf(" column %s, %s in %d rows, e.g. %q", l.Column, l.Guess, l.Rows, l.Example)
	case catalog.MissingColumn:
		text += " column " + l.Field
	default:
		text += fmt.Sprintf(" of %s: %s in %d rows, e.g. %q", l.Field, l.Guess, l.Rows, l.Example)
	}
	return text + fmt.Sprintf("  (%s; %s to %s)", l.Action, l.First, l.Last)
}

// drifts gives the open drifts of all feeds, or of one dataset.
func (a *app) drifts(ctx context.Context, only []string) ([]driftLine, error) {
	if len(only) > 0 {
		if _, err := a.dataset(only[0]); err != nil {
			return nil, err
		}
	}
	feeds, err := a.pipeline.Feeds(ctx)
	if err != nil {
		return nil, err
	}
	lines := []driftLine{}
	for _, feed := range feeds {
		if len(only) > 0 && feed.Dataset != only[0] {
			continue
		}
		for _, d := range feed.Drift {
			lines = append(lines, driftLine{feed.Dataset, feed.Source, d})
		}
	}
	return lines, nil
}

func (a *app) dataset(id string) (catalog.Dataset, error) {
	ds, ok := a.catalog.Dataset(id)
	if !ok {
		return ds, usageError{&fault.Error{Op: "choose the dataset", Code: fault.NotFound, Err: fmt.Errorf("there is no dataset %q", id), Hint: "see xinshu catalog list dataset"}}
	}
	return ds, nil
}

// contractDiff is one dataset in catalog diff --json.
type contractDiff struct {
	Dataset string           `json:"dataset"`
	Changes []catalog.Change `json:"changes"`
	Drift   []driftLine      `json:"drift"`
}

func catalogDiff(t *terminal, o *options) *cobra.Command {
	var with string
	cmd := t.jsonFlag(&cobra.Command{Use: "diff [DATASET]", Short: "the contract against what sources send; or, with --with, against the contracts of another folder; ! marks what breaks", Args: usage(cobra.MaximumNArgs(1))})
	cmd.Flags().StringVar(&with, "with", "", "a catalogue folder, laid over the built-in one")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			diffs, err := a.diffs(ctx, with, args)
			if err != nil {
				return err
			}
			if t.json {
				return t.printJSON(diffs)
			}
			for _, d := range diffs {
				t.printf("%s\n", d.Dataset)
				for _, c := range d.Changes {
					t.printf("%s\n", c)
				}
				for _, l := range d.Drift {
					t.printf("  %s\n", l)
				}
			}
			t.say("%d datasets differ", len(diffs))
			return nil
		})(cmd, args)
	}
	return cmd
}

func (a *app) diffs(ctx context.Context, with string, only []string) ([]contractDiff, error) {
	diffs := []contractDiff{}
	if with == "" {
		lines, err := a.drifts(ctx, only)
		for _, l := range lines {
			if last := len(diffs) - 1; last < 0 || diffs[last].Dataset != l.Dataset {
				diffs = append(diffs, contractDiff{Dataset: l.Dataset, Changes: []catalog.Change{}})
			}
			diffs[len(diffs)-1].Drift = append(diffs[len(diffs)-1].Drift, l)
		}
		return diffs, err
	}
	if info, err := os.Stat(with); err != nil || !info.IsDir() {
		return nil, usageError{fmt.Errorf("--with: there is no folder %s", with)}
	}
	other, faults := catalog.Load(catalog.Layer(os.DirFS(with), catalog.Files))
	for _, f := range faults {
		if _, err := fs.Stat(os.DirFS(with), f.File); err == nil {
			return nil, &fault.Error{Op: "read the catalogue of " + with, Code: fault.Invalid, Err: f, Hint: "mend the file, then compare"}
		}
	}
	ids := map[string]bool{}
	for _, c := range []*catalog.Catalog{a.catalog, other} {
		for _, ds := range c.Datasets {
			ids[ds.ID] = len(only) == 0 || only[0] == ds.ID
		}
	}
	for id, wanted := range ids {
		before, had := a.catalog.Dataset(id)
		after, has := other.Dataset(id)
		d := contractDiff{Dataset: id, Drift: []driftLine{}}
		switch {
		case !wanted:
			continue
		case !had:
			d.Changes = []catalog.Change{{What: "dataset", Name: id, New: after.Title.ZH}}
		case !has:
			d.Changes = []catalog.Change{{What: "dataset", Name: id, Old: before.Title.ZH, Breaking: true}}
		default:
			d.Changes = catalog.Diff(before, after)
		}
		if len(d.Changes) > 0 {
			diffs = append(diffs, d)
		}
	}
	slices.SortFunc(diffs, func(x, y contractDiff) int { return strings.Compare(x.Dataset, y.Dataset) })
	return diffs, nil
}

func catalogPropose(t *terminal, o *options) *cobra.Command {
	var out string
	cmd := &cobra.Command{Use: "propose DATASET", Short: "write the next version of a contract that takes in what its sources send; nothing is in force by it", Args: usage(cobra.ExactArgs(1))}
	cmd.Flags().StringVar(&out, "out", "", "a catalogue folder to write it into; none: standard output")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			ds, err := a.dataset(args[0])
			if err != nil {
				return err
			}
			lines, err := a.drifts(ctx, args)
			if err != nil {
				return err
			}
			if len(lines) == 0 {
				t.say("%s: its sources send what the contract says; there is nothing to propose", ds.ID)
				return nil
			}
			var seen []catalog.Sighting
			for _, l := range lines {
				seen = append(seen, catalog.Sighting{Kind: l.Kind, Column: l.Column, Field: l.Field, Guess: l.Guess, Longest: l.Longest})
			}
			text, err := fs.ReadFile(a.files, ds.File)
			if err != nil {
				return err
			}
			next, notes, err := catalog.Propose(text, ds, seen)
			if err != nil {
				return err
			}
			for _, note := range notes {
				t.say("%s", note)
			}
			if out == "" {
				t.printf("%s", next)
				return nil
			}
			if err := t.layDown(out, ds.File, next); err != nil {
				return err
			}
			t.say("compare it with: xinshu catalog diff %s --with %s; release it with: xinshu release propose", ds.ID, out)
			return nil
		})(cmd, args)
	}
	return cmd
}
