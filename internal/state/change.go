package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// filed is what run state looks at in the body of a change: what targets are limited by.
type filed struct {
	Policy   string `json:"policy"`
	Division string `json:"division"`
	Industry string `json:"industry"`
	Trial    bool   `json:"trial"`
}

// batch is how many changes go into one statement. SQLite looks each parameter up among those before
// it, so long statements cost more than they save: 200 rows in one took a third more CPU than 40.
const batch = 40

// takeChanges keeps the newest change of each entity. Older ones need no place here: a target is
// only ever sent the newest.
func takeChanges(ctx context.Context, tx *sql.Tx, n int64, rows iter.Seq2[connectors.Row, error]) (int, error) {
	taken := 0
	pending := make([]connectors.Row, 0, batch)
	at := map[string]bool{} // policy and code of those pending: one statement may not touch a row twice
	flush := func() error {
		err := saveChanges(ctx, tx, n, pending)
		pending = pending[:0]
		clear(at)
		return err
	}
	for row, err := range rows {
		if err != nil {
			return taken, err
		}
		taken++
		key := entityKey(row.ID)
		if at[key] || len(pending) == batch {
			if err := flush(); err != nil {
				return taken, err
			}
		}
		at[key] = true
		pending = append(pending, row)
	}
	return taken, flush()
}

// entityKey is the id of a change without its version.
func entityKey(id string) string { return id[:max(strings.LastIndexByte(id, '/'), 0)] }

func saveChanges(ctx context.Context, tx *sql.Tx, n int64, rows []connectors.Row) error {
	if len(rows) == 0 {
		return nil
	}
	const width = 9
	args := make([]any, 0, width*len(rows))
	for _, r := range rows {
		var f filed
		if err := json.Unmarshal(r.Body, &f); err != nil {
			return fault.Newf(fault.Invalid, "read change "+r.ID, "%w", err)
		}
		args = append(args, f.Policy, r.USCC, r.Version, n, r.Kind, f.Division, f.Industry, flag(f.Trial), string(r.Body))
	}
	_, err := tx.ExecContext(ctx, `
		insert into change (policy, uscc, version, n, kind, division, industry, trial, body)
		values `+placeholders(len(rows), width)+`
		on conflict (policy, uscc) do update set
			version = `+newest("version")+`, n = `+newest("n")+`, kind = `+newest("kind")+`, division = `+newest("division")+`,
			industry = `+newest("industry")+`, trial = `+newest("trial")+`, body = `+newest("body")+`,
			formerly = case
				when excluded.division = change.division and excluded.industry = change.industry then change.formerly
				when excluded.version > change.version and change.kind <> 'retraction'
					then change.formerly || change.division || '/' || change.industry || ' '
				when excluded.version < change.version and excluded.kind <> 'retraction'
					then change.formerly || excluded.division || '/' || excluded.industry || ' '
				else change.formerly
			end
		where excluded.version > change.version
			or excluded.version < change.version and (excluded.division <> change.division or excluded.industry <> change.industry)`, args...)
	return err
}

// newest takes a column from whichever of two statements has the greater version: a rebuilt database
// takes them in as they come.
func newest(column string) string {
	return "case when excluded.version > change.version then excluded." + column + " else change." + column + " end"
}

// placeholders gives ($1, $2), ($3, $4) for two rows of width two.
func placeholders(rows, width int) string {
	var b strings.Builder
	for i := range rows * width {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%width == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	b.WriteString(")")
	return b.String()
}

// A target's limits hold for a change. A limit of which the target names none lets everything in; a
// region or an industry is the beginning of a code. Trial results never go to the public.
const admitted = `(
	(not exists (select 1 from target_limit as l where l.target = t.id and l.kind = 'policy')
		or exists (select 1 from target_limit as l where l.target = t.id and l.kind = 'policy' and l.value = c.policy))
	and (not exists (select 1 from target_limit as l where l.target = t.id and l.kind = 'region')
		or exists (select 1 from target_limit as l where l.target = t.id and l.kind = 'region' and substr(c.division, 1, length(l.value)) = l.value))
	and (not exists (select 1 from target_limit as l where l.target = t.id and l.kind = 'industry')
		or exists (select 1 from target_limit as l where l.target = t.id and l.kind = 'industry' and substr(c.industry, 1, length(l.value)) = l.value))
	and not (t.public = 1 and c.trial = 1))`

// due is the outbox filled from changes: for each target, what its limits admit and, whatever they
// admit now, what replaces a grade that it was once sent. A correction then goes as it is; anything
// else tells the target that the grade it holds is no longer shared with it.
const due = `
	insert into outbox (target, policy, uscc, version, kind, n, state, delivery, sent_at, taken_at, answered_at, code, message)
	select
		w.target, w.policy, w.uscc, w.version,
		case
			when w.admitted = 1 then w.kind
			when w.kind = 'correction' and not (w.public = 1 and w.trial = 1) then w.kind
			else 'retraction'
		end,
		w.n, 'due', '', 0, 0, 0, '', ''
	from (
		select
			t.id as target, t.public, c.policy, c.uscc, c.version, c.kind, c.n, c.trial,
			case when ` + admitted + ` then 1 else 0 end as admitted,
			coalesce((
				select o.kind from outbox as o
				where o.target = t.id and o.policy = c.policy and o.uscc = c.uscc and o.sent_at > 0
				order by o.version desc limit 1), '') as held
		from change as c
		cross join target as t
		where t.active = 1 and %s
	) as w
	where (w.admitted = 1 or w.held in ('grade', 'correction'))
		and not exists (
			select 1 from outbox as o
			where o.target = w.target and o.policy = w.policy and o.uscc = w.uscc and o.version > w.version)
	on conflict (target, policy, uscc, version) do nothing`

// An older version never goes out after a newer one: it is out of the race when the newer comes in.
const supersede = `
	update outbox set state = 'superseded'
	where state in ('due', 'sent') and %s and exists (
		select 1 from outbox as newer
		where newer.target = outbox.target and newer.policy = outbox.policy and newer.uscc = outbox.uscc
			and newer.version > outbox.version)`

// fill puts the changes of a policy that came after an entry into the outbox of every target.
func (s *State) fill(ctx context.Context, tx *sql.Tx, policy string, since int64) error {
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(due, "c.policy = $1 and c.n > $2"), policy, since); err != nil {
		return err
	}
	// Only what these changes are about, so that a release of few costs little beside an outbox of millions.
	_, err := tx.ExecContext(ctx, fmt.Sprintf(supersede,
		"policy = $1 and uscc in (select c.uscc from change as c where c.policy = $1 and c.n > $2)"), policy, since)
	return err
}

// refill does the same for one target whose limits are new, from everything published.
func (s *State) refill(ctx context.Context, tx *sql.Tx, target string) error {
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(due, "t.id = $1"), target); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf(supersede, "target = $1"), target)
	return err
}
