package state

import (
	"context"
	"time"

	"xinshu/internal/chain"
)

// RunDay is what ran on one day, by Shanghai's wall.
type RunDay struct {
	Day                time.Time // its midnight, as a UTC time
	Runs, Failed, Open int64     // Open: still running
	Ledger             chain.Ledger
}

// RunDays counts the runs of each day from a time on, days without any left out. Ledgers are those of pulls.
func (s *State) RunDays(ctx context.Context, since time.Time) (days []RunDay, err error) {
	const op = "count the runs of each day"
	rows, err := s.db.QueryContext(ctx, `
		select (started_at + 28800000) / 86400000 as day, count(*),
			cast(sum(case when status = 'failed' then 1 else 0 end) as bigint), cast(sum(case when status = 'running' then 1 else 0 end) as bigint),
			cast(sum(read) as bigint), cast(sum(accepted) as bigint), cast(sum(duplicate) as bigint), cast(sum(quarantined) as bigint), cast(sum(skipped) as bigint)
		from run where started_at >= $1 group by (started_at + 28800000) / 86400000 order by day`, millis(since))
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	for rows.Next() {
		var d RunDay
		var day int64
		if err := rows.Scan(&day, &d.Runs, &d.Failed, &d.Open, &d.Ledger.Read, &d.Ledger.Accepted, &d.Ledger.Duplicate, &d.Ledger.Quarantined, &d.Ledger.Skipped); err != nil {
			return nil, failed(op, err)
		}
		d.Day = time.Unix(day*86400, 0).UTC()
		days = append(days, d)
	}
	return days, failed(op, rows.Err())
}
