package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/pipelines/stage"
)

// profileReport is what catalog profile --json prints.
type profileReport struct {
	Dataset string               `json:"dataset"`
	Run     string               `json:"run"`
	Commit  int64                `json:"commit"`
	Fields  []stage.FieldProfile `json:"fields"`
}

func catalogProfile(t *terminal, o *options) *cobra.Command {
	var run string
	cmd := t.jsonFlag(&cobra.Command{Use: "profile DATASET", Short: "what a pull brought in each field: rows, empty ones, different values, least, greatest, most frequent, share of valid codes", Args: usage(cobra.ExactArgs(1))})
	cmd.Flags().StringVar(&run, "run", "", "run whose rows are meant; empty: the last one that brought rows")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			ds, ok := a.catalog.Dataset(args[0])
			if !ok {
				return usageError{&fault.Error{Op: "show a profile", Code: fault.NotFound, Err: fmt.Errorf("there is no dataset %q", args[0]), Hint: "see xinshu catalog list"}}
			}
			file, err := profileFile(ctx, a, ds.ID, run)
			if err != nil {
				return err
			}
			report := profileReport{Dataset: ds.ID, Run: runOf(file, ds.ID), Commit: file.N}
			if report.Fields, err = a.pipeline.Stager.Profile(ctx, file); err != nil {
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

// profileFile finds the profile of a run, or the newest.
func profileFile(ctx context.Context, a *app, dataset, run string) (found chain.File, err error) {
	head, err := a.lake.Head(ctx, chain.Stage(dataset))
	if err != nil {
		return found, err
	}
	for _, f := range head.Table(stage.ProfileTable) {
		if (run == "" || runOf(f, dataset) == run) && f.N >= found.N {
			found = f
		}
	}
	if found.N == 0 {
		return found, &fault.Error{Op: "show a profile of " + dataset, Code: fault.NotFound, Err: fmt.Errorf("no run %s brought rows", run),
			Hint: "pull or ingest first; only runs that brought rows have a profile"}
	}
	return found, nil
}

// runOf reads the run out of an object's key: data/<chain>/<run>/<table>/...
func runOf(f chain.File, dataset string) string {
	rest, _ := strings.CutPrefix(f.Key, "data/"+chain.Stage(dataset)+"/")
	run, _, _ := strings.Cut(rest, "/")
	return run
}

func (t *terminal) profile(r profileReport) {
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
