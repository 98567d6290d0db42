package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"runtime/debug"

	"xinshu/internal/auth"
)

// ServeHTTP answers one request. What every operation has in common happens here, in this order: a
// number for the request, a place among those under way, the operation, who asks, how often, the
// right, the form of the request. Then the operation answers.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := requestID(r)
	h := w.Header()
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-cache")
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, id))
	defer func() {
		if cause := recover(); cause != nil {
			if cause == http.ErrAbortHandler { //nolint:errorlint // the server compares it so, too
				panic(cause)
			}
			a.Log.ErrorContext(r.Context(), "a request made the hub panic", "request", id, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			a.refuse(w, r, newProblem("internal", ""))
		}
	}()
	select {
	case a.served <- struct{}{}:
		defer func() { <-a.served }()
	default:
		a.refuse(w, r, waiting("unavailable", "too many requests are under way", 1))
		return
	}
	e, p := a.find(r)
	if p == nil {
		body := a.bound(w, r, e)
		if r, p = a.admit(r, e); body.Failed != nil {
			p = broken(body.Failed, e.body)
		}
	}
	if p == nil {
		p = a.form(r, e)
	}
	if p != nil {
		a.refuse(w, r, p)
		return
	}
	a.answer(w, r, e)
}

// find gives the operation that a request asks for.
func (a *API) find(r *http.Request) (*entry, *Problem) {
	if r.URL.Path != path.Clean(r.URL.Path) {
		return nil, newProblem("no_operation", "see /openapi.json")
	}
	handler, pattern := a.mux.Handler(r)
	if e, known := a.entries[pattern]; known {
		return e, nil
	}
	// The mux knows which methods the path has.
	said := httptest.NewRecorder()
	handler.ServeHTTP(said, r)
	if allow := said.Header().Get("Allow"); said.Code == http.StatusMethodNotAllowed {
		p := newProblem("method", "the path has "+allow)
		p.allow = allow
		return nil, p
	}
	return nil, newProblem("no_operation", "see /openapi.json")
}

// admit says who asks, and whether they may.
func (a *API) admit(r *http.Request, e *entry) (*http.Request, *Problem) {
	if e.Right == auth.Anyone {
		return r, nil
	}
	actor, err := a.Who(r)
	if err != nil {
		return r, a.told(r.Context(), e.ID, err)
	}
	r = r.WithContext(auth.With(r.Context(), actor))
	if err := auth.Require(r.Context(), e.Right); err != nil {
		return r, a.told(r.Context(), e.ID, err)
	}
	return r, nil
}

// told turns an error into a problem and logs what the caller is not told.
func (a *API) told(ctx context.Context, operation string, err error) *Problem {
	p := problem(err)
	p.Request = requestOf(ctx)
	if p.Status >= http.StatusInternalServerError {
		a.Log.ErrorContext(ctx, "a request could not be answered", "request", requestOf(ctx), "operation", operation, "error", err.Error())
	}
	return p
}

// refuse writes a problem.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, p *Problem) {
	said := *p
	said.Request = requestOf(r.Context())
	h := w.Header()
	h.Set("Content-Type", said.ContentType(""))
	maps.Copy(h, said.GetHeaders())
	w.WriteHeader(said.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(&said) // the caller may have gone
	}
}

// waiting is a problem that may have passed after some seconds.
func waiting(code, detail string, seconds int) *Problem {
	p := newProblem(code, detail)
	p.wait = seconds
	return p
}

type requestKey struct{}

func requestOf(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// named is a number for a request that a caller may choose itself.
var named = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); named.MatchString(id) {
		return id
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
