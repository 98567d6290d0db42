package state

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"time"

	"xinshu/internal/fault"
)

// Upload is a file that somebody brought and that waits for a decision. Its parts are sealed by who
// brings them.
type Upload struct {
	ID     string
	Name   string
	SHA256 string
	Bytes  int64
	By     string
	At     time.Time
}

// SaveUpload keeps a file with its parts, and forgets those that are older than keep.
func (s *State) SaveUpload(ctx context.Context, u Upload, keep time.Duration, parts iter.Seq2[string, error]) error {
	const op = "keep an uploaded file"
	return s.tx(ctx, op, func(tx *sql.Tx) error {
		old := millis(s.now().Add(-keep))
		if _, err := tx.ExecContext(ctx, `delete from upload_part where upload in (select id from upload where at < $1)`, old); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `delete from upload where at < $1`, old); err != nil {
			return err
		}
		no := 0
		for part, err := range parts {
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `insert into upload_part (upload, no, body) values ($1, $2, $3)`, u.ID, no, part); err != nil {
				return err
			}
			no++
		}
		_, err := tx.ExecContext(ctx, `insert into upload (id, name, sha256, bytes, by_id, at) values ($1, $2, $3, $4, $5, $6)`,
			u.ID, u.Name, u.SHA256, u.Bytes, u.By, millis(s.now()))
		return err
	})
}

// Upload gives a file that is kept; not_found when there is none, or none any more.
func (s *State) Upload(ctx context.Context, id string) (u Upload, err error) {
	var at int64
	err = s.db.QueryRowContext(ctx, `select id, name, sha256, bytes, by_id, at from upload where id = $1`, id).Scan(&u.ID, &u.Name, &u.SHA256, &u.Bytes, &u.By, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return u, &fault.Error{Op: "find the uploaded file", Code: fault.NotFound, Hint: "it is kept for a day; upload it again"}
	}
	u.At = fromMillis(at)
	return u, failed("find the uploaded file", err)
}

// UploadPart gives one part of a file, and false behind the last.
func (s *State) UploadPart(ctx context.Context, id string, no int) (part string, found bool, err error) {
	err = s.db.QueryRowContext(ctx, `select body from upload_part where upload = $1 and no = $2`, id, no).Scan(&part)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return part, err == nil, failed("read the uploaded file", err)
}

// ForgetUpload deletes a file.
func (s *State) ForgetUpload(ctx context.Context, id string) error {
	return s.tx(ctx, "forget an uploaded file", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `delete from upload_part where upload = $1`, id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `delete from upload where id = $1`, id)
		return err
	})
}
