package console

import (
	"crypto/subtle"
	"errors"
	"mime"
	"net/http"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

// Page is one route: its pattern as http.ServeMux reads it, the right it wants, and what it does.
type Page struct {
	Pattern string // "GET /sources/{name}"
	Right   auth.Right
	Do      func(*Request) error
	Body    int64 // the most bytes that a request may bring; 0: a megabyte. A page that takes files says more.
}

const bodyLimit = 1 << 20

// Request is one call of a page.
type Request struct {
	*http.Request
	Actor   auth.Actor
	Lang    string
	Status  int // of the answer; 0: 200
	w       http.ResponseWriter
	console *Console
}

func (c *Console) add(p Page) {
	c.all = append(c.all, p)
	c.mux.HandleFunc(p.Pattern, func(w http.ResponseWriter, r *http.Request) {
		q := &Request{Request: r, Lang: language(r), w: w, console: c}
		secure(w.Header())
		defer q.tidy()
		if err := q.answer(p); err != nil {
			q.fail(err)
		}
	})
}

// opens says whether a page stands that the actor may see.
func (c *Console) opens(a auth.Actor, pattern string) bool {
	right, stands := c.rights[pattern]
	return stands && a.May(right)
}

// answer makes the checks that stand before every page, then lets the page do its work.
func (q *Request) answer(p Page) error {
	limit := p.Body
	if limit == 0 {
		limit = bodyLimit
	}
	q.Body = http.MaxBytesReader(q.w, q.Body, limit)
	actor, err := q.console.Who(q.Request)
	if err != nil && (p.Right != auth.Anyone || fault.CodeOf(err) != fault.Unauthorized) {
		return err
	}
	q.Actor = actor
	q.Request = q.WithContext(auth.With(q.Context(), actor))
	if err := auth.Require(q.Context(), p.Right); err != nil {
		return err
	}
	if err := q.ownForm(); err != nil {
		return err
	}
	return p.Do(q)
}

// ownForm refuses a request that changes something and was not made by a form of this console: it
// must come from this origin, and name the token of the session.
func (q *Request) ownForm() error {
	if q.Method == http.MethodGet || q.Method == http.MethodHead {
		return nil
	}
	var origin http.CrossOriginProtection
	if err := origin.Check(q.Request); err != nil {
		return &fault.Error{Op: "check where the form came from", Code: fault.Forbidden, Err: err, Hint: "open the page in the console and send the form from there"}
	}
	want := q.token()
	if want == "" {
		return nil // no session that could be misused
	}
	if err := q.readForm(); err != nil {
		return err
	}
	got := q.Header.Get("X-Csrf-Token")
	if got == "" {
		got = q.PostFormValue("csrf")
	}
	if subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return &fault.Error{Op: "check the form", Code: fault.Forbidden, Err: errors.New("the form belongs to another session"), Hint: "open the page again and send the form once more"}
	}
	return nil
}

// readForm reads the body of a form; what is more than a megabyte of an uploaded file lies in a temporary file.
func (q *Request) readForm() error {
	var err error
	if kind, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type")); kind == "multipart/form-data" {
		err = q.ParseMultipartForm(bodyLimit)
	} else {
		err = q.ParseForm() // first: asked after ParseMultipartForm it has forgotten what was wrong
	}
	if err == nil {
		return nil
	}
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.Newf(fault.Invalid, "read the form", "it is larger than %d bytes", large.Limit)
	}
	return &fault.Error{Op: "read the form", Code: fault.Invalid, Err: err}
}

// tidy deletes the temporary files of uploads: the server knows those of the request it made, and this
// is a copy of it with another context.
func (q *Request) tidy() {
	if q.MultipartForm == nil {
		return
	}
	if err := q.MultipartForm.RemoveAll(); err != nil {
		q.console.Log.Error("delete an upload's temporary file", "error", err)
	}
}

func (q *Request) token() string {
	if q.console.Token == nil {
		return ""
	}
	return q.console.Token(q.Request)
}

// fail shows an error as a page: what was tried, what to do.
func (q *Request) fail(err error) {
	status := statusOf(err)
	if status >= http.StatusInternalServerError {
		q.console.Log.Error("page", "path", q.URL.Path, "error", err)
	}
	if status == http.StatusUnauthorized && q.Method == http.MethodGet {
		http.Redirect(q.w, q.Request, signInAt(q.Request), http.StatusSeeOther)
		return
	}
	if to := q.instead(status); to != "" {
		http.Redirect(q.w, q.Request, to, http.StatusSeeOther)
		return
	}
	var f *fault.Error
	if errors.As(err, &f) && status == http.StatusInternalServerError {
		f = nil // what broke inside is for the log
	}
	q.Status = status
	if err := q.Render("problem", map[string]any{"Status": status, "Fault": f}); err != nil {
		q.console.Log.Error("page", "path", q.URL.Path, "error", err)
	}
}

// instead gives the page to open in place of one that the actor may not see: the change of a password
// that must be changed, or, for who may not see the overview, the first area they may.
func (q *Request) instead(status int) string {
	if status != http.StatusForbidden || q.Method != http.MethodGet {
		return ""
	}
	if mustChange(q.Actor) {
		return "/account/password"
	}
	if groups := q.frame("", nil).Areas(); q.URL.Path == "/" && len(groups) > 0 {
		return groups[0].Areas[0].Path
	}
	return ""
}

// See sends the browser on after a form did its work, with a word about it that the next page shows.
func (q *Request) See(path, notice string) error {
	if notice != "" {
		q.keep("notice", notice, 60)
	}
	http.Redirect(q.w, q.Request, path, http.StatusSeeOther)
	return nil
}

func statusOf(err error) int {
	switch fault.CodeOf(err) {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Unauthorized:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}
