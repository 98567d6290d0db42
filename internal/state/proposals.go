package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/fault"
	"xinshu/internal/release"
)

const proposalColumns = `id, part, subject, state, file, text, sha256, base, note, in_force, by, at, answered_by, answered_at, reason`

// AddProposal gives a proposal the next number of its day and stores it.
func (s *State) AddProposal(ctx context.Context, p release.Proposal) (release.Proposal, error) {
	const op = "propose"
	day := "R" + s.now().Format("20060102") + "-"
	p.At = s.now()
	for range 20 { // another node may take the same number; then the next one is taken
		var added int64
		err := s.tx(ctx, op, func(tx *sql.Tx) error {
			var n int64
			if err := tx.QueryRowContext(ctx, `select count(*) + 1 from proposal where id >= $1 and id < $2`, day, strings.TrimSuffix(day, "-")+"z").Scan(&n); err != nil {
				return err
			}
			p.ID = fmt.Sprintf("%s%04d", day, n)
			res, err := tx.ExecContext(ctx, `insert into proposal (`+proposalColumns+`)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) on conflict do nothing`,
				p.ID, string(p.Part), p.Subject, string(p.State), p.File, p.Text, p.SHA256, p.Base, p.Note, p.InForce.String(), p.By, millis(p.At), "", 0, "")
			if err != nil {
				return err
			}
			added, err = res.RowsAffected()
			return err
		})
		if err != nil || added > 0 {
			return p, err
		}
	}
	return p, &fault.Error{Op: op, Code: fault.Unavailable, Err: errors.New("too many proposals are being made at once"), Hint: "try again"}
}

// AnswerProposal ends an open proposal.
func (s *State) AnswerProposal(ctx context.Context, p release.Proposal) error {
	op := "answer " + p.ID
	res, err := s.db.ExecContext(ctx, `update proposal set state = $1, in_force = $2, answered_by = $3, answered_at = $4, reason = $5 where id = $6 and state = 'proposed'`,
		string(p.State), p.InForce.String(), p.AnsweredBy, millis(p.AnsweredAt), p.Reason, p.ID)
	if err != nil {
		return failed(op, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, &fault.Error{Op: op, Code: fault.Conflict, Err: errors.New("somebody answered it meanwhile"), Hint: "look at it again"})
	}
	return nil
}

// Proposal gives one.
func (s *State) Proposal(ctx context.Context, id string) (release.Proposal, error) {
	all, err := s.proposals(ctx, `where id = $1`, id)
	if err == nil && len(all) == 0 {
		return release.Proposal{}, &fault.Error{Op: "find proposal " + id, Code: fault.NotFound, Err: errors.New("there is no such proposal"), Hint: "see xinshu release list"}
	}
	if err != nil {
		return release.Proposal{}, err
	}
	return all[0], nil
}

// Proposals gives those that a filter chooses, the newest first.
func (s *State) Proposals(ctx context.Context, f release.Filter) ([]release.Proposal, error) {
	var (
		where []string
		args  []any
	)
	for _, c := range []struct{ condition, value string }{{"part = $%d", string(f.Part)}, {"subject = $%d", f.Subject}, {"state = $%d", string(f.State)}, {"id < $%d", f.Before}} {
		if c.value != "" {
			args = append(args, c.value)
			where = append(where, fmt.Sprintf(c.condition, len(args)))
		}
	}
	most := f.Most
	if most <= 0 {
		most = 200
	}
	query := ""
	if len(where) > 0 {
		query = "where " + strings.Join(where, " and ")
	}
	return s.proposals(ctx, query+fmt.Sprintf(" order by id desc limit $%d", len(args)+1), append(args, most)...)
}

// Released gives of each file the approved text in force on a day: the one whose day is the latest, of
// the same day the one that was approved last.
func (s *State) Released(ctx context.Context, day catalog.Date) ([]release.Proposal, error) {
	all, err := s.proposals(ctx, `where state = 'approved' order by file, in_force, answered_at, id`)
	if err != nil {
		return nil, err
	}
	var last []release.Proposal
	for _, p := range all {
		if p.InForce > day {
			continue
		}
		if n := len(last); n > 0 && last[n-1].File == p.File {
			last[n-1] = p
		} else {
			last = append(last, p)
		}
	}
	return last, nil
}

func (s *State) proposals(ctx context.Context, tail string, args ...any) ([]release.Proposal, error) {
	const op = "read proposals"
	rows, err := s.db.QueryContext(ctx, `select `+proposalColumns+` from proposal `+tail, args...)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	all := []release.Proposal{}
	for rows.Next() {
		var (
			p            release.Proposal
			from         string
			at, answered int64
		)
		if err := rows.Scan(&p.ID, &p.Part, &p.Subject, &p.State, &p.File, &p.Text, &p.SHA256, &p.Base, &p.Note, &from, &p.By, &at, &p.AnsweredBy, &answered, &p.Reason); err != nil {
			return nil, failed(op, err)
		}
		if p.InForce, err = catalog.ParseDate(from); err != nil {
			return nil, failed(op, err)
		}
		p.At, p.AnsweredAt = fromMillis(at), fromMillis(answered)
		all = append(all, p)
	}
	return all, failed(op, rows.Err())
}
