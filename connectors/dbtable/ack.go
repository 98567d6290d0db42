package dbtable

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"strings"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// ackRows is how many rows are flagged in one transaction.
const ackRows = 500

// handle names a row as it was read: its place in the table and a hash of its values, so that nothing
// of the row itself is kept in the clear.
func handle(place string, values [][]byte) string { return place + "#" + rowHash(values) }

// rowHash is over the values with their lengths; null differs from empty.
func rowHash(values [][]byte) string {
	h := sha256.New()
	var size [8]byte
	for _, v := range values {
		n := int64(len(v))
		if v == nil {
			n = -1
		}
		binary.BigEndian.PutUint64(size[:], uint64(n)) // -1 is meant to become the greatest
		h.Write(size[:])
		h.Write(v)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Ack sets the flag of the rows behind the handles. A row that was changed since it was read keeps
// its old flag and comes again with the next pull; one that is gone or flagged is left alone.
func (c *conn) Ack(ctx context.Context, j connectors.Job, handles iter.Seq2[string, error]) error {
	op := "acknowledge " + j.Dataset.ID
	jb, err := c.readJob(ctx, j, op)
	if err != nil {
		return err
	}
	if jb.mode != flag {
		return nil
	}
	want := make(map[string]string, ackRows)
	flush := func() error {
		if len(want) == 0 {
			return nil
		}
		if err := c.engine.write(ctx, func(w writer) error { return jb.ack(ctx, w, want) }); err != nil {
			return failed(ctx, op, err)
		}
		clear(want)
		return nil
	}
	for text, err := range handles {
		if err != nil {
			return err
		}
		place, hash, ok := strings.Cut(text, "#")
		if !ok {
			return fault.Newf(fault.Invalid, op, "a handle was not made by kind dbtable")
		}
		want[place] = hash
		if len(want) == ackRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// ack reads the rows again and flags those that are as they were, in the same transaction.
func (jb *job) ack(ctx context.Context, w writer, want map[string]string) error {
	args := make([]any, 0, len(want))
	for place := range want {
		args = append(args, place)
	}
	texts := make([]string, 0, len(jb.columns)+1)
	for _, col := range jb.columns {
		texts = append(texts, col.text)
	}
	query := fmt.Sprintf("select %s, %s from %s where %s and %s = %s%s", strings.Join(texts, ", "), jb.place, jb.table,
		w.at(len(args)), jb.flag, jb.fresh, w.locking())
	var same []any
	err := w.rows(ctx, query, args, func(values [][]byte) error {
		last := len(values) - 1
		if place := string(values[last]); want[place] == rowHash(values[:last]) {
			same = append(same, place)
		}
		return nil
	})
	if err != nil || len(same) == 0 {
		return err
	}
	return w.exec(ctx, fmt.Sprintf("update %s set %s = %s where %s", jb.table, jb.flag, jb.taken, w.at(len(same))), same...)
}
