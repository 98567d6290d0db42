package state

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"xinshu/connectors"
)

// Claim gives the next delivery that a target is due, with how often it was tried since it was made
// or opened again, and false when there is nothing due now. The rows are remembered as possibly
// received before Claim returns, so that a kill while sending forgets no receiver. A delivery that
// was not answered comes back with the same id and the same rows. Rows have the whole body of the
// change; what of it the target gets is the caller's business.
//
// While a target does not answer, only the delivery it failed on is tried, so order is kept.
func (s *State) Claim(ctx context.Context, target string, most int) (connectors.Delivery, int, bool, error) {
	var d connectors.Delivery
	var attempts int
	var found bool
	err := s.tx(ctx, "claim a delivery for "+target, func(tx *sql.Tx) error {
		if err := lockTarget(ctx, tx, target); err != nil {
			return err
		}
		now := millis(s.now())
		if err := dissolve(ctx, tx, target, now); err != nil {
			return err
		}
		id, err := waiting(ctx, tx, target, now)
		if err != nil {
			return err
		}
		if id == "" {
			var resting int
			if err := tx.QueryRowContext(ctx, `
				select count(*) from delivery where target = $1 and state in ('due', 'open') and code = 'unavailable' and next_at > $2`,
				target, now).Scan(&resting); err != nil || resting > 0 {
				return err
			}
			if id, err = form(ctx, tx, target, most, now); err != nil || id == "" {
				return err
			}
		}
		found = true
		d, attempts, err = load(ctx, tx, id)
		return err
	})
	return d, attempts, found, err
}

// waiting gives the delivery that may be tried again now: one never answered, one whose answer is
// overdue, one a person opened again. What a person must look at first is left alone, unless the
// target was only out of reach.
func waiting(ctx context.Context, tx *sql.Tx, target string, now int64) (id string, err error) {
	err = tx.QueryRowContext(ctx, `
		select id from delivery
		where target = $1 and next_at <= $2 and (state in ('due', 'awaiting') or state = 'open' and code = 'unavailable')
		order by made_at, id limit 1`, target, now).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// dissolve gives back the open rows of deliveries that are to be tried now and of which some rows
// are answered or superseded by now. Sent whole, an older version would follow a newer one; sent in
// part under its old id, a receiver that keeps one receipt per delivery would answer for other rows.
func dissolve(ctx context.Context, tx *sql.Tx, target string, now int64) error {
	const stale = `select d.id from delivery as d
		where d.target = $1 and d.next_at <= $2 and (d.state in ('due', 'awaiting') or d.state = 'open' and d.code = 'unavailable')
			and exists (select 1 from outbox as o where o.delivery = d.id and o.state not in ('due', 'sent'))`
	for _, statement := range []string{
		`update outbox set delivery = '', state = 'due' where state in ('due', 'sent') and delivery in (` + stale + `)`,
		`update delivery set state = 'void' where id in (` + stale + `)`,
	} {
		if _, err := tx.ExecContext(ctx, statement, target, now); err != nil {
			return err
		}
	}
	return nil
}

// free is the rows of a target under one policy that are due and in no delivery yet, oldest first,
// at most so many; the numbers of these three parameters are filled in. The order is the index's.
const free = `
	select uscc, version from outbox
	where target = $%d and policy = $%d and state = 'due' and delivery = ''
	order by n, policy, uscc limit $%d`

// form makes a delivery of the oldest rows due, all under one policy, because the notice's wording
// goes with the delivery. Its id is made from its rows: the same rows, also after the database was
// rebuilt, are the same delivery. It gives "" when nothing is due.
func form(ctx context.Context, tx *sql.Tx, target string, most int, now int64) (string, error) {
	var policy string
	err := tx.QueryRowContext(ctx, `
		select policy from outbox where target = $1 and state = 'due' and delivery = ''
		order by n, policy, uscc limit 1`, target).Scan(&policy)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	id, size, err := nameOf(ctx, tx, target, policy, most)
	if err != nil {
		return "", err
	}
	if id, err = unanswered(ctx, tx, id); err != nil {
		return "", err
	}
	if _, err := tx.ExecContext(ctx, `
		insert into delivery (id, target, policy, size, made_at, state, tries, attempts, next_at, code, message)
		values ($1, $2, $3, $4, $5, 'due', 0, 0, 0, '', '')
		on conflict (id) do update set state = 'due', attempts = 0, next_at = 0`, id, target, policy, size, now); err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `
		update outbox set delivery = $1, sent_at = $2
		where target = $3 and policy = $4 and (uscc, version) in (`+fmt.Sprintf(free, 3, 4, 5)+`)`, id, now, target, policy, most)
	return id, err
}

// unanswered gives a delivery's id, with a number if it was answered under that id before: a receiver
// keeps its receipt by delivery id, and rows that a person has sent again need a new one.
func unanswered(ctx context.Context, tx *sql.Tx, id string) (string, error) {
	for n := 1; ; n++ {
		name := id
		if n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		var done int
		err := tx.QueryRowContext(ctx, `select count(*) from delivery where id = $1 and state = 'done'`, name).Scan(&done)
		if err != nil || done == 0 {
			return name, err
		}
	}
}

func nameOf(ctx context.Context, tx *sql.Tx, target, policy string, most int) (id string, size int, err error) {
	rows, err := tx.QueryContext(ctx, fmt.Sprintf(free, 1, 2, 3), target, policy, most)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	h := sha256.New()
	for rows.Next() {
		var uscc string
		var version int64
		if err := rows.Scan(&uscc, &version); err != nil {
			return "", 0, err
		}
		h.Write([]byte(rowID(policy, uscc, version) + "\n"))
		size++
	}
	return target + "-" + hex.EncodeToString(h.Sum(nil)[:12]), size, rows.Err()
}

// load reads a delivery with its rows. All of them are open and the newest of their entity, because
// dissolve went before.
func load(ctx context.Context, tx *sql.Tx, id string) (connectors.Delivery, int, error) {
	d := connectors.Delivery{ID: id, Kind: "grades"}
	var made int64
	var attempts int
	if err := tx.QueryRowContext(ctx, `select target, made_at, attempts from delivery where id = $1`, id).
		Scan(&d.Target, &made, &attempts); err != nil {
		return d, 0, err
	}
	d.Made = fromMillis(made)
	rows, err := tx.QueryContext(ctx, `
		select o.policy, o.uscc, o.version, o.kind, c.body
		from outbox as o
		join change as c on c.policy = o.policy and c.uscc = o.uscc and c.version = o.version
		where o.delivery = $1 and o.state in ('due', 'sent')
		order by o.n, o.uscc`, id)
	if err != nil {
		return d, 0, err
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	for rows.Next() {
		var policy, body string
		var r connectors.Row
		if err := rows.Scan(&policy, &r.USCC, &r.Version, &r.Kind, &body); err != nil {
			return d, 0, err
		}
		r.ID, r.Body = rowID(policy, r.USCC, r.Version), []byte(body)
		d.Rows = append(d.Rows, r)
	}
	return d, attempts, rows.Err()
}

// rowID is the id of a change: what a receiver keeps one record of.
func rowID(policy, uscc string, version int64) string {
	return policy + "/" + uscc + "/" + strconv.FormatInt(version, 10)
}
