package restapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"

	"xinshu/connectors"
	"xinshu/connectors/jsonrows"
	"xinshu/internal/fault"
)

// place is a cursor: the lower bound of the next pull, or, in the middle of one, the page to ask for.
type place struct {
	Since string `json:"since,omitempty"` // inclusive; empty is the beginning
	Page  int    `json:"page,omitempty"`  // 0 between pulls
	Read  int64  `json:"read,omitempty"`  // rows of the pages before
	Max   string `json:"max,omitempty"`   // greatest watermark of the pages before
	Sum   string `json:"sum,omitempty"`   // of the page before, to know it when it comes again
}

// job is what one dataset's settings say.
type job struct {
	op, path, sid, method            string
	fixed                            url.Values
	pageParam, sizeParam, sinceParam string
	rows, first                      int
	field                            string
	lookback                         time.Duration
	rowsPath, totalPath              string
}

func readJob(j connectors.Job) (job, error) {
	op := "pull " + j.Dataset.ID
	r := connectors.NewReader(jobSettings, j.Values)
	fixed, err := url.ParseQuery(r.Text("query"))
	if err != nil {
		r.Fault("query is no list of name=value joined by &")
	}
	out := job{op: op, path: r.Text("path"), sid: r.Text("sid"), method: r.Text("method"), fixed: fixed,
		pageParam: r.Text("page_param"), sizeParam: r.Text("size_param"), sinceParam: r.Text("since_param"),
		rows: r.Int("page_rows", 1), first: r.Int("first_page", 0), field: r.Text("cursor_field"),
		lookback: r.Duration("lookback"), rowsPath: r.Text("rows_path"), totalPath: r.Text("total_path")}
	if strings.ContainsAny(out.path, "?#") {
		r.Fault("path takes no parameters; they go into query")
	}
	if out.rows > connectors.PageRows {
		r.Fault("page_rows is above %d", connectors.PageRows)
	}
	if err := r.Err(); err != nil {
		return out, &fault.Error{Op: op, Code: fault.Invalid, Hint: "correct the dataset's settings on this source", Err: err}
	}
	return out, nil
}

// Pull asks page after page. A pull ends when the platform's total is reached, or without a total at
// the first page that is not full. It fails when the total changes on the way, because then pages
// have shifted, and when a page comes again in place of the next.
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
		total := int64(-1)
		for first := true; ; first = false {
			a, err := c.ask(ctx, jb, at)
			if err != nil {
				yield(connectors.Page{}, err)
				return
			}
			if total >= 0 && a.total != total {
				yield(connectors.Page{}, &fault.Error{Op: jb.op, Code: fault.Unavailable, Hint: "rows came in during the pull; it is tried again",
					Err: fmt.Errorf("the total changed from %d to %d at page %d", total, a.total, at.Page)})
				return
			}
			total = a.total
			left := total - at.Read
			page := a.page(jb, c.at(jb.path), &at)
			if first && total >= 0 {
				page.Declared = &left
			}
			end := jb.pageParam == "" || a.count == 0 || total < 0 && a.count < int64(jb.rows) || total >= 0 && at.Read >= total
			page.Next = at.next(jb, end)
			if a.count == 0 && page.Next == after {
				page.Batch.Release() // nothing new: no page, and the cursor stays
				return
			}
			if !yield(page, nil) || end {
				return
			}
		}
	}
}

// answer is one page as received.
type answer struct {
	batch   *connectors.Batch
	rejects []connectors.Reject
	total   int64  // -1: not given
	count   int64  // rows, rejected ones included
	sum     string // of the rows' bytes
}

// ask fetches the page at a place. A page equal to the one before is asked for once more, because
// platforms were seen to repeat a page; when it stays, the page number does nothing.
func (c *conn) ask(ctx context.Context, jb job, at place) (answer, error) {
	for again := false; ; again = true {
		body, err := c.client.call(ctx, jb.request(c.at(jb.path), at))
		if err != nil {
			return answer{}, err
		}
		a, err := jb.open(body)
		if err != nil {
			return answer{}, err
		}
		if a.count == 0 || a.sum != at.Sum {
			return a, nil
		}
		if again {
			return answer{}, &fault.Error{Op: jb.op, Code: fault.Invalid, Hint: "check page_param and first_page",
				Err: fmt.Errorf("page %d holds the same rows as the page before", at.Page)}
		}
	}
}

func (jb job) request(address string, at place) request {
	q := url.Values{}
	maps.Copy(q, jb.fixed)
	if jb.pageParam != "" {
		q.Set(jb.pageParam, strconv.Itoa(at.Page))
		if jb.sizeParam != "" {
			q.Set(jb.sizeParam, strconv.Itoa(jb.rows))
		}
	}
	if jb.sinceParam != "" && at.Since != "" {
		q.Set(jb.sinceParam, connectors.Back(at.Since, jb.lookback))
	}
	req := request{op: jb.op, method: jb.method, url: address, sid: jb.sid}
	if jb.method == http.MethodPost {
		members := make(map[string]string, len(q))
		for name := range q {
			members[name] = q.Get(name)
		}
		req.body, _ = json.Marshal(members) // a map of strings always encodes
	} else if len(q) > 0 {
		req.url += "?" + q.Encode()
	}
	return req
}

// next is the cursor after a page.
func (p *place) next(jb job, end bool) connectors.Cursor {
	if !end {
		text, _ := json.Marshal(p) // strings and numbers always encode
		return connectors.Cursor(text)
	}
	since := ""
	if jb.sinceParam != "" {
		since = connectors.Later(p.Since, p.Max)
	}
	if since == "" {
		return ""
	}
	text, _ := json.Marshal(place{Since: since})
	return connectors.Cursor(text)
}

func readPlace(jb job, after connectors.Cursor) (place, error) {
	var at place
	if after != "" {
		if err := json.Unmarshal([]byte(after), &at); err != nil {
			return at, fault.Newf(fault.Invalid, jb.op, "the cursor was not made by kind restapi")
		}
	}
	if at.Page == 0 {
		at = place{Since: at.Since, Page: jb.first}
	}
	return at, nil
}

// open takes the rows out of an answer.
func (jb job) open(body []byte) (answer, error) {
	a := answer{batch: connectors.NewBatch(0), total: -1}
	if jb.totalPath != "" {
		if text, err := member(body, jb.totalPath); err == nil && text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < 0 {
				return a, fault.Newf(fault.Invalid, jb.op, "the total at %s is no count: %.40q", jb.totalPath, text)
			}
			a.total = n
		}
	}
	sum := sha256.New()
	for scan := jsonrows.NewScanner(bytes.NewReader(body), jb.rowsPath); ; {
		row, _, err := scan.Next()
		if errors.Is(err, io.EOF) || errors.Is(err, jsonrows.ErrNoRows) && a.total == 0 { // for no rows many platforms send null
			a.sum = hex.EncodeToString(sum.Sum(nil)[:8])
			return a, nil
		}
		if err != nil {
			return a, &fault.Error{Op: jb.op, Code: fault.Invalid, Hint: "check rows_path " + jb.rowsPath, Err: err}
		}
		a.count++
		sum.Write(row)
		if reject := jsonrows.Row(a.batch, row, a.count); reject != nil {
			a.rejects = append(a.rejects, *reject)
		}
	}
}

// page makes the page of an answer and moves the place behind it.
func (a answer) page(jb job, address string, at *place) connectors.Page {
	record, first, lines := a.batch.Take()
	page := connectors.Page{Batch: record, Rejects: a.rejects,
		Origin: connectors.Origin{File: address, Page: int64(at.Page), Line: first, Lines: lines}}
	for _, i := range record.Schema().FieldIndices(jb.field) {
		column := record.Column(i).(*array.String) //nolint:forcetypeassert // a batch holds text only
		for row := range column.Len() {
			if !column.IsNull(row) {
				at.Max = connectors.Later(at.Max, column.Value(row))
			}
		}
	}
	at.Page++
	at.Read += a.count
	at.Sum = a.sum
	return page
}
