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
		err = c.engine.read(ctx, func(r reader) error { return jb.read(ctx, r, at, yield) })
		if err != nil && !errors.Is(err, errStop) {
			yield(connectors.Page{}, failed(ctx, op, err))
		}
	}
}

func (jb *job) read(ctx context.Context, r reader, at place, yield func(connectors.Page, error) bool) error {
	where, args := jb.where(at)
	if jb.mode == watermark && jb.nulls == "refuse" {
		n, err := r.count(ctx, "select count(*) from "+jb.table+" where "+quote(jb.cursor.name)+" is null")
		if err != nil {
			return err
		}
		if n > 0 {
			return &fault.Error{Op: jb.op, Code: fault.Invalid, Hint: "fill them at the source, or set null_cursor to take or leave",
				Err: fmt.Errorf("%d rows of %s have no %s", n, jb.name, jb.cursor.name)}
		}
	}
	total, err := r.count(ctx, "select count(*) from "+jb.table+where, args...)
	if err != nil {
		return err
	}
	p := jb.pages(at, max(total-at.Offset, 0), yield)
	if err := r.rows(ctx, jb.query(at, where), args, p.add); err != nil {
		return err
	}
	return p.end()
}

// where is the condition that picks the rows after a place.
func (jb *job) where(at place) (text string, args []any) {
	switch jb.mode {
	case flag:
		return " where " + jb.flag + " = " + jb.fresh, nil
	case watermark:
		name := quote(jb.cursor.name)
		switch {
		case at.Max == nil && jb.nulls == "leave":
			return " where " + name + " is not null", nil
		case at.Max == nil:
			return "", nil
		case jb.nulls == "take":
			text = " where (" + name + " >= $1 or " + name + " is null)"
		default:
			text = " where " + name + " >= $1"
		}
		return text, []any{connectors.Back(*at.Max, jb.lookback)}
	}
	return "", nil
}

// source qualifies the columns of the order: PostgreSQL would take a bare name for the text that is
// selected under it, and sort 10 before 9.
const source = "src."

// query selects every column as text; the last expression is the watermark or the row's place.
func (jb *job) query(at place, where string) string {
	texts := make([]string, 0, len(jb.columns)+1)
	for _, col := range jb.columns {
		texts = append(texts, col.text)
	}
	order := jb.order
	switch jb.mode {
	case watermark:
		texts = append(texts, jb.cursor.exact)
		order = append([]string{source + quote(jb.cursor.name)}, order...)
	case flag:
		texts = append(texts, jb.place)
	}
	query := "select " + strings.Join(texts, ", ") + " from " + jb.table + " as src" + where + " order by " + strings.Join(order, ", ")
	if at.Offset > 0 {
		query += fmt.Sprintf(" limit %d offset %d", int64(1)<<62, at.Offset)
	}
	return query
}

// pages cuts rows into pages. A page goes out when the row after it arrives, so that the last one
// carries the cursor of the end.
type pages struct {
	job     *job
	batch   *connectors.Batch
	at      place
	left    int64
	number  int64
	handles []string
	yield   func(connectors.Page, error) bool
	sent    int
}

func (jb *job) pages(at place, declared int64, yield func(connectors.Page, error) bool) *pages {
	names := make([]string, len(jb.columns))
	for i, col := range jb.columns {
		names[i] = col.name
	}
	return &pages{job: jb, batch: connectors.NewBatch(jb.rows, names...), at: at, left: declared, number: at.Offset, yield: yield}
}

func (p *pages) add(values [][]byte) error {
	if p.batch.Full() {
		if err := p.send(false); err != nil {
			return err
		}
	}
	p.number++
	for i, value := range values[:len(p.job.columns)] {
		if value != nil {
			p.batch.SetBytes(i, value)
		}
	}
	p.batch.EndRow(p.number)
	switch last := values[len(values)-1]; p.job.mode {
	case watermark:
		if last != nil {
			text := string(last) // rows come in the watermark's order, so the last is the greatest
			if p.job.lookback > 0 && p.at.Max != nil {
				text = connectors.Later(*p.at.Max, text)
			}
			p.at.Max = &text
		}
	case flag:
		p.handles = append(p.handles, handle(string(last), values[:len(p.job.columns)]))
	}
	return nil
}

func (p *pages) end() error {
	if p.batch.Rows() == 0 {
		return nil
	}
	return p.send(true)
}

func (p *pages) send(last bool) error {
	record, first, lines := p.batch.Take()
	page := connectors.Page{Batch: record, Origin: connectors.Origin{File: p.job.name, Line: first, Lines: lines}, Taken: p.handles, Next: p.cursor(last)}
	if p.sent++; p.sent == 1 {
		page.Declared = &p.left
	}
	p.handles = nil
	if !p.yield(page, nil) {
		return errStop
	}
	return nil
}

func (p *pages) cursor(last bool) connectors.Cursor {
	at := place{}
	switch p.job.mode {
	case watermark:
		at.Max = p.at.Max
	case full:
		if !last {
			at.Offset = p.number
		}
	}
	if at == (place{}) {
		return ""
	}
	text, _ := json.Marshal(at) // text and a number always encode
	return connectors.Cursor(text)
}
