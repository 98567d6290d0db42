package restapi

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// Pull asks page after page. A pull ends when the platform's total is reached; without a total at the
// first empty page, or where the platform hands on no further cursor or address. It fails when the
// total changes on the way, because then pages have shifted, and when a page comes again in place of
// the next. A large answer becomes several pages.
func (c *conn) Pull(ctx context.Context, j connectors.Job, after connectors.Cursor) iter.Seq2[connectors.Page, error] {
	return func(yield func(connectors.Page, error) bool) {
		jb, err := readJob(j)
		if err != nil {
			yield(connectors.Page{}, err)
			return
		}
		at, err := readPlace(jb, after)
		if err != nil {
			yield(connectors.Page{}, err)
			return
		}
		p := &puller{conn: c, jb: jb, at: at, after: after, total: -1, began: at.Read + at.Row,
			whole: !at.On && at.Since == "" && jb.window == nil, seen: map[string]bool{}}
		for asked := 1; ; asked++ {
			if asked > jb.maxPages {
				yield(connectors.Page{}, &fault.Error{Op: jb.op, Code: fault.Invalid, Err: fmt.Errorf("the pages have no end: %d were read", jb.maxPages),
					Hint: "check the settings of paging; raise max_pages if the source is that large"})
				return
			}
			if more, err := p.one(ctx, yield); err != nil {
				yield(connectors.Page{}, err)
				return
			} else if !more {
				return
			}
		}
	}
}

// puller is one pull under way.
type puller struct {
	*conn
	jb       job
	at       place
	after    connectors.Cursor
	total    int64 // -1: not given
	began    int64 // rows given before this pull went on
	left     int64 // rows left out
	declared bool
	whole    bool
	seen     map[string]bool // cursors and addresses of this pull
}

// one asks for the page at the place and yields its rows; more says whether another follows.
func (p *puller) one(ctx context.Context, yield func(connectors.Page, error) bool) (more bool, err error) {
	a, err := p.ask(ctx)
	if err != nil {
		return false, err
	}
	defer a.end()
	total, err := p.jb.total(a)
	if err != nil {
		return false, err
	}
	if p.total >= 0 && total != p.total {
		return false, &fault.Error{Op: p.jb.op, Code: fault.Unavailable, Hint: "rows came in during the pull; it is tried again",
			Err: fmt.Errorf("the total changed from %d to %d at page %d", p.total, total, p.at.Page)}
	}
	p.total = total
	next, err := p.next(a)
	if err != nil {
		return false, err
	}
	for part, err, ok := a.first, error(nil), true; ok; part, err, ok = a.rest() {
		if err != nil {
			return false, err
		}
		given := p.at.Row
		if err := p.jb.watermarks(&part, &p.at); err != nil {
			part.record.Release()
			return false, err
		}
		p.left += part.left
		page := connectors.Page{Batch: part.record, Rejects: part.rejects,
			Origin: connectors.Origin{File: p.conn.at(p.jb.path), Page: p.at.Page, Line: part.first, Lines: part.lines}}
		if given == 0 {
			p.at.Sum = part.sum
		}
		p.at.Row, p.at.Part = part.row, part.sum
		end := false
		if part.last {
			end = p.ends(part.row, next)
			p.turn(part.row, next)
		}
		if !p.give(page, part.row == given, end, yield) || end {
			return false, nil
		}
	}
	return true, nil
}

// give yields a page with what it says of the whole pull. A page without rows is given only where it
// says something.
func (p *puller) give(page connectors.Page, empty, end bool, yield func(connectors.Page, error) bool) bool {
	page.Next = p.at.cursor(p.jb, end)
	page.Whole = end && p.whole && p.left == 0
	filters := p.jb.window != nil || p.jb.nulls == "leave"
	if p.total >= 0 && !p.declared && (end || !filters) { // what is left out is known at the end
		declared := p.total - p.began - p.left
		page.Declared, p.declared = &declared, true
	}
	if empty && end && p.at.Read == 0 && page.Next == p.after {
		page.Batch.Release()
		if page.Batch = nil; !page.Whole {
			return true // nothing new: no page, and the cursor stays
		}
	}
	return yield(page, nil)
}

// ends says whether an answer of so many rows was the last.
func (p *puller) ends(rows int64, next string) bool {
	switch p.jb.paging {
	case "none":
		return true
	case "cursor", "link":
		return next == ""
	}
	if p.total >= 0 {
		return rows == 0 || p.at.Read+rows >= p.total
	}
	return rows == 0 || p.jb.endShort && rows < int64(p.jb.rows)
}

// turn moves the place behind an answer.
func (p *puller) turn(rows int64, next string) {
	p.at.Read += rows
	p.at.Row, p.at.Part, p.at.Next = 0, "", next
	if p.jb.paging == "offset" {
		p.at.Page += rows
	} else {
		p.at.Page++
	}
}

// next finds what the platform hands on to the next page, and notices when it goes in a circle.
func (p *puller) next(a answer) (string, error) {
	next := ""
	switch {
	case p.jb.paging == "cursor":
		next = a.text(p.jb.nextPath)
	case p.jb.paging == "link" && p.jb.nextPath != "":
		next = a.text(p.jb.nextPath)
	case p.jb.paging == "link":
		next = nextLink(a.link)
	}
	if next == "" {
		return "", nil
	}
	if p.jb.paging == "link" {
		var err error
		if next, err = p.follow(p.jb.op, a.from, next); err != nil {
			return "", err
		}
	}
	if next == p.at.Next || p.seen[next] {
		return "", &fault.Error{Op: p.jb.op, Code: fault.Invalid, Err: errors.New("the platform's pages go in a circle: the same next page came twice"),
			Hint: "check page_param and next_path"}
	}
	p.seen[next] = true
	return next, nil
}

// answer is one page as received: where it came from, its first rows, and how to get the rest.
type answer struct {
	*content
	from  string
	first part
	rest  func() (part, error, bool)
	stop  func()
}

func (a answer) end() {
	a.stop()
	a.close()
}

// ask fetches the page at the place. A page equal to the one before is asked for once more, because
// platforms were seen to repeat a page; when it stays, the page number does nothing. An answer whose
// first rows are not those given before is begun anew: a row may come twice, none is lost.
func (p *puller) ask(ctx context.Context) (answer, error) {
	for again := false; ; again = true {
		a, err := p.fetch(ctx)
		if err != nil {
			return a, err
		}
		if p.at.Row > 0 || a.first.row == 0 || a.first.sum != p.at.Sum {
			return a, nil
		}
		a.first.record.Release()
		a.end()
		if again {
			return a, &fault.Error{Op: p.jb.op, Code: fault.Invalid, Hint: "check page_param and first_page, or set paging to none where one answer holds everything",
				Err: fmt.Errorf("page %d holds the same rows as the page before", p.at.Page)}
		}
	}
}

func (p *puller) fetch(ctx context.Context) (answer, error) {
	jb := p.jb
	a := answer{from: p.conn.at(jb.path)}
	if jb.paging == "link" && p.at.Next != "" {
		a.from = p.root.Scheme + "://" + p.root.Host + p.at.Next
	}
	var err error
	a.content, err = p.client.call(ctx, request{op: jb.op, method: jb.method, url: a.from, sid: jb.sid, params: jb.params(p.at),
		rows: jb.rowsPath, keep: []string{jb.totalPath, jb.nextPath}})
	if err != nil {
		return a, err
	}
	for {
		a.rest, a.stop = iter.Pull2(jb.parts(a.content, p.at.Row, p.at.Part))
		if a.first, err, _ = a.rest(); err == nil {
			return a, nil
		}
		if !errors.Is(err, errChanged) {
			a.end()
			return a, err
		}
		a.stop()
		p.began -= p.at.Row
		p.at.Row, p.at.Part = 0, ""
	}
}

// total gives what the platform says the pull has, -1 when it says nothing.
func (jb job) total(a answer) (int64, error) {
	if jb.totalPath == "" || a.isArray() {
		return -1, nil
	}
	text := a.text(jb.totalPath)
	if text == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return -1, fault.Newf(fault.Invalid, jb.op, "the total at %s is no count: %.40q", jb.totalPath, text)
	}
	return n, nil
}
