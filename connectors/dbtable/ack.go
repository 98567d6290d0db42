package dbtable

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/fault"
)

// A transaction flags at most so many rows; a statement carries at most so many parameters, because
// SQL Server takes 2,100 and Oracle 1,000 in a list.
const (
	ackRows   = 500
	ackParams = 1000
)

// handle names a row as it was read: what finds it in the table, and a hash of its values, so that
// nothing of the row itself is kept in the clear. A key that is a person's number would be: it is refused.
func handle(found, values [][]byte) (string, error) {
	var text strings.Builder
	for i, part := range found {
		if part == nil {
			return "", fault.Newf(fault.Invalid, "note a row", "a column of the key is null in a row; the key must find each row again")
		}
		if i > 0 {
			text.WriteByte('.')
		}
		if len(part) >= 15 && catalog.CheckUSCC(string(part)).Reason == catalog.PIIIDCard {
			return "", &fault.Error{Op: "note a row", Code: fault.Invalid, Hint: "give the table a row number as its primary key, or pull by watermark",
				Err: errors.New("the key that finds the rows again holds a person's identity number, which must not be kept")}
		}
		text.WriteString(base64.RawURLEncoding.EncodeToString(part))
	}
	return text.String() + "#" + rowHash(values), nil
}

// located gives back the values that find a row.
func located(text string, width int) ([]any, error) {
	parts := strings.Split(text, ".")
	if len(parts) != width {
		return nil, errors.New("it names another number of columns")
	}
	values := make([]any, width)
	for i, part := range parts {
		value, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			return nil, err
		}
		values[i] = string(value)
	}
	return values, nil
}

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
// its old flag and comes again with the next pull; one that is gone or flagged is left alone, and so
// is a handle that names no row of this table.
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
		if _, err := located(place, len(jb.place)); err != nil || !ok {
			continue // made when the table had another key, or the source another kind: such rows come again, count as duplicates, and are flagged then
		}
		want[place] = hash
		if len(want) == min(ackRows, ackParams/len(jb.place)) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// ack reads the rows again and flags those that are as they were, in the same transaction.
func (jb *job) ack(ctx context.Context, w writer, want map[string]string) error {
	places := make([]string, 0, len(want))
	for place := range want {
		places = append(places, place)
	}
	texts := jb.placeTexts()
	for _, col := range jb.columns {
		texts = append(texts, col.text)
	}
	// The columns first, so that they are decoded as they were when they were read.
	texts = append(texts[len(jb.place):], texts[:len(jb.place)]...)
	where, args, err := jb.at(places)
	if err != nil {
		return err
	}
	query := fmt.Sprintf("select %s from %s%s where (%s) and %s = %s%s", strings.Join(texts, ", "), jb.table, jb.speak.locked,
		where, jb.flag, jb.fresh, jb.speak.locking)
	same, other := map[string]bool{}, map[string]bool{}
	err = w.rows(ctx, query, args, jb.columns, func(values [][]byte) error {
		own, found := values[:len(jb.columns)], values[len(jb.columns):]
		text, err := handle(found, own)
		if err != nil {
			return err
		}
		place, hash, _ := strings.Cut(text, "#")
		if want[place] == hash {
			same[place] = true
		} else {
			other[place] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	places = places[:0]
	for place := range same {
		if other[place] {
			return &fault.Error{Op: jb.op, Code: fault.Invalid, Hint: "set key to columns that tell the rows apart",
				Err: fmt.Errorf("several rows of %s share one key and differ: flagging one would flag the others unread", jb.name)}
		}
		places = append(places, place)
	}
	if len(places) == 0 {
		return nil
	}
	if where, args, err = jb.at(places); err != nil {
		return err
	}
	return w.exec(ctx, fmt.Sprintf("update %s set %s = %s where (%s) and %s = %s", jb.table, jb.flag, jb.taken, where, jb.flag, jb.fresh), args...)
}

// at is the condition that a row lies at one of the places.
func (jb *job) at(places []string) (string, []any, error) {
	var args []any
	each := make([]string, len(places))
	for i, place := range places {
		values, err := located(place, len(jb.place))
		if err != nil {
			return "", nil, err
		}
		parts := make([]string, len(values))
		for k, value := range values {
			args = append(args, value)
			parts[k] = jb.place[k].is("=", jb.speak.mark(len(args)))
		}
		each[i] = strings.Join(parts, " and ")
		if len(parts) > 1 {
			each[i] = "(" + each[i] + ")"
		}
	}
	return strings.Join(each, " or "), args, nil
}
