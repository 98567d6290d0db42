package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Target is one receiver of results: what it may get, without its address and secrets.
type Target struct {
	ID         string
	Kind       string   // connector kind
	Public     bool     // shows results to everybody: gets no trial results
	Policies   []string // empty: all
	Regions    []string // beginnings of division codes; empty: all
	Industries []string // beginnings of industry codes; empty: all
	Fields     []string // of the result; empty: all
}

// limits is the target's limits in one line; the same limits in any order give the same line.
func (t Target) limits() string {
	sorted := func(values []string) string { return strings.Join(slices.Sorted(slices.Values(values)), ",") }
	return fmt.Sprintf("public=%t policies=%s regions=%s industries=%s", t.Public, sorted(t.Policies), sorted(t.Regions), sorted(t.Industries))
}

// SetTargets makes these the configured targets. A target that is new, or back, or whose limits
// changed, gets an outbox row for everything now published that its limits admit and that it was not
// sent before. One that is no longer listed gets nothing more; what it once got is remembered.
func (s *State) SetTargets(ctx context.Context, targets []Target) error {
	return s.tx(ctx, "store the targets", func(tx *sql.Tx) error {
		before, err := activeLimits(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `update target set active = 0`); err != nil {
			return err
		}
		for _, t := range targets {
			if err := saveTarget(ctx, tx, t); err != nil {
				return err
			}
			if limits, active := before[t.ID]; active && limits == t.limits() {
				continue
			}
			if err := saveLimits(ctx, tx, t); err != nil {
				return err
			}
			if err := s.refill(ctx, tx, t.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

func activeLimits(ctx context.Context, tx *sql.Tx) (map[string]string, error) {
	rows, err := tx.QueryContext(ctx, `select id, limits from target where active = 1`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	limits := map[string]string{}
	for rows.Next() {
		var id, line string
		if err := rows.Scan(&id, &line); err != nil {
			return nil, err
		}
		limits[id] = line
	}
	return limits, rows.Err()
}

func saveTarget(ctx context.Context, tx *sql.Tx, t Target) error {
	_, err := tx.ExecContext(ctx, `
		insert into target (id, kind, active, public, fields, limits) values ($1, $2, 1, $3, $4, $5)
		on conflict (id) do update set kind = excluded.kind, active = 1, public = excluded.public,
			fields = excluded.fields, limits = excluded.limits`,
		t.ID, t.Kind, flag(t.Public), strings.Join(t.Fields, ","), t.limits())
	return err
}

func saveLimits(ctx context.Context, tx *sql.Tx, t Target) error {
	if _, err := tx.ExecContext(ctx, `delete from target_limit where target = $1`, t.ID); err != nil {
		return err
	}
	for kind, values := range map[string][]string{"policy": t.Policies, "region": t.Regions, "industry": t.Industries} {
		for _, v := range values {
			if _, err := tx.ExecContext(ctx, `
				insert into target_limit (target, kind, value) values ($1, $2, $3) on conflict (target, kind, value) do nothing`,
				t.ID, kind, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// lockTarget lets one transaction at a time work on a target's deliveries, on either database.
func lockTarget(ctx context.Context, tx *sql.Tx, id string) error {
	res, err := tx.ExecContext(ctx, `update target set active = active where id = $1`, id)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return errors.New("no such target: " + id)
	}
	return nil
}
