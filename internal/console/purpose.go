package console

import (
	"errors"
	"net/url"
	"strings"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

// purposeOf reads the purpose that a question names; the words of "other" stand in a field of their own.
func purposeOf(query url.Values) string {
	purpose := query.Get("purpose")
	if words := strings.TrimSpace(query.Get("words")); purpose == auth.Other && words != "" {
		return auth.Other + ": " + words
	}
	return purpose
}

// purposeForm is what a form that asks for the purpose shows: the purposes, and the one last named.
func (q *Request) purposeForm(action string, query url.Values) map[string]any {
	chosen := query.Get("purpose")
	if c, err := q.Cookie("purpose"); err == nil && chosen == "" {
		if said, err := url.QueryUnescape(c.Value); err == nil {
			chosen = said
		}
	}
	if only := q.Actor.Scope.Purpose; only != "" {
		chosen = only
	}
	code, words, _ := strings.Cut(chosen, ":")
	offered := []auth.Purpose{}
	for _, p := range auth.Purposes {
		if only, _, _ := strings.Cut(q.Actor.Scope.Purpose, ":"); only == "" || only == p.Code {
			offered = append(offered, p)
		}
	}
	if said := strings.TrimSpace(query.Get("words")); said != "" {
		words = said
	}
	return map[string]any{"Action": action, "Offered": offered, "Chosen": code, "Words": strings.TrimSpace(words)}
}

// remember offers the purpose again in the next form; it does not answer it.
func (q *Request) remember(purpose string) {
	q.keep("purpose", purpose, 0)
}

// faultOf finds the error that says what to do; nil for none.
func faultOf(err error) *fault.Error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return nil
	}
	return f
}
