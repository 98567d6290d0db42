package state

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Replay sends a target again what it has answered already, of the changes given: the statements of
// one policy. It gives how many rows are due by it. A row keeps its id, so a receiver keeps one record
// of it; a version that a newer one has replaced is not sent, so an old grade never follows a newer.
// What is under way is left alone. A replay that was killed half way is simply made again.
func (s *State) Replay(ctx context.Context, target, policy string, changes iter.Seq2[connectors.Row, error]) (due int64, err error) {
	pending := make([]connectors.Row, 0, replayed)
	flush := func() error {
		n, err := s.again(ctx, target, policy, pending)
		due, pending = due+n, pending[:0]
		return err
	}
	for row, err := range changes {
		if err != nil {
			return due, err
		}
		if pending = append(pending, row); len(pending) == replayed {
			if err := flush(); err != nil {
				return due, err
			}
		}
	}
	return due, flush()
}

// replayed is how many changes are replayed in one transaction: many enough that commits do not count,
// few enough that pushing and publishing go on beside a replay of millions.
const replayed = 50 * batch

// again makes answered rows due.
func (s *State) again(ctx context.Context, target, policy string, rows []connectors.Row) (due int64, err error) {
	if len(rows) == 0 {
		return 0, nil
	}
	err = s.tx(ctx, "send again to "+target, func(tx *sql.Tx) error {
		due = 0
		if err := lockTarget(ctx, tx, target); err != nil {
			return &fault.Error{Op: "send again to " + target, Code: fault.NotFound, Err: err, Hint: "see the list of targets"}
		}
		for some := range slices.Chunk(rows, batch) {
			args := []any{target, policy}
			places := make([]string, len(some))
			for i, r := range some {
				args = append(args, r.USCC, r.Version)
				places[i] = fmt.Sprintf("(cast($%d as text), cast($%d as bigint))", len(args)-1, len(args))
			}
			res, err := tx.ExecContext(ctx, `
				update outbox set state = 'due', delivery = ''
				where target = $1 and policy = $2 and state in ('acknowledged', 'rejected')
					and exists (select 1 from target as t where t.id = outbox.target and t.active = 1)
					and (uscc, version) in (values `+strings.Join(places, ", ")+`)
					and not exists (
						select 1 from outbox as newer
						where newer.target = outbox.target and newer.policy = outbox.policy and newer.uscc = outbox.uscc and newer.version > outbox.version)`, args...)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			due += n
		}
		return nil
	})
	return due, err
}

// ReleasedAt says when each release of a policy was published, as far as this database saw it: one
// rebuilt from the log knows only the entries that the log still has.
func (s *State) ReleasedAt(ctx context.Context, policy string) (map[int64]time.Time, error) {
	op := "read the releases of " + policy
	rows, err := s.db.QueryContext(ctx, `select n, written_at from commit_taken where chain = $1`, chain.Published(policy))
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	times := map[int64]time.Time{}
	for rows.Next() {
		var n, at int64
		if err := rows.Scan(&n, &at); err != nil {
			return nil, failed(op, err)
		}
		times[n] = fromMillis(at)
	}
	return times, failed(op, rows.Err())
}
