package state

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// Failed records an attempt that brought no answer. With open the delivery waits for a person; a
// target that was only out of reach is tried again all the same, not before again.
func (s *State) Failed(ctx context.Context, delivery string, cause error, again time.Time, open bool) error {
	state := "due"
	if open {
		state = "open"
	}
	code, message := string(fault.CodeOf(cause)), cause.Error()
	return s.tx(ctx, "record a failed delivery", func(tx *sql.Tx) error {
		if err := attempted(ctx, tx, delivery, millis(s.now()), code, message); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `update delivery set state = $1, next_at = $2, code = $3, message = $4 where id = $5`,
			state, millis(again), code, message, delivery)
		return err
	})
}

// Answered records the answer to an attempt: the receipt as received and what it means for the rows.
// A row with code "" was accepted, with another rejected. Rows of the delivery that are not named
// wait for an answer until again and are then sent once more; with no again they wait for a person.
func (s *State) Answered(ctx context.Context, d connectors.Delivery, r connectors.Receipt, rows []connectors.RowReceipt, again time.Time) error {
	return s.tx(ctx, "store the receipt of "+d.ID, func(tx *sql.Tx) error {
		now := millis(s.now())
		if err := lockTarget(ctx, tx, d.Target); err != nil {
			return err
		}
		if err := attempted(ctx, tx, d.ID, now, "answered", r.Message); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			update outbox set state = 'sent', taken_at = $1 where delivery = $2 and state = 'due'`, now, d.ID); err != nil {
			return err
		}
		state, code, message := "awaiting", "", ""
		if again.IsZero() {
			state, code, message = "open", string(fault.Invalid), "the receipt does not account for every row"
		}
		if _, err := tx.ExecContext(ctx, `update delivery set state = $1, next_at = $2, code = $3, message = $4 where id = $5`,
			state, millis(again), code, message, d.ID); err != nil {
			return err
		}
		// The target answers again: what was left open because it did not need wait no longer.
		if _, err := tx.ExecContext(ctx, `
			update delivery set state = 'due', attempts = 0, next_at = 0
			where target = $1 and state = 'open' and code = 'unavailable'`, d.Target); err != nil {
			return err
		}
		return s.settle(ctx, tx, d.Target, d.ID, r, rows, now)
	})
}

// AnsweredLater records a receipt that came after its attempt. The same answer may come twice, and
// answers in any order: an acceptance stands whatever comes before or after it. It may name a
// delivery that this database does not know (it was rebuilt): rows are found by their own id.
func (s *State) AnsweredLater(ctx context.Context, target, delivery string, r connectors.Receipt, rows []connectors.RowReceipt) error {
	return s.tx(ctx, "store the answer to "+delivery, func(tx *sql.Tx) error {
		if err := lockTarget(ctx, tx, target); err != nil {
			return err
		}
		return s.settle(ctx, tx, target, delivery, r, rows, millis(s.now()))
	})
}

// Members gives the ids of the rows a delivery has, answered or not; none when it is unknown.
func (s *State) Members(ctx context.Context, delivery string) ([]string, error) {
	op := "read delivery " + delivery
	rows, err := s.db.QueryContext(ctx, `select policy, uscc, version from outbox where delivery = $1 order by n, uscc`, delivery)
	if err != nil {
		return nil, failed(op, err)
	}
	ids, err := scanIDs(rows)
	return ids, failed(op, err)
}

// Reopen lets a person's decision try again what waits for a person: open deliveries, and rows that
// were rejected and are still the newest of their entity. It gives how many rows are due by it.
func (s *State) Reopen(ctx context.Context, target string) (int64, error) {
	var rows int64
	err := s.tx(ctx, "open deliveries again", func(tx *sql.Tx) error {
		if err := lockTarget(ctx, tx, target); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, `
			select count(*) from outbox as o join delivery as d on d.id = o.delivery
			where d.target = $1 and d.state = 'open' and o.state in ('due', 'sent')`, target).Scan(&rows); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			update delivery set state = 'due', attempts = 0, next_at = 0, code = '' where target = $1 and state = 'open'`, target); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `
			update outbox set state = 'due', delivery = ''
			where target = $1 and state = 'rejected' and not exists (
				select 1 from outbox as newer
				where newer.target = outbox.target and newer.policy = outbox.policy and newer.uscc = outbox.uscc and newer.version > outbox.version)`, target)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		rows += n
		return err
	})
	return rows, err
}

func attempted(ctx context.Context, tx *sql.Tx, delivery string, now int64, outcome, message string) error {
	if _, err := tx.ExecContext(ctx, `update delivery set tries = tries + 1, attempts = attempts + 1 where id = $1`, delivery); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		insert into attempt (delivery, no, at, outcome, message)
		select id, tries, cast($1 as bigint), cast($2 as text), cast($3 as text) from delivery where id = $4`,
		now, outcome, message, delivery)
	return err
}

// settle stores a receipt and what it says about rows, and ends the delivery when nothing is left.
func (s *State) settle(ctx context.Context, tx *sql.Tx, target, delivery string, r connectors.Receipt, rows []connectors.RowReceipt, now int64) error {
	named, err := json.Marshal(r.Rows)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(fmt.Appendf(nil, "%s\x1f%s\x1f%d\x1f%d\x1f%t\x1f%s", r.Code, r.Message, r.Accepted, r.Rejected, r.Pending, named))
	if _, err := tx.ExecContext(ctx, `
		insert into receipt (delivery, digest, target, at, code, message, accepted, rejected, pending, named)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (delivery, digest) do nothing`,
		delivery, hex.EncodeToString(digest[:16]), target, now, r.Code, r.Message, r.Accepted, r.Rejected, flag(r.Pending), string(named)); err != nil {
		return err
	}
	if err := judge(ctx, tx, target, delivery, rows, now); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		update delivery set state = 'done', next_at = 0, code = '', message = ''
		where id = $1 and not exists (select 1 from outbox as o where o.delivery = delivery.id and o.state in ('due', 'sent'))`, delivery)
	return err
}

// judge sets the state of each row named. Most deliveries are accepted whole: then one statement
// does it for all.
func judge(ctx context.Context, tx *sql.Tx, target, delivery string, rows []connectors.RowReceipt, now int64) error {
	waiting, err := openRows(ctx, tx, delivery)
	if err != nil {
		return err
	}
	var single []connectors.RowReceipt
	accepted := 0
	for _, row := range rows {
		if row.Code == "" && waiting[row.ID] {
			accepted++
			continue
		}
		delete(waiting, row.ID)
		single = append(single, row)
	}
	whole := accepted > 0 && accepted == len(waiting)
	if !whole {
		single = rows
	}
	for _, row := range single {
		if err := judgeOne(ctx, tx, target, row, now); err != nil {
			return err
		}
	}
	if whole {
		_, err = tx.ExecContext(ctx, `
			update outbox set state = 'acknowledged', answered_at = $1, code = '', message = '',
				taken_at = case when taken_at = 0 then cast($1 as bigint) else taken_at end
			where delivery = $2 and state in ('due', 'sent')`, now, delivery)
	}
	return err
}

// openRows gives the ids of a delivery's rows that wait for an answer.
func openRows(ctx context.Context, tx *sql.Tx, delivery string) (map[string]bool, error) {
	rows, err := tx.QueryContext(ctx, `select policy, uscc, version from outbox where delivery = $1 and state in ('due', 'sent')`, delivery)
	if err != nil {
		return nil, err
	}
	ids, err := scanIDs(rows)
	waiting := make(map[string]bool, len(ids))
	for _, id := range ids {
		waiting[id] = true
	}
	return waiting, err
}

// judgeOne sets the state of one row. An acceptance is final; a rejection can still be overturned by
// one. A row that no delivery of this database sent was sent by an earlier one and counts as sent.
func judgeOne(ctx context.Context, tx *sql.Tx, target string, row connectors.RowReceipt, now int64) error {
	policy, uscc, version, ok := splitID(row.ID)
	if !ok {
		return nil // nothing we ever sent; the receipt is stored as received
	}
	state, from := "acknowledged", "'due', 'sent', 'rejected', 'superseded'"
	if row.Code != "" {
		state, from = "rejected", "'due', 'sent'"
	}
	_, err := tx.ExecContext(ctx, `
		update outbox set state = $1, answered_at = $2, code = $3, message = $4,
			sent_at = case when sent_at = 0 then cast($2 as bigint) else sent_at end,
			taken_at = case when taken_at = 0 then cast($2 as bigint) else taken_at end
		where target = $5 and policy = $6 and uscc = $7 and version = $8 and state in (`+from+`)`,
		state, now, row.Code, row.Message, target, policy, uscc, version)
	return err
}

func splitID(id string) (policy, uscc string, version int64, ok bool) {
	parts := strings.Split(id, "/")
	if len(parts) != 3 {
		return "", "", 0, false
	}
	version, err := strconv.ParseInt(parts[2], 10, 64)
	return parts[0], parts[1], version, err == nil
}

func scanIDs(rows *sql.Rows) ([]string, error) {
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var ids []string
	for rows.Next() {
		var policy, uscc string
		var version int64
		if err := rows.Scan(&policy, &uscc, &version); err != nil {
			return nil, err
		}
		ids = append(ids, rowID(policy, uscc, version))
	}
	return ids, rows.Err()
}
