// Package api owns the hub's REST interface: paths, bodies, problems, OpenAPI. It refuses to hold
// rules of the field and to ask anybody but the desk, so that it can do what the console can and
// nothing else. Requests come from programs; every operation declares the one right it wants.
package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
)

// Options are what the API stands on.
type Options struct {
	Desk    *desk.Desk
	Who     func(*http.Request) (auth.Actor, error)
	Now     func() time.Time
	Version string
	Log     *slog.Logger
}

// API answers under /v1 and at /openapi.json.
type API struct {
	Options
	mux  *http.ServeMux
	huma huma.API
	all  []Operation
}

// Operation is one entry of the route table.
type Operation struct {
	Method, Path string
	Right        auth.Right
}

// New registers every operation.
func New(o Options) *API {
	a := &API{Options: o, mux: http.NewServeMux()}
	config := huma.DefaultConfig("Xinshu 信枢", o.Version)
	config.DocsPath, config.SchemasPath = "", "" // its page asks the internet for a script
	config.OpenAPIPath = "/openapi"
	a.huma = humago.New(a.mux, config)
	a.runs()
	a.mux.HandleFunc("/v1/", func(w http.ResponseWriter, _ *http.Request) { // what no operation answers
		write(w, &huma.ErrorModel{Status: http.StatusNotFound, Title: http.StatusText(http.StatusNotFound), Detail: "there is no such operation; see /openapi.json"})
	})
	return a
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// Operations lists every operation with the right it wants.
func (a *API) Operations() []Operation { return a.all }

// guard gives an operation its actor and makes the check it declares.
func (a *API) guard(right auth.Right) huma.Middlewares {
	return huma.Middlewares{func(c huma.Context, next func(huma.Context)) {
		r, _ := humago.Unwrap(c)
		actor, err := a.Who(r)
		if err == nil {
			c = huma.WithContext(c, auth.With(c.Context(), actor))
			err = auth.Require(c.Context(), right)
		}
		if err != nil {
			a.refuse(c, err)
			return
		}
		next(c)
	}}
}

func (a *API) refuse(c huma.Context, err error) {
	_, w := humago.Unwrap(c)
	write(w, problem(err))
}

func write(w http.ResponseWriter, err error) {
	var p *huma.ErrorModel
	if !errors.As(err, &p) {
		p = &huma.ErrorModel{Status: http.StatusInternalServerError}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
