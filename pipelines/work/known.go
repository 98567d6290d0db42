package work

import (
	"context"
	"fmt"
	"slices"

	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
)

// Known refuses work on a source, dataset, policy or target that there is not: to do nothing and say
// nothing would look like success.
func (w *Worker) Known(ctx context.Context, asked schedule.Work) error {
	none := func(what, id, hint string) error {
		return &fault.Error{Op: "check the work", Code: fault.Invalid, Err: fmt.Errorf("there is no %s %q", what, id), Hint: hint}
	}
	sources, err := w.Pipeline.AllSources(ctx)
	if err != nil {
		return err
	}
	found, carried := asked.Source == "", map[string]bool{}
	for _, s := range sources {
		found = found || s.Name == asked.Source
		for id := range s.Datasets {
			carried[id] = carried[id] || asked.Source == "" || s.Name == asked.Source
		}
	}
	if !found {
		return none("source", asked.Source, "see xinshu source list")
	}
	for _, id := range asked.Datasets {
		if !carried[id] {
			return none("source to pull that carries dataset", id, "see xinshu source list")
		}
	}
	for _, id := range asked.Policies {
		if _, ok := w.Pipeline.Catalog.Policy(id); !ok {
			return none("policy", id, "see xinshu policy list")
		}
	}
	targets, err := w.Targets(ctx)
	if err != nil {
		return err
	}
	for _, id := range asked.Targets {
		if !slices.Contains(targets, id) {
			return none("target", id, "see xinshu target list")
		}
	}
	return nil
}

// KnownDatasets refuses a dataset that the catalogue does not have.
func (w *Worker) KnownDatasets(ids []string) error {
	for _, id := range ids {
		if _, ok := w.Pipeline.Catalog.Dataset(id); !ok {
			return &fault.Error{Op: "check the datasets to wait for", Code: fault.Invalid, Err: fmt.Errorf("there is no dataset %q", id), Hint: "see xinshu catalog list"}
		}
	}
	return nil
}
