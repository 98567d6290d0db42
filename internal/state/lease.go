package state

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
)

// errLost is the answer to a holder whose task or lock another one has by now.
func errLost(op string) error {
	return &fault.Error{Op: op, Code: fault.Conflict, Err: schedule.ErrLost, Hint: "another node goes on with it"}
}

// nextFence draws a number greater than any drawn before and any in the log.
func nextFence(ctx context.Context, tx *sql.Tx) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `update fence set n = n + 1 where one = 1 returning n`).Scan(&n)
	return n, err
}

// TakeTask gives a node the next task that may be worked on: one that waits and whose time and turn has
// come, or one whose holder's lease ran out. Of one schedule only the oldest unfinished task is given, and none whose
// source another task has locked.
func (s *State) TakeTask(ctx context.Context, node string, lease time.Duration) (t schedule.Task, found bool, err error) {
	const op = "take a task"
	now := s.now()
	ids, err := s.takable(ctx, millis(now))
	if err != nil {
		return t, false, failed(op, err)
	}
	for _, id := range ids {
		err := s.tx(ctx, op, func(tx *sql.Tx) error {
			// The number is drawn first: on PostgreSQL its row makes takers wait for one another.
			fence, err := nextFence(ctx, tx)
			if err != nil {
				return err
			}
			// A holder that died costs a try, so that a task which kills its node does not kill every node for ever.
			res, err := tx.ExecContext(ctx, `
				update task set tries = tries + case when state = 'running' then 1 else 0 end, started_at = case when started_at = 0 then cast($1 as bigint) else started_at end,
					state = 'running', why = case when why = 'person' then why else '' end, about = case when why = 'person' then about else '' end, node = $2, fence = $3, lease_until = $4, attempt = attempt + 1
				where id = $5 and (state = 'waiting' and after_at <= $6 or state = 'running' and lease_until <= $6)`,
				millis(now), node, fence, millis(now.Add(lease)), id, millis(now))
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return err
			}
			found = true
			if _, err := tx.ExecContext(ctx, `delete from lease where task = $1`, id); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `
				update run set status = 'interrupted', ended_at = $1, error = 'the node ended before the run did'
				where task = $2 and status = 'running'`, millis(now), id); err != nil {
				return err
			}
			return nil
		})
		if err != nil || found {
			if err == nil {
				t, err = s.Task(ctx, id)
			}
			return t, found && err == nil, err
		}
	}
	return t, false, nil
}

// takable names some tasks that may be taken, the one that has waited longest first.
func (s *State) takable(ctx context.Context, now int64) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `
		select t.id from task as t
		where (t.state = 'waiting' and t.after_at <= $1 or t.state = 'running' and t.lease_until <= $1)
			and not exists (
				select 1 from task as o where o.schedule = t.schedule and o.schedule <> '' and o.state in ('waiting', 'running')
					and (o.queued_at < t.queued_at or o.queued_at = t.queued_at and o.id < t.id))
			and not exists ( -- it would only wait for the other one, and keep a worker
				select 1 from lease as l where l.name = 'source ' || t.source and l.task <> t.id and l.until > $1)
		order by t.after_at, t.queued_at, t.id limit 16`, now)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// LockNames gives a task the names it is about to work on, all or none, and a fencing number for what it
// commits under them. Where one is in use, it gives that name and the task that has it, which may be the
// same: its steps that run side by side take turns too.
func (s *State) LockNames(ctx context.Context, task string, fence int64, names []string, lease time.Duration) (drawn int64, busy, by string, err error) {
	op := "lock for task " + task
	now := s.now()
	names = slices.Compact(slices.Sorted(slices.Values(names))) // in one order, so that two tasks never wait for one another
	err = s.tx(ctx, op, func(tx *sql.Tx) error {
		if drawn, err = nextFence(ctx, tx); err != nil {
			return err
		}
		if err := heldBy(ctx, tx, op, task, fence, now); err != nil {
			return err
		}
		for _, name := range names {
			res, err := tx.ExecContext(ctx, `
				insert into lease (name, task, fence, until) values ($1, $2, $3, $4)
				on conflict (name) do update set task = excluded.task, fence = excluded.fence, until = excluded.until
				where lease.until <= $5`, name, task, drawn, millis(now.Add(lease)), millis(now))
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil {
				return err
			} else if n == 0 {
				busy = name
				if err := tx.QueryRowContext(ctx, `select task from lease where name = $1`, name).Scan(&by); err != nil {
					return err
				}
				return errBusy // nothing is kept
			}
		}
		return nil
	})
	if errors.Is(err, errBusy) {
		return 0, busy, by, nil
	}
	return drawn, "", "", err
}

var errBusy = errors.New("the name is in use")

// UnlockNames gives names back.
func (s *State) UnlockNames(ctx context.Context, task string, fence int64, names []string) error {
	return s.tx(ctx, "unlock for task "+task, func(tx *sql.Tx) error {
		for _, name := range names {
			if _, err := tx.ExecContext(ctx, `delete from lease where name = $1 and task = $2 and fence = $3`, name, task, fence); err != nil {
				return err
			}
		}
		return nil
	})
}

// HoldsTask fails with a conflict unless the task is held under this number and its lease runs.
func (s *State) HoldsTask(ctx context.Context, task string, fence int64) error {
	op := "hold task " + task
	return failed(op, heldBy(ctx, s.db, op, task, fence, s.now()))
}

func heldBy(ctx context.Context, db queryer, op, task string, fence int64, now time.Time) error {
	var held int
	err := db.QueryRowContext(ctx, `select count(*) from task where id = $1 and fence = $2 and state = 'running' and lease_until > $3`, task, fence, millis(now)).Scan(&held)
	if err == nil && held == 0 {
		return errLost(op)
	}
	return err
}

// Beat says that a node lives: it renews the leases of the tasks it holds, by their fences, and their
// locks. It gives those that are lost, and those that somebody asked to stop with who did.
func (s *State) Beat(ctx context.Context, node schedule.Node, held map[string]int64, lease time.Duration) (lost []string, stopping map[string]string, err error) {
	now := s.now()
	until := millis(now.Add(lease))
	err = s.tx(ctx, "beat of node "+node.Name, func(tx *sql.Tx) error {
		lost, stopping = nil, map[string]string{}
		if _, err := tx.ExecContext(ctx, `
			insert into node (id, name, version, started_at, seen_at, tasks, skew) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (id) do update set seen_at = excluded.seen_at, tasks = excluded.tasks, skew = excluded.skew`,
			node.ID, node.Name, node.Version, millis(node.Started), millis(now), len(held), node.Skew.Milliseconds()); err != nil {
			return err
		}
		for task, fence := range held {
			res, err := tx.ExecContext(ctx, `update task set lease_until = $1 where id = $2 and fence = $3 and state = 'running'`, until, task, fence)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil {
				return err
			} else if n == 0 {
				lost = append(lost, task)
				continue
			}
			if _, err := tx.ExecContext(ctx, `update lease set until = $1 where task = $2`, until, task); err != nil {
				return err
			}
			var by string
			if err := tx.QueryRowContext(ctx, `select stopping from task where id = $1`, task).Scan(&by); err != nil {
				return err
			}
			if by != "" {
				stopping[task] = by
			}
		}
		return nil
	})
	return lost, stopping, err
}

// Skew is by how much the clock of this process is ahead of the database's. An SQLite file has no clock
// of its own.
func (s *State) Skew(ctx context.Context) (time.Duration, error) {
	if !s.postgres {
		return 0, nil
	}
	before := s.now()
	var ms int64
	if err := s.db.QueryRowContext(ctx, `select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`).Scan(&ms); err != nil {
		return 0, failed("compare clocks", err)
	}
	after := s.now()
	return before.Add(after.Sub(before) / 2).Sub(time.UnixMilli(ms)), nil
}

// Leave forgets a node that stopped, and those not seen for a week.
func (s *State) Leave(ctx context.Context, node string) error {
	_, err := s.db.ExecContext(ctx, `delete from node where id = $1 or seen_at < $2`, node, millis(s.now().Add(-7*24*time.Hour)))
	return failed("leave", err)
}

// Nodes gives the nodes that were seen since, by name.
func (s *State) Nodes(ctx context.Context, since time.Time) ([]schedule.Node, error) {
	const op = "list nodes"
	rows, err := s.db.QueryContext(ctx, `select id, name, version, started_at, seen_at, tasks, skew from node where seen_at >= $1 order by name, id`, millis(since))
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	nodes := []schedule.Node{}
	for rows.Next() {
		var n schedule.Node
		var started, seen, skew int64
		if err := rows.Scan(&n.ID, &n.Name, &n.Version, &started, &seen, &n.Tasks, &skew); err != nil {
			return nil, failed(op, err)
		}
		n.Started, n.Seen, n.Skew = fromMillis(started), fromMillis(seen), time.Duration(skew)*time.Millisecond
		nodes = append(nodes, n)
	}
	return nodes, failed(op, rows.Err())
}

// FinishTask lets go of a task in the state given: done, failed, cancelled, or waiting until After. A
// holder that lost it changes nothing and is told so.
func (s *State) FinishTask(ctx context.Context, t schedule.Task) error {
	op := "finish task " + t.ID
	return s.tx(ctx, op, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			update task set state = $1, why = $2, about = $3, error = $4, code = $5, tries = $6, after_at = $7, ended_at = $8, step = $9, lease_until = 0, stopping = ''
			where id = $10 and fence = $11 and state = 'running'`,
			t.State, t.Why, t.About, t.Error, t.Code, t.Tries, millis(t.After), millis(t.Ended), t.Step, t.ID, t.Fence)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = errLost(op)
			}
			return err
		}
		_, err = tx.ExecContext(ctx, `delete from lease where task = $1`, t.ID)
		return err
	})
}
