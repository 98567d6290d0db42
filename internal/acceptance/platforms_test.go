//go:build acceptance

package acceptance

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// gatewayAnswer gives one page of a dataset, from the lower bound on, in the order written.
func (w *world) gatewayAnswer(a http.ResponseWriter, req *http.Request) {
	if req.Header.Get("Authorization") != "Bearer "+gatewayToken {
		a.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	q := req.URL.Query()
	page, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("rows"))
	rows := []row{}
	if f := w.feeds[gateway+" "+req.PathValue("dataset")]; f != nil {
		for _, r := range f.rows {
			if r["op_time"] >= q.Get("since") {
				rows = append(rows, r)
			}
		}
	}
	from := min(len(rows), max(page-1, 0)*size)
	_ = json.NewEncoder(a).Encode(map[string]any{"code": "0", "message": "", "data": map[string]any{
		"total": len(rows), "page": page, "rows": rows[from:min(len(rows), from+size)]}})
}

// provinceAnswer gives the collected answer byte for byte; it carries no result code.
func (w *world) provinceAnswer(a http.ResponseWriter, _ *http.Request) {
	_, _ = a.Write(w.samples.penalties)
}
