package dbtable

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"xinshu/connectors"
)

// encodingBad is the reason of a row whose text the database's character set does not have.
const encodingBad = "ENCODING"

// pages cuts rows into pages. A page goes out when the row after it arrives, so that the last one
// carries the cursor of the end.
type pages struct {
	job     *job
	batch   *connectors.Batch
	after   connectors.Cursor
	at      place
	whole   bool
	skip    int64 // rows that an earlier pull has read
	left    int64
	number  int64
	handles []string
	rejects []connectors.Reject
	yield   func(connectors.Page, error) bool
	sent    int
}

func (jb *job) pages(at place, after connectors.Cursor, yield func(connectors.Page, error) bool) *pages {
	names := make([]string, len(jb.columns))
	for i, col := range jb.columns {
		names[i] = col.name
	}
	return &pages{job: jb, batch: connectors.NewBatch(jb.rows, names...), after: after, at: at, yield: yield,
		whole: jb.mode == full && at.Offset == 0}
}

func (p *pages) add(values [][]byte) error {
	if p.number++; p.number <= p.skip {
		return nil
	}
	if p.batch.Full() || len(p.rejects) >= p.job.rows {
		if err := p.send(false); err != nil {
			return err
		}
	}
	width := len(p.job.columns)
	own, rest := values[:width], values[width:]
	if bad := broken(own); bad >= 0 {
		p.rejects = append(p.rejects, connectors.Reject{Line: p.number, Column: p.job.columns[bad].name, Reason: encodingBad, Value: shown(own[bad])})
	} else {
		p.batch.AppendRow(own, p.number)
	}
	switch p.job.mode {
	case watermark:
		if rest[0] != nil {
			p.move(string(rest[0]))
		}
	case flag:
		h, err := handle(rest, own)
		if err != nil {
			return err
		}
		p.handles = append(p.handles, h)
	}
	return nil
}

// move takes a row's watermark. Rows come in the watermark's order, so the last is the greatest; one
// that a lookback read again does not bring the watermark back.
func (p *pages) move(text string) {
	if p.job.cursor.kind == wall || p.job.cursor.kind == zoned {
		short, _ := shortTime(nil, []byte(text)) // never fails
		text = string(short)
	}
	if p.job.lookback > 0 && p.at.Max != nil {
		text = connectors.Later(*p.at.Max, text)
	}
	p.at.Max = &text
}

// broken gives the first value that is no text, -1 when there is none.
func broken(values [][]byte) int {
	for i, v := range values {
		if !utf8.Valid(v) {
			return i
		}
	}
	return -1
}

// shown is what a steward sees of bytes that are no text; staging masks what it finds in it.
func shown(value []byte) string {
	return strings.ToValidUTF8(string(value[:min(len(value), 500)]), "\ufffd")
}

func (p *pages) end() error {
	if p.sent > 0 && p.batch.Rows() == 0 && len(p.rejects) == 0 {
		return nil
	}
	if p.batch.Rows() == 0 && len(p.rejects) == 0 && !p.whole {
		return nil
	}
	return p.send(true)
}

func (p *pages) send(last bool) error {
	page := connectors.Page{Origin: connectors.Origin{File: p.job.name}, Rejects: p.rejects, Taken: p.handles, Next: p.cursor(last), Whole: last && p.whole}
	if p.batch.Rows() > 0 {
		page.Batch, page.Origin.Line, page.Origin.Lines = p.batch.Take()
	}
	if p.sent++; p.sent == 1 {
		page.Declared = &p.left
	}
	p.handles, p.rejects = nil, nil
	if !p.yield(page, nil) {
		return errStop
	}
	return nil
}

func (p *pages) cursor(last bool) connectors.Cursor {
	at := place{}
	switch {
	case p.job.window != nil:
		return p.after
	case p.job.mode == watermark:
		at.Max = p.at.Max
	case p.job.mode == full && !last:
		at.Offset = p.number - 1 // the row in hand belongs to the next page
	}
	if at == (place{}) {
		return ""
	}
	text, _ := json.Marshal(at) // text and a number always encode
	return connectors.Cursor(text)
}
