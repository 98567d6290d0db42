package state

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Log is the part of the lake that run state follows.
type Log interface {
	// Chains names every chain that has an entry.
	Chains(ctx context.Context) ([]string, error)
	// Head gives the newest entry of a chain, N == 0 when it is empty.
	Head(ctx context.Context, name string) (chain.Entry, error)
	// Entry gives one entry; not_found when it was never written or is gone by the retention rule.
	Entry(ctx context.Context, name string, n int64) (chain.Entry, error)
}

// Changes reads what a published chain has announced after entry since, up to head: rows whose Body
// is JSON with at least the members policy, division, industry and trial.
type Changes func(ctx context.Context, head chain.Entry, since int64) iter.Seq2[connectors.Row, error]

// Followed says what following the log brought.
type Followed struct {
	Entries int // log entries taken in
	Changes int // published changes taken in
}

// Follow takes in every entry of every chain that is newer than what this database knows: runs with
// their ledgers, cursors, and outbox rows for the configured targets. An empty database is thereby
// rebuilt. What is older than the log's retention is left out of the list of runs.
func (s *State) Follow(ctx context.Context) (Followed, error) {
	var sum Followed
	names, err := s.Log.Chains(ctx)
	if err != nil {
		return sum, err
	}
	for _, name := range names {
		f, err := s.take(ctx, name, nil)
		if err != nil {
			return sum, err
		}
		sum.Entries += f.Entries
		sum.Changes += f.Changes
	}
	return sum, nil
}

// CommitRun records a run that committed to r.Chain: the run, its ledger, the cursor and the outbox
// rows in one transaction (protocol step 5). Repeating it changes nothing.
func (s *State) CommitRun(ctx context.Context, r chain.Run) error {
	_, err := s.take(ctx, r.Chain, &r)
	if err == nil {
		fault.At(fault.AfterState)
	}
	return err
}

// Cursor gives the cached cursor of a stage chain and the entry it belongs to. The log is the truth;
// n is where a look at the log may begin.
func (s *State) Cursor(ctx context.Context, name string) (after string, n int64, err error) {
	err = s.db.QueryRowContext(ctx, `select cursor, n from chain_head where chain = $1`, name).Scan(&after, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return "", 0, nil
	}
	return after, n, failed("read the cursor of "+name, err)
}

// Heads gives the number of the newest entry that this database knows of each chain.
func (s *State) Heads(ctx context.Context) (map[string]int64, error) {
	const op = "read the heads of the chains"
	rows, err := s.db.QueryContext(ctx, `select chain, n from chain_head`)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	heads := map[string]int64{}
	for rows.Next() {
		var name string
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			return nil, failed(op, err)
		}
		heads[name] = n
	}
	return heads, failed(op, rows.Err())
}

// take brings one chain up to date in one transaction.
func (s *State) take(ctx context.Context, name string, run *chain.Run) (Followed, error) {
	op := "take in " + name
	head, err := s.Log.Head(ctx, name)
	if err != nil {
		return Followed{}, err
	}
	_, known, err := s.Cursor(ctx, name)
	if err != nil {
		return Followed{}, err
	}
	entries, err := newer(ctx, s.Log, head, known)
	if err != nil {
		return Followed{}, err
	}
	var f Followed
	err = s.tx(ctx, op, func(tx *sql.Tx) error {
		f = Followed{Entries: len(entries)}
		for _, e := range entries {
			if err := s.takeEntry(ctx, tx, e); err != nil {
				return err
			}
		}
		if policy, published := strings.CutPrefix(name, chain.Published("")); published && len(entries) > 0 {
			if f.Changes, err = takeChanges(ctx, tx, head.N, s.Changes(ctx, head, known)); err != nil {
				return err
			}
			if err := s.fill(ctx, tx, policy, known); err != nil {
				return err
			}
		}
		if run != nil {
			return saveRun(ctx, tx, *run)
		}
		return nil
	})
	return f, err
}

// newer gives the entries after known, oldest first, without their file lists. It walks back from
// the head, so that entries gone by the retention rule end it.
func newer(ctx context.Context, log Log, head chain.Entry, known int64) ([]chain.Entry, error) {
	var entries []chain.Entry
	for e := head; e.N > known; {
		n := e.N - 1
		e.Files = nil
		entries = append(entries, e)
		if n <= known {
			break
		}
		var err error
		if e, err = log.Entry(ctx, head.Chain, n); fault.Is(err, fault.NotFound) {
			break
		} else if err != nil {
			return nil, err
		}
	}
	slices.Reverse(entries)
	return entries, nil
}

// takeEntry stores one entry and the run that made it.
func (s *State) takeEntry(ctx context.Context, tx *sql.Tx, e chain.Entry) error {
	var l chain.Ledger
	if e.Ledger != nil {
		l = *e.Ledger
	}
	cursor := ""
	if e.Cursor != nil {
		cursor = e.Cursor.After
	}
	written, err := time.Parse(time.RFC3339Nano, e.WrittenAt)
	if err != nil {
		return fault.Newf(fault.Invalid, "read the time of an entry", "entry %d of %s: %w", e.N, e.Chain, err)
	}
	if _, err := tx.ExecContext(ctx, `
		insert into commit_taken (chain, n, run, commit_id, sha256, written_at, declared, read, accepted, duplicate, quarantined, skipped)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (chain, n) do nothing`,
		e.Chain, e.N, e.Run, e.CommitID, e.SHA256, millis(written),
		l.Declared, l.Read, l.Accepted, l.Duplicate, l.Quarantined, l.Skipped); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		insert into chain_head (chain, n, sha256, cursor, applied_at) values ($1, $2, $3, $4, $5)
		on conflict (chain) do update set n = excluded.n, sha256 = excluded.sha256, cursor = excluded.cursor, applied_at = excluded.applied_at
		where excluded.n > chain_head.n`,
		e.Chain, e.N, e.SHA256, cursor, millis(s.now())); err != nil {
		return err
	}
	if err := takeHolds(ctx, tx, e); err != nil {
		return err
	}
	if err := raiseFence(ctx, tx, e.Fence); err != nil {
		return err
	}
	return completeRun(ctx, tx, e, written)
}

// completeRun closes the run that made an entry, as far as the log can tell: its ledger is the sum
// over its commits. A run that this database never saw begin gets the time of its entry.
func completeRun(ctx context.Context, tx *sql.Tx, e chain.Entry, written time.Time) error {
	ledger, err := ledgerOf(ctx, tx, e.Run)
	if err != nil {
		return err
	}
	step, subject := e.Chain, ""
	if kind, rest, found := strings.Cut(e.Chain, "/"); found {
		step, subject = kind, rest
	}
	if name, ok := steps[step]; ok {
		step = name
	}
	return saveRun(ctx, tx, chain.Run{ID: e.Run, Step: step, Subject: subject, Source: sourceOf(e), Started: written, Ended: written,
		Status: "done", Ledger: ledger, Chain: e.Chain, N: e.N})
}

// sourceOf gives the source whose rows an entry brought.
func sourceOf(e chain.Entry) string {
	for _, f := range e.Files {
		if f.N == e.N && f.Source != "" {
			return f.Source
		}
	}
	return ""
}

// steps names the step that commits to a kind of chain.
var steps = map[string]string{"stage": "pull", chain.Settled: "settle", "scored": "score", "published": "publish"}

func ledgerOf(ctx context.Context, tx *sql.Tx, run string) (chain.Ledger, error) {
	rows, err := tx.QueryContext(ctx, `
		select declared, read, accepted, duplicate, quarantined, skipped from commit_taken where run = $1`, run)
	if err != nil {
		return chain.Ledger{}, err
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	zero := int64(0)
	sum := chain.Ledger{Declared: &zero} // zero commits declare zero rows; Add drops it at the first commit that declares none
	for rows.Next() {
		var l chain.Ledger
		if err := rows.Scan(&l.Declared, &l.Read, &l.Accepted, &l.Duplicate, &l.Quarantined, &l.Skipped); err != nil {
			return chain.Ledger{}, err
		}
		sum = sum.Add(l)
	}
	return sum, rows.Err()
}
