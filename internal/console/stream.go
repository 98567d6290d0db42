package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Patch replaces what is inside the element ID by HTML that a template made.
type Patch struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// Stream sends server-sent events to a page that has data-live. console.js understands three:
// Patch, Reload and End.
type Stream struct {
	w     http.ResponseWriter
	flush *http.ResponseController
	write time.Duration
}

// Stream begins a stream. Last tells the id of the last event that the browser got, empty at first.
func (q *Request) Stream() (s *Stream, last string) {
	h := q.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy that keeps back is no live page
	q.w.WriteHeader(http.StatusOK)
	s = &Stream{w: q.w, flush: http.NewResponseController(q.w), write: 10 * time.Second}
	_ = s.flush.Flush() // who has everything hears nothing for a while, and must know that it is heard
	return s, q.Header.Get("Last-Event-ID")
}

// Patch sends a patch; place is what the browser says when it comes again, empty inside of what belongs
// together: a browser that was cut there gets all of it once more.
func (s *Stream) Patch(place string, p Patch) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	text := "event: patch\ndata: " + string(body) + "\n\n"
	if place != "" {
		text = "id: " + place + "\n" + text
	}
	return s.send(text)
}

// Reload makes the browser ask for the page again.
func (s *Stream) Reload() error { return s.send("event: reload\ndata: {}\n\n") }

// End says that nothing more will come, so that the browser does not come again.
func (s *Stream) End() error { return s.send("event: end\ndata: {}\n\n") }

// Beat keeps a silent connection alive.
func (s *Stream) Beat() error { return s.send(": \n\n") }

// send gives a slow reader some seconds, not for ever.
func (s *Stream) send(text string) error {
	_ = s.flush.SetWriteDeadline(time.Now().Add(s.write)) // not every writer has one; then the server's holds
	if _, err := fmt.Fprint(s.w, text); err != nil {
		return err
	}
	return s.flush.Flush()
}
