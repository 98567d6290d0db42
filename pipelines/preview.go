package pipelines

import (
	"context"
	"errors"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/fault"
	"xinshu/pipelines/stage"
)

// Preview opens a source as it would be pulled from the beginning, and judges the first rows of a
// dataset. Nothing is staged, acknowledged or recorded, and no place is kept.
func (p *Pipeline) Preview(ctx context.Context, source Source, dataset string, rows int) (judged []stage.Judged, err error) {
	op := "preview " + dataset
	ds, ok := p.Catalog.Dataset(dataset)
	if !ok {
		return nil, &fault.Error{Op: op, Code: fault.NotFound, Err: errors.New("the catalogue has no such dataset"), Hint: "see xinshu catalog list dataset"}
	}
	conn, err := p.open(ctx, source.Kind, source.Values)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // only read from
	puller, ok := conn.(connectors.Puller)
	if !ok {
		return nil, fault.Newf(fault.Invalid, op, "a connection of kind %s cannot pull", source.Kind)
	}
	job := connectors.Job{Dataset: ds, Values: source.Datasets[dataset]}
	return stage.Preview(ds, p.Catalog, catalog.DateOf(p.Now()), puller.Pull(ctx, job, ""), rows)
}

// Test reaches a source and says what answered.
func (p *Pipeline) Test(ctx context.Context, source Source) (connectors.Finding, error) {
	conn, err := p.open(ctx, source.Kind, source.Values)
	if err != nil {
		return connectors.Finding{}, err
	}
	defer func() { _ = conn.Close() }()
	return conn.Test(ctx)
}
