package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"xinshu/internal/cases"
	"xinshu/internal/fault"
)

// prefixOf begins the number of a case: the sounds of 异议, 修复, 补充.
var prefixOf = map[cases.Kind]string{cases.Objection: "YY", cases.Repair: "XF", cases.Completion: "BC"}

// AddCase gives a case the next number of its kind and day and stores it with its first event.
func (s *State) AddCase(ctx context.Context, c cases.Case, e cases.Event) (cases.Case, error) {
	const op = "open a case"
	day := s.now().Format("20060102")
	for range 20 { // another node may take the same number; then the next one is taken
		added := false
		err := s.tx(ctx, op, func(tx *sql.Tx) error {
			var seq int64
			if err := tx.QueryRowContext(ctx, `select coalesce(max(seq), 0) + 1 from case_file where day = $1 and prefix = $2`, day, prefixOf[c.Kind]).Scan(&seq); err != nil {
				return err
			}
			c.No, c.Version = fmt.Sprintf("%s-%s-%04d", prefixOf[c.Kind], day, seq), 1
			var err error
			added, err = s.insertCase(ctx, tx, c, e)
			return err
		})
		if err != nil || added {
			return c, err
		}
	}
	return c, &fault.Error{Op: op, Code: fault.Unavailable, Err: errors.New("too many cases are being opened at once"), Hint: "try again"}
}

// RestoreCase stores a case under the number it has, unless it is there.
func (s *State) RestoreCase(ctx context.Context, c cases.Case, e cases.Event) (added bool, err error) {
	c.Version = 1
	err = s.tx(ctx, "restore case "+c.No, func(tx *sql.Tx) error {
		added, err = s.insertCase(ctx, tx, c, e)
		return err
	})
	return added, err
}

func (s *State) insertCase(ctx context.Context, tx *sql.Tx, c cases.Case, e cases.Event) (bool, error) {
	prefix, rest, _ := strings.Cut(c.No, "-")
	day, no, _ := strings.Cut(rest, "-")
	var seq int64
	if _, err := fmt.Sscanf(no, "%d", &seq); err != nil || len(day) != len("20060102") {
		return false, fault.Newf(fault.Invalid, "store a case", "%q is no number of a case", c.No)
	}
	body, err := json.Marshal(c)
	if err != nil {
		return false, err
	}
	res, err := tx.ExecContext(ctx, `
		insert into case_file (no, day, prefix, seq, kind, state, decided, uscc, dataset, version, body)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing`,
		c.No, day, prefix, seq, string(c.Kind), string(c.State), flag(c.State.Decided()), c.USCC, c.Target.Dataset, c.Version, string(body))
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	return true, s.addCaseEvent(ctx, tx, c.No, e)
}

func (s *State) addCaseEvent(ctx context.Context, tx *sql.Tx, no string, e cases.Event) error {
	var seq int64
	if err := tx.QueryRowContext(ctx, `select coalesce(max(seq), 0) + 1 from case_event where no = $1`, no).Scan(&seq); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `insert into case_event (no, seq, at, by, what, note) values ($1, $2, $3, $4, $5, $6)`,
		no, seq, millis(s.now()), e.By, string(e.What), e.Note)
	return err
}

// SaveCase stores a case read before, with what happened. It is a conflict when somebody else stored
// it meanwhile.
func (s *State) SaveCase(ctx context.Context, c cases.Case, e cases.Event) (cases.Case, error) {
	was := c.Version
	c.Version++
	body, err := json.Marshal(c)
	if err != nil {
		return c, failed("store case "+c.No, err)
	}
	return c, s.tx(ctx, "store case "+c.No, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `update case_file set state = $1, decided = $2, version = $3, body = $4 where no = $5 and version = $6`,
			string(c.State), flag(c.State.Decided()), c.Version, string(body), c.No, was)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, &fault.Error{Op: "store case " + c.No, Code: fault.Conflict, Err: errors.New("somebody else changed it meanwhile"), Hint: "look at it again, then repeat the step"})
		}
		return s.addCaseEvent(ctx, tx, c.No, e)
	})
}

// Case gives one case with its history.
func (s *State) Case(ctx context.Context, no string) (cases.Case, []cases.Event, error) {
	var (
		c    cases.Case
		body string
	)
	err := s.db.QueryRowContext(ctx, `select body from case_file where no = $1`, no).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil, &fault.Error{Op: "find case " + no, Code: fault.NotFound, Err: errors.New("there is no such case"), Hint: "see xinshu case list"}
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &c)
	}
	if err != nil {
		return c, nil, failed("read case "+no, err)
	}
	rows, err := s.db.QueryContext(ctx, `select seq, at, by, what, note from case_event where no = $1 order by seq`, no)
	if err != nil {
		return c, nil, failed("read case "+no, err)
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var events []cases.Event
	for rows.Next() {
		var (
			e  cases.Event
			at int64
		)
		if err := rows.Scan(&e.Seq, &at, &e.By, &e.What, &e.Note); err != nil {
			return c, nil, failed("read case "+no, err)
		}
		e.At = fromMillis(at)
		events = append(events, e)
	}
	return c, events, failed("read case "+no, rows.Err())
}

// Cases gives the cases a filter chooses, the newest first.
func (s *State) Cases(ctx context.Context, f cases.Filter) ([]cases.Case, error) {
	const op = "list cases"
	var (
		where []string
		args  []any
	)
	add := func(condition string, values ...any) {
		places := make([]any, len(values))
		for i := range values {
			places[i] = fmt.Sprintf("$%d", len(args)+i+1)
		}
		where, args = append(where, fmt.Sprintf(condition, places...)), append(args, values...)
	}
	if f.Undecided {
		where = append(where, "decided = 0")
	}
	if f.Kind != "" {
		add("kind = %s", string(f.Kind))
	}
	if f.State != "" {
		add("state = %s", string(f.State))
	}
	if f.USCC != "" {
		add("uscc = %s", f.USCC)
	}
	if len(f.Datasets) > 0 {
		values := make([]any, len(f.Datasets))
		for i, d := range f.Datasets {
			values[i] = d
		}
		add("dataset in ("+strings.TrimSuffix(strings.Repeat("%s, ", len(values)), ", ")+")", values...)
	}
	if before := strings.Split(f.Before, "-"); len(before) == 3 {
		add("(day < %s or day = %s and no < %s)", before[1], before[1], f.Before)
	}
	most := f.Most
	if most <= 0 {
		most = 200
	}
	query := `select body from case_file`
	if len(where) > 0 {
		query += " where " + strings.Join(where, " and ")
	}
	args = append(args, most)
	rows, err := s.db.QueryContext(ctx, query+fmt.Sprintf(" order by day desc, no desc limit $%d", len(args)), args...)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	found := []cases.Case{}
	for rows.Next() {
		var (
			c    cases.Case
			body string
		)
		if err := rows.Scan(&body); err != nil {
			return nil, failed(op, err)
		}
		if err := json.Unmarshal([]byte(body), &c); err != nil {
			return nil, failed(op, err)
		}
		found = append(found, c)
	}
	return found, failed(op, rows.Err())
}

// Unanswered names the targets to which something about an entity under a policy is on its way.
func (s *State) Unanswered(ctx context.Context, policy, uscc string) ([]string, error) {
	const op = "list who has not answered"
	rows, err := s.db.QueryContext(ctx, `select distinct target from outbox where policy = $1 and uscc = $2 and state in ('due', 'sent') order by target`, policy, uscc)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var targets []string
	for rows.Next() {
		var target string
		if err := rows.Scan(&target); err != nil {
			return nil, failed(op, err)
		}
		targets = append(targets, target)
	}
	return targets, failed(op, rows.Err())
}
