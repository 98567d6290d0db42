package state

import (
	"context"
	"time"
)

// Count is how far the deliveries to one target are, in rows.
type Count struct {
	Target       string
	Sent         int64 // taken by the target, whatever it answered
	Acknowledged int64
	Rejected     int64 // a negative row receipt; a newer version is sent again
	Superseded   int64 // a newer version took its place before it was answered
	Open         int64 // neither acknowledged nor rejected nor superseded
	ForPerson    int64 // of the open ones, those that wait for a person
}

// Counts gives the count of every configured target, by id.
func (s *State) Counts(ctx context.Context) ([]Count, error) {
	const op = "count deliveries"
	rows, err := s.db.QueryContext(ctx, `
		select
			t.id,
			count(case when o.taken_at > 0 then 1 end),
			count(case when o.state = 'acknowledged' then 1 end),
			count(case when o.state = 'rejected' then 1 end),
			count(case when o.state = 'superseded' then 1 end),
			count(case when o.state in ('due', 'sent') then 1 end),
			count(case when o.state in ('due', 'sent') and d.state = 'open' then 1 end)
		from target as t
		left join outbox as o on o.target = t.id
		left join delivery as d on d.id = o.delivery
		where t.active = 1
		group by t.id
		order by t.id`)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var counts []Count
	for rows.Next() {
		var c Count
		if err := rows.Scan(&c.Target, &c.Sent, &c.Acknowledged, &c.Rejected, &c.Superseded, &c.Open, &c.ForPerson); err != nil {
			return nil, failed(op, err)
		}
		counts = append(counts, c)
	}
	return counts, failed(op, rows.Err())
}

// Problem is a delivery that waits, and why.
type Problem struct {
	Delivery, Target, Policy string
	State                    string // due, awaiting, open
	Rows                     int64  // rows still open in it
	Attempts                 int64  // ever
	Next                     time.Time
	Code, Message            string
}

// Problems gives the deliveries that were tried and are not done, oldest first.
func (s *State) Problems(ctx context.Context) ([]Problem, error) {
	const op = "list open deliveries"
	rows, err := s.db.QueryContext(ctx, `
		select d.id, d.target, d.policy, d.state, count(*), d.tries, d.next_at, d.code, d.message
		from delivery as d
		join outbox as o on o.delivery = d.id and o.state in ('due', 'sent')
		where d.state in ('due', 'awaiting', 'open') and d.tries > 0
		group by d.id, d.target, d.policy, d.state, d.tries, d.next_at, d.code, d.message, d.made_at
		order by d.made_at, d.id`)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var problems []Problem
	for rows.Next() {
		var p Problem
		var next int64
		if err := rows.Scan(&p.Delivery, &p.Target, &p.Policy, &p.State, &p.Rows, &p.Attempts, &next, &p.Code, &p.Message); err != nil {
			return nil, failed(op, err)
		}
		p.Next = fromMillis(next)
		problems = append(problems, p)
	}
	return problems, failed(op, rows.Err())
}

// NextAttempt gives the earliest time at which a delivery that waits may be tried; the zero time when none waits.
func (s *State) NextAttempt(ctx context.Context) (time.Time, error) {
	var ms int64
	err := s.db.QueryRowContext(ctx, `
		select coalesce(min(d.next_at), 0) from delivery as d
		join target as t on t.id = d.target and t.active = 1
		where (d.state in ('due', 'awaiting') or d.state = 'open' and d.code = 'unavailable') and d.next_at > 0`).Scan(&ms)
	return fromMillis(ms), failed("find the next attempt", err)
}

// Held is what a target got of an entity under a policy.
type Held struct {
	Target               string
	Sent, Acknowledged   int64 // versions; 0: none
	LastKind, LastAnswer string
}

// Holdings gives every target that ever got something about an entity under a policy.
func (s *State) Holdings(ctx context.Context, policy, uscc string) ([]Held, error) {
	const op = "list who holds a grade"
	rows, err := s.db.QueryContext(ctx, `
		select h.target, h.sent_version, h.acknowledged_version, o.kind, o.state
		from holding as h
		join outbox as o on o.target = h.target and o.policy = h.policy and o.uscc = h.uscc and o.version = h.sent_version
		where h.policy = $1 and h.uscc = $2
		order by h.target`, policy, uscc)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var held []Held
	for rows.Next() {
		var h Held
		if err := rows.Scan(&h.Target, &h.Sent, &h.Acknowledged, &h.LastKind, &h.LastAnswer); err != nil {
			return nil, failed(op, err)
		}
		held = append(held, h)
	}
	return held, failed(op, rows.Err())
}

// Totals counts the rows of one target over all time.
func (s *State) Totals(ctx context.Context, target string) (sent, acknowledged, rejected, open int64, err error) {
	err = s.db.QueryRowContext(ctx, `
		select
			count(case when taken_at > 0 then 1 end),
			count(case when state = 'acknowledged' then 1 end),
			count(case when state = 'rejected' then 1 end),
			count(case when state in ('due', 'sent') then 1 end)
		from outbox where target = $1`, target).Scan(&sent, &acknowledged, &rejected, &open)
	return sent, acknowledged, rejected, open, failed("count the rows of "+target, err)
}

// SeenEpoch gives the greatest epoch in any version that a target was told of: what a restore of the
// lake must begin a later one than.
func (s *State) SeenEpoch(ctx context.Context) (int64, error) {
	var greatest int64
	err := s.db.QueryRowContext(ctx, `select coalesce(max(version), 0) from outbox`).Scan(&greatest)
	return greatest >> 40, failed("find the greatest epoch", err)
}
