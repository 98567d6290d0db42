package desk

import (
	"context"
	"time"

	"xinshu/internal/chain"
)

// Road is what went which way, from source to receipt. Rows and answers are those of its days;
// records, grades and what waits are as they stand now.
type Road struct {
	Since    time.Time
	Sources  int
	Datasets int
	Rows     chain.Ledger
	Records  int64 // credit records and marks settled
	Entities int64 // graded under at least the widest policy
	Policies int
	Targets  int
	Accepted int64 // rows that targets accepted in the days
	Refused  int64
	Open     int64 // rows that wait for an answer now
}

func (d *Desk) road(ctx context.Context, o Overview, since time.Time) (Road, error) {
	sources, err := d.Connections(ctx, SourceRole)
	if err != nil {
		return Road{}, err
	}
	r := Road{Since: since, Sources: len(sources), Policies: len(o.Grades), Targets: len(o.Counts)}
	for _, owner := range o.Feeds {
		r.Datasets += len(owner.Datasets)
	}
	for _, day := range o.Days {
		if day.Day.Before(since) {
			continue
		}
		r.Rows.Read += day.Ledger.Read
		r.Rows.Accepted += day.Ledger.Accepted
		r.Rows.Duplicate += day.Ledger.Duplicate
		r.Rows.Quarantined += day.Ledger.Quarantined
		r.Rows.Skipped += day.Ledger.Skipped
	}
	head, err := d.head(ctx, chain.Settled)
	if err != nil {
		return r, err
	}
	for _, table := range []string{"record", "mark"} {
		for _, f := range head.Table(table) {
			r.Records += f.Rows
		}
	}
	for _, g := range o.Grades {
		r.Entities = max(r.Entities, g.Entities)
	}
	for _, c := range o.Counts {
		r.Open += c.Open
		answered, err := d.State.Days(ctx, c.Target, since.Add(-8*time.Hour))
		if err != nil {
			return r, err
		}
		for _, day := range answered {
			r.Accepted += day.Accepted
			r.Refused += day.Rejected
		}
	}
	return r, nil
}
