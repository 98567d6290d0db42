package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"xinshu/internal/duck"
	"xinshu/internal/quarantine"
	"xinshu/pipelines/stage"
)

func quarantineCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "quarantine", Short: "rejected rows"})
	var q quarantine.Query
	list := t.jsonFlag(&cobra.Command{Use: "list", Short: "rejected rows with place, reason and original values", Args: usage(cobra.NoArgs)})
	list.Flags().StringSliceVar(&q.Datasets, "dataset", nil, "dataset ids; none: all")
	list.Flags().StringVar(&q.Reason, "reason", "", "one reason code")
	list.Flags().StringVar(&q.Run, "run", "", "one run")
	list.RunE = t.withApp(o, func(ctx context.Context, a *app) error { return t.listQuarantine(ctx, a, q) })
	cmd.AddCommand(list)
	return cmd
}

func (t *terminal) listQuarantine(ctx context.Context, a *app, q quarantine.Query) (err error) {
	if len(q.Datasets) == 0 {
		for _, ds := range a.catalog.Datasets {
			q.Datasets = append(q.Datasets, ds.ID)
		}
	}
	db, err := duck.Open(a.duck)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows := []quarantine.Row{}
	for row, err := range quarantine.List(ctx, a.lake, db, q) {
		if err != nil {
			return err
		}
		if !t.json {
			ds, _ := a.catalog.Dataset(row.Dataset)
			t.printf("%s  %s  %s:%d  %s %s %q  %s\n", row.ID, row.Dataset, row.File, row.Line, row.Reason, row.Column, row.Value, stage.Sentence(row.Reason, ds).ZH)
			continue
		}
		rows = append(rows, row)
	}
	if t.json {
		return t.printJSON(rows)
	}
	return nil
}
