package state

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"xinshu/internal/alerts"
	"xinshu/internal/fault"
)

const alertColumns = `id, rule, subject, level, zh, en, raised_at, seen_at, seen_by, escalated_at, ended_at`

// OpenAlerts gives the alerts that last, the oldest first.
func (s *State) OpenAlerts(ctx context.Context) ([]alerts.Alert, error) {
	rows, err := s.db.QueryContext(ctx, `select `+alertColumns+` from alert where ended_at = 0 order by raised_at, id`)
	return scanAlerts("list alerts", rows, err)
}

// Alerts gives a page of alerts, lasting and ended ones, the newest first. After an alert it goes on
// with the older ones; the zero alert begins.
func (s *State) Alerts(ctx context.Context, after alerts.Alert, most int) ([]alerts.Alert, error) {
	rows, err := s.db.QueryContext(ctx, `
		select `+alertColumns+` from alert
		where cast($1 as bigint) = 0 or raised_at < cast($1 as bigint) or raised_at = cast($1 as bigint) and id < cast($2 as text)
		order by raised_at desc, id desc limit $3`, millis(after.Raised), after.ID, most)
	return scanAlerts("list alerts", rows, err)
}

// SeeAlert notes that somebody has seen an alert; the first one stays.
func (s *State) SeeAlert(ctx context.Context, id, by string) error {
	op := "answer alert " + id
	res, err := s.db.ExecContext(ctx, `update alert set seen_at = case when seen_at = 0 then cast($1 as bigint) else seen_at end,
		seen_by = case when seen_at = 0 then cast($2 as text) else seen_by end where id = $3`, millis(s.now()), by, id)
	if err != nil {
		return failed(op, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(failed(op, err), fault.Newf(fault.NotFound, op, "there is no such alert"))
	}
	return nil
}

// RaiseAlert stores an alert with a message for each channel; false when one of this rule and subject lasts.
func (s *State) RaiseAlert(ctx context.Context, a alerts.Alert, channels []string) (raised bool, err error) {
	err = s.tx(ctx, "raise an alert", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			insert into alert (`+alertColumns+`) values ($1, $2, $3, $4, $5, $6, $7, 0, '', 0, 0)
			on conflict do nothing`, a.ID, a.Rule, a.Subject, a.Level, a.ZH, a.EN, millis(a.Raised))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if raised = n > 0; err != nil || !raised {
			return err
		}
		return queueMessages(ctx, tx, a.ID, alerts.Raised, a.Raised, channels)
	})
	return raised, err
}

// MarkAlert ends or escalates an alert, with a message for each channel; false when somebody did before.
func (s *State) MarkAlert(ctx context.Context, a alerts.Alert, event string, at time.Time, channels []string) (marked bool, err error) {
	column := "ended_at"
	if event == alerts.Escalated {
		column = "escalated_at"
	}
	err = s.tx(ctx, "mark alert "+a.ID, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `update alert set `+column+` = $1 where id = $2 and `+column+` = 0 and ended_at = 0`, millis(at), a.ID)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if marked = n > 0; err != nil || !marked {
			return err
		}
		return queueMessages(ctx, tx, a.ID, event, at, channels)
	})
	return marked, err
}

func queueMessages(ctx context.Context, tx *sql.Tx, alert, event string, at time.Time, channels []string) error {
	for _, channel := range channels {
		if _, err := tx.ExecContext(ctx, `
			insert into alert_message (id, alert, channel, event, state, attempts, next_at, at, error)
			values ($1, $2, $3, $4, 'due', 0, $5, $5, '') on conflict (id) do nothing`,
			alert+"."+event+"."+channel, alert, channel, event, millis(at)); err != nil {
			return err
		}
	}
	return nil
}

// ClaimMessage takes the next message that is due, which nobody else then gets for a while.
func (s *State) ClaimMessage(ctx context.Context, hold time.Duration) (m alerts.Message, found bool, err error) {
	now := s.now()
	err = s.tx(ctx, "take an alert's message", func(tx *sql.Tx) error {
		var attempts, next, at int64
		var alert string
		err := tx.QueryRowContext(ctx, `
			select id, alert, channel, event, attempts, next_at, at from alert_message
			where state = 'due' and next_at <= $1 order by next_at, id limit 1`, millis(now)).
			Scan(&m.ID, &alert, &m.Channel, &m.Event, &attempts, &next, &at)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `update alert_message set attempts = attempts + 1, next_at = $1 where id = $2 and state = 'due' and next_at = $3`,
			millis(now.Add(hold)), m.ID, next)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if found = n > 0; err != nil || !found {
			return err // another node took it; the caller looks again at its next round
		}
		m.Attempt, m.At = int(attempts)+1, fromMillis(at)
		rows, err := tx.QueryContext(ctx, `select `+alertColumns+` from alert where id = $1`, alert)
		list, err := scanAlerts("read alert "+alert, rows, err)
		if len(list) == 1 {
			m.Alert = list[0]
		}
		return err
	})
	return m, found, err
}

// MessageSent closes a message.
func (s *State) MessageSent(ctx context.Context, id string) error {
	_, err := s.db.ExecContext(ctx, `update alert_message set state = 'sent', error = '' where id = $1`, id)
	return failed("close message "+id, err)
}

// MessageFailed has a message tried again at a time; the zero time gives it up.
func (s *State) MessageFailed(ctx context.Context, id, why string, next time.Time) error {
	to := "due"
	if next.IsZero() {
		to = "given_up"
	}
	_, err := s.db.ExecContext(ctx, `update alert_message set state = $1, next_at = $2, error = $3 where id = $4`, to, millis(next), why, id)
	return failed("put off message "+id, err)
}

func scanAlerts(op string, rows *sql.Rows, err error) ([]alerts.Alert, error) {
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var list []alerts.Alert
	for rows.Next() {
		var a alerts.Alert
		var raised, seen, escalated, ended int64
		if err := rows.Scan(&a.ID, &a.Rule, &a.Subject, &a.Level, &a.ZH, &a.EN, &raised, &seen, &a.SeenBy, &escalated, &ended); err != nil {
			return nil, failed(op, err)
		}
		a.Raised, a.Seen, a.Escalated, a.Ended = fromMillis(raised), fromMillis(seen), fromMillis(escalated), fromMillis(ended)
		list = append(list, a)
	}
	return list, failed(op, rows.Err())
}
