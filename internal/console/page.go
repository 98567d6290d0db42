package console

import (
	"errors"
	"net/http"
	"net/url"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

// Page is one route: its pattern as http.ServeMux reads it, the right it wants, and what it does.
type Page struct {
	Pattern string // "GET /sources/{name}"
	Right   auth.Right
	Do      func(*Request) error
}

// Request is one call of a page.
type Request struct {
	*http.Request
	Actor   auth.Actor
	Lang    string
	w       http.ResponseWriter
	console *Console
}

func (c *Console) add(p Page) {
	c.all = append(c.all, p)
	c.mux.HandleFunc(p.Pattern, func(w http.ResponseWriter, r *http.Request) {
		q := &Request{Request: r, Lang: language(r), w: w, console: c}
		if err := q.answer(p); err != nil {
			q.fail(err)
		}
	})
}

// answer makes the check that every page declares, then lets the page do its work.
func (q *Request) answer(p Page) error {
	actor, err := q.console.Who(q.Request)
	if err != nil {
		return err
	}
	q.Actor = actor
	q.Request = q.WithContext(auth.With(q.Context(), actor))
	if err := auth.Require(q.Context(), p.Right); err != nil {
		return err
	}
	return p.Do(q)
}

// fail shows an error as a page: what was tried, what to do.
func (q *Request) fail(err error) {
	status := statusOf(err)
	if status >= http.StatusInternalServerError {
		q.console.Log.Error("page", "path", q.URL.Path, "error", err)
	}
	if status == http.StatusUnauthorized && q.Method == http.MethodGet {
		http.Redirect(q.w, q.Request, "/sign-in?"+url.Values{"to": {q.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		return
	}
	var f *fault.Error
	errors.As(err, &f)
	q.w.WriteHeader(status)
	if err := q.Render("problem", map[string]any{"Status": status, "Fault": f}); err != nil {
		q.console.Log.Error("page", "path", q.URL.Path, "error", err)
	}
}

// See sends the browser on after a form did its work, with a word about it.
func (q *Request) See(path, notice string) error {
	if notice != "" {
		http.SetCookie(q.w, &http.Cookie{Name: "notice", Value: url.QueryEscape(notice), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 60})
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
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}
