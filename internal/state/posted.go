package state

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"xinshu/internal/chain"
)

// FollowChain takes in the entries of one chain that are newer than what this database knows.
func (s *State) FollowChain(ctx context.Context, name string) error {
	_, err := s.take(ctx, name, nil)
	return err
}

// FinishedRun gives the run whose id begins so and that came to its end: one that committed, whether
// or not the process that ran it could write that down, or one that had nothing to commit.
func (s *State) FinishedRun(ctx context.Context, prefix string) (chain.Run, bool, error) {
	const op = "look for a run"
	beyond := prefix + "g" // behind the prefix stand hex digits, which every collation puts before g
	var r chain.Run
	l := &r.Ledger
	err := s.db.QueryRowContext(ctx, `
		select run, chain, n, declared, read, accepted, duplicate, quarantined, skipped
		from commit_taken where run >= $1 and run < $2 order by n limit 1`, prefix, beyond).
		Scan(&r.ID, &r.Chain, &r.N, &l.Declared, &l.Read, &l.Accepted, &l.Duplicate, &l.Quarantined, &l.Skipped)
	if err == nil {
		r.Status = "done"
		return r, true, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return r, false, failed(op, err)
	}
	r, err = scanRun(s.db.QueryRowContext(ctx, `select `+runColumns+` from run where id >= $1 and id < $2 and status = 'done' order by id limit 1`, prefix, beyond))
	if errors.Is(err, sql.ErrNoRows) {
		return chain.Run{}, false, nil
	}
	return r, err == nil, failed(op, err)
}

// Nonce keeps a sender's nonce and says whether it is the first time. Those older than keep are
// forgotten: by then their time is refused anyway.
func (s *State) Nonce(ctx context.Context, source, nonce string, keep time.Duration) (fresh bool, err error) {
	const op = "keep a nonce"
	now := s.now()
	err = s.tx(ctx, op, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `delete from nonce where at < $1`, millis(now.Add(-keep))); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `insert into nonce (source, nonce, at) values ($1, $2, $3) on conflict (source, nonce) do nothing`, source, nonce, millis(now))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		fresh = n > 0
		return err
	})
	return fresh, err
}
