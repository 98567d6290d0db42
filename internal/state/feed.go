package state

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"xinshu/internal/chain"
)

// FeedHold is an alarm of a feed: it lasts until EndedOn has a day.
type FeedHold struct {
	Dataset, Source string
	Hold            chain.Hold
	EndedOn         string // day, 2006-01-02; empty while it lasts
	EndedBy, Reason string // empty: by itself
}

// takeHolds notes what an entry of a stage chain says of its feeds. Every entry says it again, so that
// entries gone by the retention rule cost nothing but holds that had ended by then.
func takeHolds(ctx context.Context, tx *sql.Tx, e chain.Entry) error {
	for _, source := range slices.Sorted(maps.Keys(e.Feeds)) {
		f := e.Feeds[source]
		if f.Ended != nil {
			if err := saveHold(ctx, tx, e.Chain, source, f.Ended.Hold, *f.Ended); err != nil {
				return err
			}
		}
		if f.Hold != nil {
			if err := saveHold(ctx, tx, e.Chain, source, *f.Hold, chain.Ended{}); err != nil {
				return err
			}
		}
	}
	return nil
}

func saveHold(ctx context.Context, tx *sql.Tx, name, source string, h chain.Hold, ended chain.Ended) error {
	_, err := tx.ExecContext(ctx, `
		insert into feed_hold (chain, source, run, alarm, since, rows, usual, ended_on, ended_by, reason)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (chain, source, run) do update set
			alarm = excluded.alarm, rows = excluded.rows, usual = excluded.usual,
			ended_on = excluded.ended_on, ended_by = excluded.ended_by, reason = excluded.reason`,
		name, source, h.Run, h.Alarm, h.Since, h.Rows, h.Usual, ended.On, ended.By, ended.Reason)
	return err
}

// Holds gives the alarms of feeds: those that last first, then the others, the newest first.
func (s *State) Holds(ctx context.Context) ([]FeedHold, error) {
	const op = "list the holds of feeds"
	rows, err := s.db.QueryContext(ctx, `
		select chain, source, run, alarm, since, rows, usual, ended_on, ended_by, reason
		from feed_hold
		order by case when ended_on = '' then 0 else 1 end, since desc, chain, source, run`)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var holds []FeedHold
	for rows.Next() {
		var h FeedHold
		if err := rows.Scan(&h.Dataset, &h.Source, &h.Hold.Run, &h.Hold.Alarm, &h.Hold.Since, &h.Hold.Rows, &h.Hold.Usual, &h.EndedOn, &h.EndedBy, &h.Reason); err != nil {
			return nil, failed(op, err)
		}
		h.Dataset = strings.TrimPrefix(h.Dataset, chain.Stage(""))
		holds = append(holds, h)
	}
	return holds, failed(op, rows.Err())
}
