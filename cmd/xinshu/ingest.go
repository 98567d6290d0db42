package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/fault"
	"xinshu/pipelines"
	"xinshu/pipelines/stage"
)

func ingestCommand(t *terminal, o *options) *cobra.Command {
	var dataset, collectedOn string
	job := connectors.Values{}
	setting := func(cmd *cobra.Command, flag, value, usage string) { // as the kind files calls them
		cmd.Flags().Func(flag, usage, func(given string) error { job[strings.ReplaceAll(flag, "-", "_")] = given; return nil })
		job[strings.ReplaceAll(flag, "-", "_")] = value
	}
	f := &stepFlags{}
	cmd := t.jsonFlag(&cobra.Command{Use: "ingest FILE...", Short: "stage files by hand", Args: usage(cobra.MinimumNArgs(1))})
	cmd.Flags().StringVar(&dataset, "dataset", "", "dataset whose contract the rows must meet")
	setting(cmd, "encoding", "auto", "auto, utf-8 or gb18030")
	setting(cmd, "format", "auto", "auto (by extension, else by how the file begins), csv, json, jsonl, xlsx, xml or parquet")
	setting(cmd, "rows-path", "rows", "where the rows are: the member of a JSON document, the path of a row in XML such as /packet/rows/row")
	setting(cmd, "sheet", "", "sheet of a workbook; none: the first visible one, *: all visible ones")
	setting(cmd, "header-row", "auto", "row of a workbook that names the columns; auto: found by the dataset's contract")
	cmd.Flags().StringVar(&collectedOn, "collected-on", "", "day on which the sender had collected the rows, 2006-01-02; none: today")
	f.strictFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			ds, ok := a.catalog.Dataset(dataset)
			if !ok {
				return usageError{&fault.Error{Op: "choose the dataset", Code: fault.NotFound, Err: fmt.Errorf("there is no dataset %q", dataset), Hint: "name one with --dataset; see xinshu catalog list"}}
			}
			day := catalog.NoDate
			if collectedOn != "" {
				var err error
				if day, err = catalog.ParseDate(collectedOn); err != nil {
					return usageError{fmt.Errorf("--collected-on: %w", err)}
				}
			}
			report := stage.NewReport()
			var errs []error
			for _, file := range files {
				result, err := a.pipeline.Ingest(ctx, pipelines.Hand{File: file, Dataset: ds, CollectedOn: day, OnReject: report.Refused,
					Job: job})
				if err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", filepath.Base(file), err))
					continue
				}
				report.Add(result)
				t.notice(result)
			}
			if err := t.ingested(report); err != nil {
				errs = append(errs, err)
			}
			if err := errors.Join(errs...); err != nil {
				return err
			}
			if f.strict && report.Quarantined > 0 {
				return errUnfinished
			}
			return nil
		})(cmd, files)
	}
	return cmd
}

// notice tells what was put right, and what the contract does not know: signs of drift at the source.
func (t *terminal) notice(r stage.Result) {
	for _, code := range slices.Sorted(maps.Keys(r.Warnings)) {
		t.say("%d rows: %s", r.Warnings[code], code)
	}
	if len(r.Unknown) > 0 {
		t.say("columns the contract does not know, not taken: %s", strings.Join(r.Unknown, ", "))
	}
}

// mostRejectsShown keeps a screen readable; --json and `quarantine list` give all.
const mostRejectsShown = 20

func (t *terminal) ingested(r *stage.Report) error {
	if t.json {
		return t.printJSON(r)
	}
	for _, f := range r.Files {
		t.printf("%s: read %d = accepted %d + duplicate %d + quarantined %d + skipped %d\n", f.File, f.Read, f.Accepted, f.Duplicate, f.Quarantined, f.Skipped)
	}
	for i, reject := range r.Rejects {
		if i == mostRejectsShown {
			t.printf("  … and %d more; see xinshu quarantine list\n", len(r.Rejects)-i)
			break
		}
		t.printf("  %s:%d %s %s %q\n", reject.File, reject.Line, reject.Column, reject.Reason, reject.Value)
	}
	return nil
}
