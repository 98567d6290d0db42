package gate

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// Pace is how a body must come.
type Pace struct {
	Most int64         // bytes
	Wait time.Duration // in which it must begin to come
	Rate int64         // bytes a second at which it must come from then on
}

// Body is a request's body that must come at a pace.
type Body struct {
	io.ReadCloser
	Failed error // why it did not come to its end; nil while it does

	pace     Pace
	deadline func(time.Time) error
	began    time.Time
	read     int64
}

// Bound lays a pace on a request's body, before anybody reads of it.
func Bound(w http.ResponseWriter, r *http.Request, p Pace) *Body {
	b := &Body{ReadCloser: http.MaxBytesReader(w, r.Body, p.Most), pace: p, deadline: http.NewResponseController(w).SetReadDeadline, began: time.Now()}
	r.Body = b
	return b
}

// Read reads on, and gives up when the body is larger or slower than it may be.
func (b *Body) Read(p []byte) (int, error) {
	_ = b.deadline(b.began.Add(b.pace.Wait + time.Duration(b.read)*time.Second/time.Duration(b.pace.Rate))) // not every writer has one
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	switch {
	case errors.Is(err, io.EOF):
		_ = b.deadline(time.Time{}) // else a long answer would end at it
	case err != nil:
		b.Failed = err
	}
	return n, err
}

// Bodies lays a pace on every request.
func Bodies(next http.Handler, p Pace) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Bound(w, r, p)
		next.ServeHTTP(w, r)
	})
}
