package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
)

const scheduleColumns = `body, paused, next_at, fired_at, version, saved_at, saved_by`

// Schedules gives all schedules by id.
func (s *State) Schedules(ctx context.Context) ([]schedule.Schedule, error) {
	return s.schedules(ctx, `select `+scheduleColumns+` from schedule order by id`)
}

// DueSchedules gives the schedules whose next tick has come, and those that wait for datasets.
func (s *State) DueSchedules(ctx context.Context, now time.Time) ([]schedule.Schedule, error) {
	return s.schedules(ctx, `select `+scheduleColumns+` from schedule
		where paused = 0 and (next_at > 0 and next_at <= $1 or fresh = 1) order by next_at, id`, millis(now))
}

func (s *State) schedules(ctx context.Context, query string, args ...any) ([]schedule.Schedule, error) {
	const op = "list schedules"
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	all := []schedule.Schedule{}
	for rows.Next() {
		one, err := scanSchedule(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		all = append(all, one)
	}
	return all, failed(op, rows.Err())
}

// Schedule gives one schedule.
func (s *State) Schedule(ctx context.Context, id string) (schedule.Schedule, error) {
	one, err := scanSchedule(s.db.QueryRowContext(ctx, `select `+scheduleColumns+` from schedule where id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return one, &fault.Error{Op: "read schedule " + id, Code: fault.NotFound, Err: errors.New("there is none of this name"), Hint: "see xinshu schedule list"}
	}
	return one, failed("read schedule "+id, err)
}

func scanSchedule(row interface{ Scan(dest ...any) error }) (one schedule.Schedule, err error) {
	var body string
	var paused, next, fired, version, saved int64
	var by string
	if err := row.Scan(&body, &paused, &next, &fired, &version, &saved, &by); err != nil {
		return one, err
	}
	if err := json.Unmarshal([]byte(body), &one); err != nil {
		return one, err
	}
	one.Paused, one.NextAt, one.FiredAt, one.Version, one.SavedAt, one.SavedBy = paused == 1, fromMillis(next), fromMillis(fired), version, fromMillis(saved), by
	return one, nil
}

// SaveSchedule stores a schedule over the version that was read, 0 for a new one. Its newest tick is
// the engine's to move; only a schedule that was paused begins anew at the one given.
func (s *State) SaveSchedule(ctx context.Context, one schedule.Schedule) (schedule.Schedule, error) {
	op := "save schedule " + one.ID
	body, err := json.Marshal(one)
	if err != nil {
		return one, failed(op, err)
	}
	fresh := flag(len(one.Fresh) > 0)
	var res sql.Result
	if one.Version == 0 {
		res, err = s.db.ExecContext(ctx, `
			insert into schedule (id, body, paused, fresh, next_at, fired_at, version, saved_at, saved_by)
			values ($1, $2, $3, $4, $5, $6, 1, $7, $8) on conflict (id) do nothing`,
			one.ID, string(body), flag(one.Paused), fresh, millis(one.NextAt), millis(one.FiredAt), millis(one.SavedAt), one.SavedBy)
	} else {
		res, err = s.db.ExecContext(ctx, `
			update schedule set body = $1, fired_at = case when paused = 1 and $2 = 0 then cast($3 as bigint) else fired_at end,
				paused = $2, fresh = $4, next_at = $5, version = version + 1, saved_at = $6, saved_by = $7
			where id = $8 and version = $9`,
			string(body), flag(one.Paused), millis(one.FiredAt), fresh, millis(one.NextAt), millis(one.SavedAt), one.SavedBy, one.ID, one.Version)
	}
	if err := s.changed(op, res, err, func() error { return s.otherVersion(ctx, op, one.ID) }); err != nil {
		return one, err
	}
	return s.Schedule(ctx, one.ID)
}

// DeleteSchedule removes a schedule of this version; its tasks stay.
func (s *State) DeleteSchedule(ctx context.Context, id string, version int64) error {
	op := "delete schedule " + id
	res, err := s.db.ExecContext(ctx, `delete from schedule where id = $1 and version = $2`, id, version)
	return s.changed(op, res, err, func() error { return s.otherVersion(ctx, op, id) })
}

// otherVersion says why a save met no row.
func (s *State) otherVersion(ctx context.Context, op, id string) error {
	now, err := s.Schedule(ctx, id)
	if err != nil {
		return err
	}
	return &fault.Error{Op: op, Code: fault.Conflict, Err: errors.New("it was saved by " + now.SavedBy + " meanwhile, or the name is taken"), Hint: "read it again and repeat the change"}
}

// changed turns a statement that met no row into the error that says why.
func (s *State) changed(op string, res sql.Result, err error, why func() error) error {
	if err != nil {
		return failed(op, err)
	}
	n, err := res.RowsAffected()
	if err != nil || n > 0 {
		return failed(op, err)
	}
	return why()
}

// Fire takes the due ticks of a schedule: one transaction moves the schedule on from the state that
// was read and stores the tasks. Where another node was faster it does nothing and says so.
func (s *State) Fire(ctx context.Context, read schedule.Schedule, next, fired time.Time, tasks []schedule.Task) (took bool, err error) {
	op := "take the ticks of " + read.ID
	err = s.tx(ctx, op, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			update schedule set next_at = $1, fired_at = $2
			where id = $3 and next_at = $4 and fired_at = $5 and version = $6 and paused = 0`,
			millis(next), millis(fired), read.ID, millis(read.NextAt), millis(read.FiredAt), read.Version)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		for _, t := range tasks {
			if _, err := enqueue(ctx, tx, t); err != nil {
				return err
			}
		}
		fault.At(fault.MidTick)
		took = true
		return nil
	})
	if err == nil && took {
		fault.At(fault.AfterTick)
	}
	return took, err
}

// Refreshed gives, for each dataset, when it was first refreshed after a time: by a pull, a post or a
// file that went through, rows or none. The answer ends before the first one that was not.
func (s *State) Refreshed(ctx context.Context, datasets []string, after time.Time) (map[string]time.Time, error) {
	const op = "look for fresh datasets"
	at := map[string]time.Time{}
	for _, id := range datasets {
		var first sql.NullInt64
		err := s.db.QueryRowContext(ctx, `
			select min(ended_at) from run where subject = $1 and step in ('pull', 'receive', 'ingest') and status = 'done' and ended_at > $2`,
			id, millis(after)).Scan(&first)
		if err != nil {
			return nil, failed(op, err)
		}
		if !first.Valid { // it is asked every second: the first one that is missing is answer enough
			break
		}
		at[id] = fromMillis(first.Int64)
	}
	return at, nil
}
