package state

import (
	"context"
	"database/sql"
	"math"
	"time"
)

// Told is what a target was told, or is to be told, of an entity under a policy.
type Told struct {
	Target, Policy, USCC string
	Version, N           int64
	Kind                 string // grade, correction, retraction
	State                string // due, sent, acknowledged, rejected, superseded
	Delivery             string // empty: not yet in one
	Sent                 time.Time
	Answered             time.Time
	Code, Message        string // the row receipt as received
}

const toldColumns = `target, policy, uscc, version, n, kind, state, delivery, sent_at, answered_at, code, message`

// ToldOf gives everything that targets were told of an entity, the newest release first.
func (s *State) ToldOf(ctx context.Context, uscc string, policies []string, most int) ([]Told, error) {
	const op = "read what targets were told of an entity"
	var all []Told
	for _, policy := range policies {
		rows, err := s.db.QueryContext(ctx, `
			select `+toldColumns+` from outbox
			where target in (select id from target) and policy = $1 and uscc = $2
			order by n desc, target, version desc limit $3`, policy, uscc, most)
		if err != nil {
			return nil, failed(op, err)
		}
		told, err := scanTold(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		all = append(all, told...)
	}
	return all, nil
}

// RowsOf gives the rows of a delivery as they stand, by code, after one code at most so many; a state
// narrows.
func (s *State) RowsOf(ctx context.Context, delivery, state, after string, most int) ([]Told, error) {
	op := "read the rows of " + delivery
	rows, err := s.db.QueryContext(ctx, `
		select `+toldColumns+` from outbox
		where delivery = $1 and (cast($2 as text) = '' or state = cast($2 as text)) and uscc > $3
		order by uscc, version limit $4`, delivery, state, after, most)
	if err != nil {
		return nil, failed(op, err)
	}
	told, err := scanTold(rows)
	return told, failed(op, err)
}

// Rejections gives the rows that a target rejected with a code and that stand rejected, the newest
// answer first. The page after one goes on with what was answered before it.
func (s *State) Rejections(ctx context.Context, target, code string, after Told, most int) ([]Told, error) {
	op := "read what " + target + " rejected"
	last := millis(after.Answered)
	if last == 0 {
		last = math.MaxInt64
	}
	// The limit on answered_at stands by itself: without it SQLite takes the primary key and reads
	// everything that the target was ever told.
	rows, err := s.db.QueryContext(ctx, `
		select `+toldColumns+` from outbox
		where target = $1 and state = 'rejected' and code = $2 and answered_at <= $3
			and (answered_at < $3 or (policy, uscc, version) > ($4, $5, $6))
		order by answered_at desc, policy, uscc, version limit $7`,
		target, code, last, after.Policy, after.USCC, after.Version, most)
	if err != nil {
		return nil, failed(op, err)
	}
	told, err := scanTold(rows)
	return told, failed(op, err)
}

// Reason is why a target rejected rows that stand rejected.
type Reason struct {
	Code    string
	Message string // the target's own words, of one of them
	Rows    int64
	Last    time.Time
}

// Reasons counts what stands rejected by a target, the most frequent first.
func (s *State) Reasons(ctx context.Context, target string) ([]Reason, error) {
	op := "count what " + target + " rejected"
	rows, err := s.db.QueryContext(ctx, `
		select r.code, r.answered, r.rows, (
			select o.message from outbox as o where o.target = $1 and o.state = 'rejected' and o.code = r.code and o.answered_at = r.answered limit 1)
		from (
			select code, max(answered_at) as answered, count(*) as rows from outbox
			where target = $1 and state = 'rejected' group by code) as r
		order by r.rows desc, r.code`, target)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var all []Reason
	for rows.Next() {
		var r Reason
		var last int64
		var message sql.NullString
		if err := rows.Scan(&r.Code, &last, &r.Rows, &message); err != nil {
			return nil, failed(op, err)
		}
		r.Last, r.Message = fromMillis(last), message.String
		all = append(all, r)
	}
	return all, failed(op, rows.Err())
}

func scanTold(rows *sql.Rows) ([]Told, error) {
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var all []Told
	for rows.Next() {
		var t Told
		var sent, answered int64
		if err := rows.Scan(&t.Target, &t.Policy, &t.USCC, &t.Version, &t.N, &t.Kind, &t.State, &t.Delivery, &sent, &answered, &t.Code, &t.Message); err != nil {
			return nil, err
		}
		t.Sent, t.Answered = fromMillis(sent), fromMillis(answered)
		all = append(all, t)
	}
	return all, rows.Err()
}
