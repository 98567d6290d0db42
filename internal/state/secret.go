package state

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"xinshu/internal/vault"
)

// SetSecret keeps a sealed text at a place, in front of what lay there.
func (s *State) SetSecret(ctx context.Context, item vault.Item) error {
	_, err := s.db.ExecContext(ctx, `insert into secret (place, body, at) values ($1, $2, $3) on conflict (place) do update set body = excluded.body, at = excluded.at`,
		item.Place, item.Text, millis(s.now()))
	return failed("keep a sealed secret", err)
}

// Secret gives the sealed text of a place.
func (s *State) Secret(ctx context.Context, place string) (text string, found bool, err error) {
	err = s.db.QueryRowContext(ctx, `select body from secret where place = $1`, place).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return text, err == nil, failed("read a sealed secret", err)
}

// ForgetSecret deletes the text of a place.
func (s *State) ForgetSecret(ctx context.Context, place string) error {
	_, err := s.db.ExecContext(ctx, `delete from secret where place = $1`, place)
	return failed("forget a sealed secret", err)
}

// Sealed gives every sealed text of run state. A table that keeps such texts beside others belongs here
// and in Reseal, or a change of the vault's key passes it by.
func (s *State) Sealed(ctx context.Context) iter.Seq2[vault.Item, error] {
	return func(yield func(vault.Item, error) bool) {
		const op = "list the sealed secrets"
		rows, err := s.db.QueryContext(ctx, `select place, body from secret order by place`)
		if err != nil {
			yield(vault.Item{}, failed(op, err))
			return
		}
		defer func() { _ = rows.Close() }() // only read
		for rows.Next() {
			var item vault.Item
			if err := rows.Scan(&item.Place, &item.Text); err != nil {
				yield(item, failed(op, err))
				return
			}
			if !yield(item, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(vault.Item{}, failed(op, err))
		}
	}
}

// Reseal puts a text in the place of another, unless that one is there no more.
func (s *State) Reseal(ctx context.Context, old, text vault.Item) (bool, error) {
	const op = "seal a secret anew"
	res, err := s.db.ExecContext(ctx, `update secret set body = $1 where place = $2 and body = $3`, text.Text, text.Place, old.Text)
	if err != nil {
		return false, failed(op, err)
	}
	n, err := res.RowsAffected()
	return n > 0, failed(op, err)
}
