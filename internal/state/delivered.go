package state

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"xinshu/internal/fault"
)

// Lag is what waits for a target under a policy.
type Lag struct {
	Target, Policy string
	Rows           int64     // neither answered nor superseded
	Since          time.Time // when the oldest of them was published; zero: it is not known any more
}

// Lags tells what waits for each configured target, by target and policy; nothing waits for one that
// is not in the list.
func (s *State) Lags(ctx context.Context) ([]Lag, error) {
	const op = "read what waits for the targets"
	rows, err := s.db.QueryContext(ctx, `
		select w.target, w.policy, w.open, coalesce(c.written_at, 0)
		from (
			select o.target, o.policy, count(*) as open, min(o.n) as n
			from outbox as o
			join target as t on t.id = o.target and t.active = 1
			where o.state in ('due', 'sent')
			group by o.target, o.policy
		) as w
		left join commit_taken as c on c.chain = 'published/' || w.policy and c.n = w.n
		order by w.target, w.policy`)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var all []Lag
	for rows.Next() {
		var l Lag
		var since int64
		if err := rows.Scan(&l.Target, &l.Policy, &l.Rows, &since); err != nil {
			return nil, failed(op, err)
		}
		l.Since = fromMillis(since)
		all = append(all, l)
	}
	return all, failed(op, rows.Err())
}

// Delivery is one packet of rows to one target.
type Delivery struct {
	ID, Target, Policy string
	Size               int64 // rows it was made with
	Made               time.Time
	State              string // due, awaiting, done, open, void
	Attempts           int64  // ever
	Next               time.Time
	Code, Message      string // of the last failure
}

const deliveryColumns = `id, target, policy, size, made_at, state, tries, next_at, code, message`

// Deliveries lists those of a target, the newest first; a state narrows. After a delivery that was
// made at a time it goes on with the older ones; the zero time begins.
func (s *State) Deliveries(ctx context.Context, target, state string, before time.Time, id string, most int) ([]Delivery, error) {
	const op = "list deliveries"
	rows, err := s.db.QueryContext(ctx, `
		select `+deliveryColumns+` from delivery
		where target = $1 and (cast($2 as text) = '' or state = cast($2 as text))
			and (cast($3 as bigint) = 0 or made_at < cast($3 as bigint) or made_at = cast($3 as bigint) and id < cast($4 as text))
		order by made_at desc, id desc limit $5`, target, state, millis(before), id, most)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var all []Delivery
	for rows.Next() {
		d, err := scanDelivery(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		all = append(all, d)
	}
	return all, failed(op, rows.Err())
}

// Delivery gives one.
func (s *State) Delivery(ctx context.Context, id string) (Delivery, error) {
	d, err := scanDelivery(s.db.QueryRowContext(ctx, `select `+deliveryColumns+` from delivery where id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return d, &fault.Error{Op: "read delivery " + id, Code: fault.NotFound, Hint: "this hub made no such delivery; see the list of the target's"}
	}
	return d, failed("read delivery "+id, err)
}

func scanDelivery(row interface{ Scan(dest ...any) error }) (Delivery, error) {
	var d Delivery
	var made, next int64
	err := row.Scan(&d.ID, &d.Target, &d.Policy, &d.Size, &made, &d.State, &d.Attempts, &next, &d.Code, &d.Message)
	d.Made, d.Next = fromMillis(made), fromMillis(next)
	return d, err
}

// Attempt is one try at a delivery.
type Attempt struct {
	No      int64
	At      time.Time
	Outcome string // answered, or the fault's code
	Message string
}

// Attempts lists the tries at a delivery, the first first, at most so many of the last ones.
func (s *State) Attempts(ctx context.Context, delivery string, most int) ([]Attempt, error) {
	op := "list attempts of " + delivery
	rows, err := s.db.QueryContext(ctx, `
		select no, at, outcome, message from (
			select no, at, outcome, message from attempt where delivery = $1 order by no desc limit $2) as newest
		order by no`, delivery, most)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var all []Attempt
	for rows.Next() {
		var a Attempt
		var at int64
		if err := rows.Scan(&a.No, &at, &a.Outcome, &a.Message); err != nil {
			return nil, failed(op, err)
		}
		a.At = fromMillis(at)
		all = append(all, a)
	}
	return all, failed(op, rows.Err())
}

// Received is a receipt as it came.
type Received struct {
	At                 time.Time
	Code, Message      string
	Accepted, Rejected int64
	Pending            bool
}

// Receipts lists the receipts of a delivery in the order in which they came, at most so many.
func (s *State) Receipts(ctx context.Context, delivery string, most int) ([]Received, error) {
	op := "list receipts of " + delivery
	rows, err := s.db.QueryContext(ctx, `
		select at, code, message, accepted, rejected, pending from receipt where delivery = $1 order by at, digest limit $2`, delivery, most)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var all []Received
	for rows.Next() {
		var r Received
		var at, pending int64
		if err := rows.Scan(&at, &r.Code, &r.Message, &r.Accepted, &r.Rejected, &pending); err != nil {
			return nil, failed(op, err)
		}
		r.At, r.Pending = fromMillis(at), pending == 1
		all = append(all, r)
	}
	return all, failed(op, rows.Err())
}

// Day is what a target answered on one day, by Shanghai's wall.
type Day struct {
	Day                time.Time // its midnight, as a UTC time
	Receipts           int64
	Accepted, Rejected int64
	Wait               time.Duration // on average from the making of a delivery to its receipt
}

// Days counts the receipts of a target day by day since a time, days without any left out.
func (s *State) Days(ctx context.Context, target string, since time.Time) ([]Day, error) {
	op := "count the receipts of " + target
	rows, err := s.db.QueryContext(ctx, `
		select (r.at + 28800000) / 86400000 as day, count(*), sum(r.accepted), sum(r.rejected), sum(r.at - coalesce(d.made_at, r.at))
		from receipt as r
		left join delivery as d on d.id = r.delivery
		where r.target = $1 and r.at >= $2
		group by (r.at + 28800000) / 86400000
		order by day`, target, millis(since))
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var all []Day
	for rows.Next() {
		var d Day
		var day, wait int64
		if err := rows.Scan(&day, &d.Receipts, &d.Accepted, &d.Rejected, &wait); err != nil {
			return nil, failed(op, err)
		}
		d.Day, d.Wait = time.UnixMilli(day*86400000).UTC(), time.Duration(wait/max(d.Receipts, 1))*time.Millisecond
		all = append(all, d)
	}
	return all, failed(op, rows.Err())
}
