package restapi

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// job is what one dataset's settings say.
type job struct {
	op, path, sid, method          string
	fixed                          url.Values
	paging                         string
	pageParam, sizeParam, nextPath string
	sinceParam, untilParam         string
	rows, first, maxPages          int
	endShort                       bool
	field, nulls                   string
	lookback                       time.Duration
	rowsPath, totalPath            string
	window                         *connectors.Window
}

func readJob(j connectors.Job) (job, error) {
	op := "pull " + j.Dataset.ID
	r := connectors.NewReader(jobSettings, j.Values)
	fixed, err := url.ParseQuery(r.Text("query"))
	if err != nil {
		r.Fault("query is no list of name=value joined by &")
	}
	out := job{op: op, path: r.Text("path"), sid: r.Text("sid"), method: r.Text("method"), fixed: fixed,
		paging: r.Text("paging"), pageParam: r.Text("page_param"), sizeParam: r.Text("size_param"), nextPath: r.Text("next_path"),
		sinceParam: r.Text("since_param"), untilParam: r.Text("until_param"),
		rows: r.Int("page_rows", 1), first: r.Int("first_page", 0), maxPages: r.Int("max_pages", 1), endShort: r.Text("end_at") == "short",
		field: r.Text("cursor_field"), nulls: r.Text("null_cursor"),
		lookback: r.Duration("lookback"), rowsPath: r.Text("rows_path"), totalPath: r.Text("total_path"), window: j.Window}
	if out.pageParam == "" && out.paging != "link" {
		out.paging = "none"
	}
	out.judge(r)
	if err := r.Err(); err != nil {
		return out, &fault.Error{Op: op, Code: fault.Invalid, Hint: "correct the dataset's settings on this source", Err: err}
	}
	return out, nil
}

func (jb job) judge(r *connectors.Reader) {
	if strings.ContainsAny(jb.path, "?#") {
		r.Fault("path takes no parameters; they go into query")
	}
	if jb.rows > connectors.PageRows {
		r.Fault("page_rows is above %d", connectors.PageRows)
	}
	if jb.paging == "cursor" && jb.nextPath == "" {
		r.Fault("next_path is not set, paging by cursor needs it")
	}
	if jb.paging == "link" && jb.method != http.MethodGet {
		r.Fault("paging by link asks with GET")
	}
	if jb.field == "" && (jb.sinceParam != "" || jb.window != nil) {
		r.Fault("cursor_field is not set; without it no pull can go on from the last, and no window be chosen")
	}
	if jb.window != nil && jb.window.From == "" && jb.window.Until == "" {
		r.Fault("the window has neither beginning nor end")
	}
}

// params gives the parameters of the call for the page at a place.
func (jb job) params(at place) url.Values {
	if jb.paging == "link" && at.Next != "" {
		return nil // the address has them
	}
	q := url.Values{}
	maps.Copy(q, jb.fixed)
	switch jb.paging {
	case "page", "offset":
		q.Set(jb.pageParam, itoa(at.Page))
	case "cursor":
		if at.Next != "" {
			q.Set(jb.pageParam, at.Next)
		}
	}
	if jb.paging != "none" && jb.sizeParam != "" {
		q.Set(jb.sizeParam, itoa(int64(jb.rows)))
	}
	since, until := connectors.Back(at.Since, jb.lookback), ""
	if jb.window != nil {
		since, until = jb.window.From, jb.window.Until
	}
	if jb.sinceParam != "" && since != "" {
		q.Set(jb.sinceParam, since)
	}
	if jb.untilParam != "" && until != "" {
		q.Set(jb.untilParam, until)
	}
	return q
}
