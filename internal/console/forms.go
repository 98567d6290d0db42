package console

import (
	"io"
	"mime"
	"net/http"
	"strconv"

	"xinshu/internal/fault"
)

// wholeNumber reads a number of a form.
func wholeNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fault.Newf(fault.Invalid, "read the form", "a number is missing in it")
	}
	return n, nil
}

// File gives a file to be saved. Nothing of it may be read as a page.
func (q *Request) File(name, kind string, body io.Reader) error {
	h := q.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Cache-Control", "no-store")
	q.w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(q.w, body); err != nil {
		q.console.Log.Debug("file not taken", "path", q.URL.Path, "error", err) // the browser went away
	}
	return nil
}
