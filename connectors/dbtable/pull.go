package dbtable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// place is a cursor. Watermark: the greatest value seen. Full: how many rows were read of a pull that
// was broken off; a full pull that ended begins anew. Flag mode needs none: the flags are the place.
type place struct {
	Max    *string `json:"max,omitempty"` // a pointer, so that an empty text and 0 are values like any other
	Offset int64   `json:"offset,omitempty"`
}

var errStop = errors.New("the reader of the pages stopped")

// Pull reads the table in one query on one snapshot, cut into pages as rows arrive.
func (c *conn) Pull(ctx context.Context, j connectors.Job, after connectors.Cursor) iter.Seq2[connectors.Page, error] {
	return func(yield func(connectors.Page, error) bool) {
		op := "pull " + j.Dataset.ID
		jb, err := c.readJob(ctx, j, op)
		if err != nil {
			yield(connectors.Page{}, err)
			return
		}
		var at place
		if after != "" {
			if err := json.Unmarshal([]byte(after), &at); err != nil {
				yield(connectors.Page{}, fault.Newf(fault.Invalid, op, "the cursor was not made by kind dbtable"))
				return
			}
		}
		err = c.engine.read(ctx, func(r reader) error { return jb.read(ctx, r, at, jb.pages(at, after, yield)) })
		if err != nil && !errors.Is(err, errStop) {
			yield(connectors.Page{}, failed(ctx, op, err))
		}
	}
}

func (jb *job) read(ctx context.Context, r reader, at place, p *pages) error {
	if jb.mode == watermark {
		if err := jb.checkWatermark(ctx, r, at); err != nil {
			return err
		}
	}
	where, args := jb.where(at)
	total, err := r.count(ctx, "select count(*) from "+jb.table+where, args...)
	if err != nil {
		return err
	}
	p.skip = min(at.Offset, total)
	p.left = total - p.skip
	if err := r.rows(ctx, jb.query(where), args, jb.columns, p.add); err != nil {
		return err
	}
	return p.end()
}

// where is the condition that picks the rows after a place, or those of a window.
func (jb *job) where(at place) (text string, args []any) {
	var all []string
	add := func(operator, text string) string {
		args = append(args, text)
		return jb.cursor.is(operator, jb.speak.mark(len(args)))
	}
	switch {
	case jb.mode == flag:
		all = append(all, jb.flag+" = "+jb.fresh)
	case jb.window != nil:
		all = append(all, "not ("+jb.cursor.empty()+")") // a row without watermark lies in no window
		if jb.window.From != "" {
			all = append(all, add(">=", jb.bound(jb.window.From)))
		}
		if jb.window.Until != "" {
			all = append(all, add("<", jb.bound(jb.window.Until)))
		}
	case jb.mode == watermark && at.Max == nil && jb.nulls == "leave":
		all = append(all, "not ("+jb.cursor.empty()+")")
	case jb.mode == watermark && at.Max != nil:
		text := add(">=", jb.bound(connectors.Back(*at.Max, jb.lookback)))
		if jb.nulls == "take" {
			text = "(" + text + " or " + jb.cursor.empty() + ")"
		}
		all = append(all, text)
	}
	if len(all) == 0 {
		return "", nil
	}
	return " where " + strings.Join(all, " and "), args
}

// source qualifies the columns of the order: PostgreSQL would take a bare name for the text that is
// selected under it, and sort 10 before 9.
const source = "src."

// query selects every column; behind them comes the watermark or what finds the row again.
func (jb *job) query(where string) string {
	texts := make([]string, 0, len(jb.columns)+1)
	for _, col := range jb.columns {
		texts = append(texts, col.text)
	}
	order := jb.order
	switch jb.mode {
	case watermark:
		texts = append(texts, jb.cursor.exact)
		order = append([]string{source + jb.cursor.ref}, order...)
	case flag:
		texts = append(texts, jb.placeTexts()...)
	}
	query := "select " + strings.Join(texts, ", ") + " from " + jb.table + jb.speak.alias + "src" + where
	if len(order) > 0 {
		query += " order by " + strings.Join(order, ", ")
	}
	return query
}

func (jb *job) placeTexts() []string {
	texts := make([]string, len(jb.place))
	for i, col := range jb.place {
		texts[i] = col.exact
	}
	return texts
}

// checkWatermark refuses what no watermark could be kept on.
func (jb *job) checkWatermark(ctx context.Context, r reader, at place) error {
	if jb.nulls == "refuse" {
		n, err := r.count(ctx, "select count(*) from "+jb.table+" where "+jb.cursor.empty())
		if err != nil {
			return err
		}
		if n > 0 {
			return &fault.Error{Op: jb.op, Code: fault.Invalid, Hint: "fill them at the source, or set null_cursor to take or leave",
				Err: fmt.Errorf("%d rows of %s have no %s", n, jb.name, jb.cursor.name)}
		}
	}
	if jb.cursor.kind == words {
		return jb.checkWritten(ctx, r, at)
	}
	return nil
}
