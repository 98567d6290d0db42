package simulate

import (
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// restPlatform serves datasets as pages of JSON behind one of the doors that real platforms have:
// the national gateway's signature, a bearer token, or none.
type restPlatform struct {
	gateway *gateway
	token   string

	mu     sync.RWMutex
	tables map[string]*table

	requests atomic.Int64
	every    int64 // one request in so many answers 503, as platforms do at night
	refused  atomic.Int64
	repeats  atomic.Int64 // pages after the first that were asked for
	repeated atomic.Int64 // of them, answered with the page before
}

// table is what a platform holds of one dataset: rows in the order of op_time, then of arrival.
type table struct {
	columns []string
	opTime  int // index of op_time in columns
	rows    [][]string
}

func newTable(columns []string) *table {
	t := &table{columns: columns, opTime: -1}
	for i, c := range columns {
		if c == "op_time" {
			t.opTime = i
		}
	}
	return t
}

// add appends rows and restores the order; rows that share an op_time keep the order they came in.
func (t *table) add(rows [][]string) {
	t.rows = append(t.rows, rows...)
	if t.opTime >= 0 {
		sort.SliceStable(t.rows, func(i, j int) bool { return t.rows[i][t.opTime] < t.rows[j][t.opTime] })
	}
}

// since gives the rows whose op_time is at or after the bound; without a bound, all.
func (t *table) since(bound string) [][]string {
	if bound == "" || t.opTime < 0 {
		return t.rows
	}
	from := sort.Search(len(t.rows), func(i int) bool { return t.rows[i][t.opTime] >= bound })
	return t.rows[from:]
}

func (p *restPlatform) handler() http.Handler {
	mux := http.NewServeMux()
	if p.gateway != nil {
		mux.HandleFunc("POST /sysapi/auth/refreshappsecret", p.gateway.refresh)
		mux.HandleFunc("GET /gateway/{dataset}", p.sometimes503(p.gateway.guard(p.serve)))
	}
	mux.HandleFunc("GET /open/{dataset}", p.sometimes503(p.serve))
	mux.HandleFunc("GET /token/{dataset}", p.sometimes503(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+p.token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		p.serve(w, r)
	}))
	return mux
}

func (p *restPlatform) sometimes503(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if p.every > 0 && p.requests.Add(1)%p.every == 0 {
			p.refused.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next(w, r)
	}
}

const (
	mostRowsPerPage = 5000
	repeatOneIn     = 7 // of the pages after the first
)

// serve answers one page: {"code":"0","data":{"total":N,"page":p,"rows":[…]}}.
func (p *restPlatform) serve(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	page, size := positive(q.Get("page"), 1), min(positive(q.Get("rows"), 1000), mostRowsPerPage)
	p.mu.RLock()
	t, ok := p.tables[r.PathValue("dataset")]
	var (
		rows    [][]string
		columns []string
	)
	if ok {
		rows, columns = t.since(q.Get("since")), t.columns
	}
	p.mu.RUnlock()
	if !ok {
		answer(w, "-1", "接口调用失败: 无此资源", nil)
		return
	}
	if page > 1 && p.repeats.Add(1)%repeatOneIn == 1 { // a stale cache in front of the platform: the page before, once more
		page--
		p.repeated.Add(1)
	}
	total := len(rows)
	from := min((page-1)*size, total)
	objects := make([]map[string]any, 0, size)
	for _, row := range rows[from:min(from+size, total)] {
		objects = append(objects, object(columns, row))
	}
	answer(w, "0", "", map[string]any{"total": total, "page": page, "rows": objects})
}

// object gives a row as JSON members; an empty value is null, as departments send it.
func object(columns, row []string) map[string]any {
	o := make(map[string]any, len(columns))
	for i, c := range columns {
		if row[i] == "" {
			o[c] = nil
		} else {
			o[c] = row[i]
		}
	}
	return o
}

func positive(s string, fallback int) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 1 {
		return fallback
	}
	return n
}
