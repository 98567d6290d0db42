package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"

	"xinshu/internal/audit"
	"xinshu/internal/fault"
)

var _ audit.Store = (*State)(nil)

const auditColumns = `seq, at, actor, name, roles, way, address, action, kind, subject, uscc, purpose, outcome, detail, prev, hash`

// AppendEntries numbers and links entries and keeps them. The head's row is taken first and given back by
// the commit: writers of all processes and nodes append one after the other.
func (s *State) AppendEntries(ctx context.Context, entries []*audit.Entry) error {
	return s.tx(ctx, "write the audit trail", func(tx *sql.Tx) error {
		var head audit.Head
		if err := tx.QueryRowContext(ctx, `update audit_head set seq = seq where id = 1 returning seq, hash`).Scan(&head.Seq, &head.Hash); err != nil {
			return err
		}
		for _, e := range entries {
			e.Seq, e.Prev = head.Seq+1, head.Hash
			e.Hash = e.Sum()
			_, err := tx.ExecContext(ctx, `insert into audit_entry (`+auditColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
				e.Seq, millis(e.At), e.Actor, e.Name, e.Roles, e.Way, e.Address, e.Action, e.Kind, e.ID, e.USCC, e.Purpose, e.Outcome, asJSON(e.Detail), e.Prev, e.Hash)
			if err != nil {
				return err
			}
			head = audit.Head{Seq: e.Seq, Hash: e.Hash}
		}
		_, err := tx.ExecContext(ctx, `update audit_head set seq = $1, hash = $2 where id = 1`, head.Seq, head.Hash)
		return err
	})
}

func scanEntry(r row) (e audit.Entry, err error) {
	var (
		at     int64
		detail string
	)
	err = r.Scan(&e.Seq, &at, &e.Actor, &e.Name, &e.Roles, &e.Way, &e.Address, &e.Action, &e.Kind, &e.ID, &e.USCC, &e.Purpose, &e.Outcome, &detail, &e.Prev, &e.Hash)
	if err != nil {
		return e, err
	}
	e.At = fromMillis(at)
	if err := json.Unmarshal([]byte(detail), &e.Detail); err != nil || asJSON(e.Detail) != detail {
		e.Detail = map[string]string{"": detail} // somebody had a hand in it: the hash shall not fit
	}
	return e, nil
}

// Entries gives the chosen entries, the newest first.
func (s *State) Entries(ctx context.Context, f audit.Filter) (entries []audit.Entry, err error) {
	const op = "read the audit trail"
	var (
		where []string
		args  []any
	)
	add := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(args))))
	}
	if f.After > 0 {
		add("seq < ?", f.After)
	}
	if !f.From.IsZero() {
		add("at >= ?", millis(f.From))
	}
	if !f.Until.IsZero() {
		add("at < ?", millis(f.Until))
	}
	for _, c := range []struct{ column, want string }{{"actor", f.Actor}, {"kind", f.Kind}, {"subject", f.ID}, {"uscc", f.USCC}, {"purpose", f.Purpose}, {"outcome", f.Outcome}} {
		if c.want != "" {
			add(c.column+" = ?", c.want)
		}
	}
	switch {
	case strings.HasSuffix(f.Action, "."):
		add(`action like ? escape '\'`, likeText(f.Action)+"%")
	case f.Action != "":
		add("action = ?", f.Action)
	}
	if f.Text != "" {
		add(`(lower(name) like ? escape '\' or lower(subject) like ? escape '\' or lower(detail) like ? escape '\')`, "%"+likeText(strings.ToLower(f.Text))+"%")
	}
	if len(where) == 0 {
		where = []string{"seq > 0"}
	}
	args = append(args, f.Limit)
	rows, err := s.db.QueryContext(ctx, `select `+auditColumns+` from audit_entry where `+strings.Join(where, " and ")+fmt.Sprintf(` order by seq desc limit $%d`, len(args)), args...)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // only read
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		entries = append(entries, e)
	}
	return entries, failed(op, rows.Err())
}

// likeText takes the meaning from the signs that `like` has a meaning for.
func likeText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// chainPage is how many entries one query of the chain gives.
const chainPage = 1000

// Chain reads the trail up to where it ended when the reading began. It reads page by page, so that a
// slow reader holds up no writer; when somebody cuts the trail meanwhile it says so.
func (s *State) Chain(ctx context.Context, read func(root audit.Root, head audit.Head, entries iter.Seq2[audit.Entry, error]) error) error {
	const op = "read the audit trail"
	var (
		head audit.Head
		last int64
	)
	root, err := auditRoot(ctx, s.db)
	if err != nil {
		return failed(op, err)
	}
	// One statement sees one moment: an entry beyond the head was not appended but put there.
	err = s.db.QueryRowContext(ctx, `select seq, hash, (select coalesce(max(seq), 0) from audit_entry) from audit_head where id = 1`).Scan(&head.Seq, &head.Hash, &last)
	if err != nil {
		return failed(op, err)
	}
	last = max(last, head.Seq)
	err = read(root, head, func(yield func(audit.Entry, error) bool) {
		after := int64(math.MinInt64)
		for {
			page, err := s.chainPage(ctx, after, last)
			if err != nil {
				yield(audit.Entry{}, failed(op, err))
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
				after = e.Seq
			}
			if len(page) < chainPage {
				return
			}
		}
	})
	if now, rerr := auditRoot(ctx, s.db); rerr != nil || now != root {
		return errors.Join(failed(op, rerr), &fault.Error{Op: op, Code: fault.Conflict, Err: errors.New("old entries went while it was read"), Hint: "do it again"})
	}
	return err
}

func (s *State) chainPage(ctx context.Context, after, last int64) (page []audit.Entry, err error) {
	rows, err := s.db.QueryContext(ctx, `select `+auditColumns+` from audit_entry where seq > $1 and seq <= $2 order by seq limit $3`, after, last, chainPage)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // only read
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return nil, err
		}
		page = append(page, e)
	}
	return page, rows.Err()
}

// queryer is a transaction, or the database itself.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func auditRoot(ctx context.Context, q queryer) (r audit.Root, err error) {
	var at int64
	err = q.QueryRowContext(ctx, `select seq, hash, entries, at, code from audit_root where id = 1`).Scan(&r.Seq, &r.Hash, &r.Entries, &at, &r.Code)
	if errors.Is(err, sql.ErrNoRows) {
		return audit.Root{}, nil
	}
	r.At = fromMillis(at)
	return r, err
}

// CutEntries deletes the entries up to the root's and keeps the root. Writers wait meanwhile; a cut that
// is behind one that somebody else made does nothing.
func (s *State) CutEntries(ctx context.Context, root audit.Root) error {
	const op = "cut the audit trail"
	return s.tx(ctx, op, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `update audit_head set seq = seq where id = 1`); err != nil {
			return err
		}
		was, err := auditRoot(ctx, tx)
		if err != nil {
			return err
		}
		if was.Seq >= root.Seq {
			return &fault.Error{Op: op, Code: fault.Conflict, Err: errors.New("it was cut by somebody else meanwhile")}
		}
		if _, err := tx.ExecContext(ctx, `delete from audit_entry where seq <= $1`, root.Seq); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `insert into audit_root (id, seq, hash, entries, at, code) values (1, $1, $2, $3, $4, $5)
			on conflict (id) do update set seq = excluded.seq, hash = excluded.hash, entries = excluded.entries, at = excluded.at, code = excluded.code`,
			root.Seq, root.Hash, root.Entries, millis(root.At), root.Code)
		return err
	})
}
