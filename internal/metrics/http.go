package metrics

import (
	"net/http"
	"time"
)

// Watch counts what a handler answers. route gives the pattern that serves a request.
func (m *Metrics) Watch(next http.Handler, route func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		pattern, method := route(r), r.Method
		seen := &answered{ResponseWriter: w}
		defer func() {
			status := seen.status
			if status == 0 {
				status = http.StatusOK
			}
			m.Request(pattern, method, status, time.Since(began))
		}()
		next.ServeHTTP(seen, r)
	})
}

// answered remembers the status.
type answered struct {
	http.ResponseWriter
	status int
}

// WriteHeader serves http.ResponseWriter. Of several heads the last counts: those before it are notes.
func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Flush serves live pages.
func (a *answered) Flush() {
	if f, ok := a.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Unwrap serves http.ResponseController.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }
