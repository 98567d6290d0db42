package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Upkeep is for work that one node does once in a while: it says that it is the caller's turn, when
// nobody did it since a time, and notes that it is being done.
func (s *State) Upkeep(ctx context.Context, name string, since time.Time) (mine bool, err error) {
	err = s.tx(ctx, "take turns at "+name, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `insert into upkeep (name, at) values ($1, 0) on conflict (name) do nothing`, name); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `update upkeep set at = $1 where name = $2 and at < $3`, millis(s.now()), name, millis(since))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		mine = n > 0
		return err
	})
	return mine, err
}

// Keep says until when what is over is kept; the zero time keeps it for ever.
type Keep struct {
	Runs, Deliveries, Alerts time.Time
}

// Forgotten counts what Forget deleted.
type Forgotten struct {
	Runs       int64 `json:"runs"`
	Commits    int64 `json:"commits"`
	Statements int64 `json:"statements"` // rows of the outbox that newer ones took the place of
	Receipts   int64 `json:"receipts"`   // with the attempts
	Alerts     int64 `json:"alerts"`
	Other      int64 `json:"other"` // answers to repeated requests, nodes long gone
}

// chunk bounds one transaction, so that nobody waits long for the writer.
const chunk = 500

// A rule of forgetting: rows of a table, found by key, that end before a time ($1) and that nothing needs.
type forget struct {
	before time.Time
	count  func(*Forgotten) *int64
	delete []string // each with %s for the keys that are to go
	find   string   // gives their keys: one column, at most chunk of them
}

// Forget deletes what is over and old, a little at a time. What is open stays, and what keeps anything
// from being done twice: the newest run of each step and subject, runs that name a posted batch, the
// head of each chain, the newest statement that each target got about an entity, each delivery's id.
func (s *State) Forget(ctx context.Context, k Keep) (done Forgotten, err error) {
	now := s.now()
	for _, f := range []forget{
		{before: k.Runs, count: func(d *Forgotten) *int64 { return &d.Runs }, find: `
			select id from run where started_at < $1 and status <> 'running' and step <> 'receive'
				and exists (select 1 from run as newer where newer.step = run.step and newer.subject = run.subject and newer.source = run.source and newer.started_at > run.started_at)`,
			delete: []string{`delete from run where id in (%s)`}},
		{before: k.Runs, count: func(d *Forgotten) *int64 { return &d.Commits }, find: `
			select c.chain || ' ' || c.n from commit_taken as c join chain_head as h on h.chain = c.chain
			where c.written_at < $1 and c.n < h.n - 100 and c.chain not like 'published/%'`,
			delete: []string{`delete from commit_taken where chain || ' ' || n in (%s)`}},
		{before: k.Deliveries, count: func(d *Forgotten) *int64 { return &d.Statements }, find: `
			select o.target || ' ' || o.policy || ' ' || o.uscc || ' ' || o.version from outbox as o
			where o.state in ('acknowledged', 'rejected', 'superseded') and o.sent_at > 0 and o.sent_at < $1
				and exists (select 1 from outbox as newer where newer.target = o.target and newer.policy = o.policy and newer.uscc = o.uscc
					and newer.version > o.version and newer.state = 'acknowledged' and newer.sent_at < $1)`,
			delete: []string{`delete from outbox where target || ' ' || policy || ' ' || uscc || ' ' || version in (%s)`}},
		{before: k.Deliveries, count: func(d *Forgotten) *int64 { return &d.Receipts }, find: `
			select id from delivery where made_at < $1 and state in ('done', 'void')
				and (exists (select 1 from receipt where receipt.delivery = delivery.id) or exists (select 1 from attempt where attempt.delivery = delivery.id))`,
			delete: []string{`delete from attempt where delivery in (%s)`, `delete from receipt where delivery in (%s)`}},
		{before: k.Alerts, count: func(d *Forgotten) *int64 { return &d.Alerts }, find: `select id from alert where ended_at > 0 and ended_at < $1`,
			delete: []string{`delete from alert_message where alert in (%s)`, `delete from alert where id in (%s)`}},
		{before: now, count: func(d *Forgotten) *int64 { return &d.Other }, find: `select actor || ' ' || name from idempotency where until < $1`,
			delete: []string{`delete from idempotency where actor || ' ' || name in (%s)`}},
		{before: now.Add(-7 * 24 * time.Hour), count: func(d *Forgotten) *int64 { return &d.Other }, find: `select id from node where seen_at < $1`,
			delete: []string{`delete from node where id in (%s)`}},
	} {
		if err := s.forget(ctx, f, f.count(&done)); err != nil {
			return done, err
		}
	}
	return done, nil
}

func (s *State) forget(ctx context.Context, f forget, count *int64) error {
	if f.before.IsZero() {
		return nil
	}
	for {
		n := int64(0)
		err := s.tx(ctx, "forget what is over", func(tx *sql.Tx) error {
			keys, err := texts(ctx, tx, f.find+fmt.Sprintf(" limit %d", chunk), millis(f.before))
			if err != nil || len(keys) == 0 {
				return err
			}
			n = int64(len(keys))
			args := make([]any, len(keys))
			for i, key := range keys {
				args[i] = key
			}
			marks := placeholders(1, len(keys))
			for _, statement := range f.delete {
				if _, err := tx.ExecContext(ctx, fmt.Sprintf(statement, marks[1:len(marks)-1]), args...); err != nil {
					return err
				}
			}
			return nil
		})
		*count += n
		if err = errors.Join(err, ctx.Err()); err != nil || n < chunk {
			return err
		}
	}
}
