package state

import (
	"context"
	"database/sql"
	"time"
)

// Answer is what a request was answered with, kept so that the same request is answered the same.
type Answer struct {
	Digest string // of the request
	Status int    // 0: it is under way
	Lost   bool   // it was under way, and nobody knows whether it was done
	Header string // JSON
	Body   string
}

// BeginRequest notes that an actor's request of this name is under way, and says true. If one of that
// name was made before it says false and gives what is known of it. One that was not answered by the
// end of its hold, because its process died, is lost; a repeatable one is taken over by the same
// request. Answers older than keep are forgotten.
func (s *State) BeginRequest(ctx context.Context, actor, name, digest string, repeatable bool, hold, keep time.Duration) (Answer, bool, error) {
	var (
		known Answer
		ours  bool
	)
	err := s.tx(ctx, "note a request", func(tx *sql.Tx) error {
		now := s.now()
		if _, err := tx.ExecContext(ctx, `delete from idempotency where until < $1`, millis(now)); err != nil {
			return err
		}
		expired := int64(-1) // nothing is held until before this: nothing is taken over
		if repeatable {
			expired = millis(now)
		}
		// The condition is judged on the row as it stands when it is locked: of two that come at once one begins.
		res, err := tx.ExecContext(ctx, `
			insert into idempotency (actor, name, digest, status, header, body, held, until)
			values ($1, $2, $3, 0, '', '', $4, $5)
			on conflict (actor, name) do update set held = excluded.held
			where idempotency.status = 0 and idempotency.held < $6 and idempotency.digest = excluded.digest`,
			actor, name, digest, millis(now.Add(hold)), millis(now.Add(keep)), expired)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if ours = n > 0; ours || err != nil {
			return err
		}
		var held int64
		err = tx.QueryRowContext(ctx, `select digest, status, header, body, held from idempotency where actor = $1 and name = $2`, actor, name).
			Scan(&known.Digest, &known.Status, &known.Header, &known.Body, &held)
		known.Lost = known.Status == 0 && held < millis(now)
		return err
	})
	return known, ours, err
}

// EndRequest keeps the answer to a request that was begun.
func (s *State) EndRequest(ctx context.Context, actor, name string, a Answer) error {
	_, err := s.db.ExecContext(ctx, `update idempotency set status = $1, header = $2, body = $3 where actor = $4 and name = $5 and status = 0`,
		a.Status, a.Header, a.Body, actor, name)
	return failed("keep an answer", err)
}

// LoseRequest notes of a request that failed that nobody knows whether it was done.
func (s *State) LoseRequest(ctx context.Context, actor, name string) error {
	_, err := s.db.ExecContext(ctx, `update idempotency set held = 0 where actor = $1 and name = $2 and status = 0`, actor, name)
	return failed("note a lost request", err)
}

// DropRequest forgets a request that came to nothing, so that it may be made again.
func (s *State) DropRequest(ctx context.Context, actor, name string) error {
	_, err := s.db.ExecContext(ctx, `delete from idempotency where actor = $1 and name = $2 and status = 0`, actor, name)
	return failed("forget a request", err)
}
