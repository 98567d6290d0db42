package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// form checks what the framework does not: that path and query can be read and say only what the
// operation knows, and the form of the body.
func (a *API) form(r *http.Request, e *entry) *Problem {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return newProblem("malformed", "the query cannot be read")
	}
	if !readable(r.URL.Path) {
		return newProblem("malformed", "the path has characters that cannot be read")
	}
	wrong := newProblem("invalid", "the query has something that the operation does not know")
	for name, values := range query {
		location := place("query." + name)
		switch {
		case !e.query[name]:
			wrong.Errors = append(wrong.Errors, ProblemPlace{Location: location, Message: "there is no such parameter"})
		case len(values) > 1:
			wrong.Errors = append(wrong.Errors, ProblemPlace{Location: location, Message: "it is given more than once"})
		case !readable(values[0]):
			wrong.Errors = append(wrong.Errors, ProblemPlace{Location: location, Message: "it has characters that cannot be read"})
		}
	}
	if len(wrong.Errors) > 0 {
		return wrong
	}
	return a.take(r, e)
}

// readable says that a text is UTF-8 without control characters.
func readable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError })
}

// size gives a number of bytes in words.
func size(n int64) string {
	switch {
	case n >= 1<<20:
		return strconv.FormatInt(n>>20, 10) + " MiB"
	case n >= 1<<10:
		return strconv.FormatInt(n>>10, 10) + " KiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}
