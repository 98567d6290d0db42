package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"xinshu/internal/auth"
)

const keyColumns = `id, owner, title, kind, roles, rights, scope, networks, from_at, until_at, created_at, created_by, used_at, used_address, revoked_at, hash`

func scanKey(r row) (k auth.Key, hash string, err error) {
	var (
		roles, rights, scope, networks      string
		from, until, created, used, revoked int64
	)
	err = r.Scan(&k.ID, &k.Owner, &k.Title, &k.Kind, &roles, &rights, &scope, &networks, &from, &until, &created, &k.CreatedBy, &used, &k.UsedAddress, &revoked, &hash)
	if err != nil {
		return k, "", err
	}
	k.From, k.Until, k.Created, k.Used, k.Revoked = fromMillis(from), fromMillis(until), fromMillis(created), fromMillis(used), fromMillis(revoked)
	return k, hash, errors.Join(json.Unmarshal([]byte(roles), &k.Roles), json.Unmarshal([]byte(rights), &k.Rights),
		json.Unmarshal([]byte(scope), &k.Scope), json.Unmarshal([]byte(networks), &k.Networks))
}

// Keys gives the keys of an owner, of everybody when none is named, the newest first.
func (s *State) Keys(ctx context.Context, owner string) (keys []auth.Key, err error) {
	const op = "list keys"
	rows, err := s.db.QueryContext(ctx, `select `+keyColumns+` from access_key where owner = $1 or $1 = '' order by created_at desc, id`, owner)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // only read
	for rows.Next() {
		k, _, err := scanKey(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		keys = append(keys, k)
	}
	return keys, failed(op, rows.Err())
}

// Key gives a key and the hash of its secret.
func (s *State) Key(ctx context.Context, id string) (k auth.Key, hash string, found bool, err error) {
	k, hash, err = scanKey(s.db.QueryRowContext(ctx, `select `+keyColumns+` from access_key where id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return k, "", false, nil
	}
	return k, hash, err == nil, failed("read a key", err)
}

// AddKey keeps a new key.
func (s *State) AddKey(ctx context.Context, k auth.Key, hash string) error {
	_, err := s.db.ExecContext(ctx, `
		insert into access_key (`+keyColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, '', 0, $13)`,
		k.ID, k.Owner, k.Title, k.Kind, asJSON(k.Roles), asJSON(k.Rights), asJSON(k.Scope), asJSON(k.Networks),
		millis(k.From), millis(k.Until), millis(k.Created), k.CreatedBy, hash)
	return failed("keep a key", err)
}

// EndKey ends a key at a time, where it is not to end before.
func (s *State) EndKey(ctx context.Context, id string, until time.Time, revoked bool) error {
	_, err := s.db.ExecContext(ctx, `
		update access_key set until_at = case when until_at > cast($1 as bigint) then cast($1 as bigint) else until_at end,
			revoked_at = case when cast($2 as bigint) = 1 and revoked_at = 0 then cast($1 as bigint) else revoked_at end
		where id = $3`, millis(until), flag(revoked), id)
	return failed("end a key", err)
}

// KeyUsed notes where a key was last used.
func (s *State) KeyUsed(ctx context.Context, id, address string) error {
	_, err := s.db.ExecContext(ctx, `update access_key set used_at = $1, used_address = $2 where id = $3`, millis(s.now()), address, id)
	return failed("note the use of a key", err)
}
