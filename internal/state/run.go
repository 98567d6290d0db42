package state

import (
	"context"
	"database/sql"
	"errors"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

const runColumns = `id, step, subject, started_at, ended_at, status, chain, n, error,
	declared, read, accepted, duplicate, quarantined, skipped, source, task`

// SaveRun stores a run as it stands: when it begins, and again when it ends.
func (s *State) SaveRun(ctx context.Context, r chain.Run) error {
	return failed("save run "+r.ID, saveRun(ctx, s.db, r))
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func saveRun(ctx context.Context, db execer, r chain.Run) error {
	_, err := db.ExecContext(ctx, `
		insert into run (`+runColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		on conflict (id) do update set
			ended_at = excluded.ended_at, status = excluded.status, chain = excluded.chain, n = excluded.n,
			error = excluded.error, declared = excluded.declared, read = excluded.read, accepted = excluded.accepted,
			duplicate = excluded.duplicate, quarantined = excluded.quarantined, skipped = excluded.skipped,
			source = case when excluded.source = '' then run.source else excluded.source end`,
		r.ID, r.Step, r.Subject, millis(r.Started), millis(r.Ended), r.Status, r.Chain, r.N, r.Error,
		r.Ledger.Declared, r.Ledger.Read, r.Ledger.Accepted, r.Ledger.Duplicate, r.Ledger.Quarantined, r.Ledger.Skipped, r.Source, r.Task)
	return err
}

// Run gives one run.
func (s *State) Run(ctx context.Context, id string) (chain.Run, error) {
	r, err := scanRun(s.db.QueryRowContext(ctx, `select `+runColumns+` from run where id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return chain.Run{}, fault.Newf(fault.NotFound, "read run "+id, "no such run")
	}
	return r, failed("read run "+id, err)
}

// Runs gives the newest runs first, at most so many.
func (s *State) Runs(ctx context.Context, most int) ([]chain.Run, error) {
	return s.FilterRuns(ctx, RunFilter{}, most)
}

// Interrupt marks the runs that a killed command left running; those of tasks are marked when the task
// is taken over. Call it when no other command works on this database. It gives how many there were.
func (s *State) Interrupt(ctx context.Context) (int64, error) {
	res, err := s.db.ExecContext(ctx, `
		update run set status = 'interrupted', ended_at = $1, error = 'the process ended before the run did'
		where status = 'running' and task = ''`, millis(s.now()))
	if err != nil {
		return 0, failed("mark interrupted runs", err)
	}
	n, err := res.RowsAffected()
	return n, failed("mark interrupted runs", err)
}

func scanRun(row interface{ Scan(dest ...any) error }) (chain.Run, error) {
	var r chain.Run
	var started, ended int64
	l := &r.Ledger
	err := row.Scan(&r.ID, &r.Step, &r.Subject, &started, &ended, &r.Status, &r.Chain, &r.N, &r.Error,
		&l.Declared, &l.Read, &l.Accepted, &l.Duplicate, &l.Quarantined, &l.Skipped, &r.Source, &r.Task)
	r.Started, r.Ended = fromMillis(started), fromMillis(ended)
	return r, err
}
