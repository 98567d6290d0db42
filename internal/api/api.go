// Package api owns the hub's REST interface: paths, bodies, problems, bounds, OpenAPI. It refuses to
// hold rules of the field and to ask anybody but the desk, so that it can do what the console can and
// nothing else. Requests come from programs; every operation declares the one right it wants.
package api

import (
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
	Desk     *desk.Desk
	Who      func(*http.Request) (auth.Actor, error) // also counts the requests of an account and of an address
	Accounts *auth.Accounts
	Keys     *auth.Keys
	Bounds   Bounds // zero members: the defaults
	Now      func() time.Time
	Version  string
	Log      *slog.Logger
}

// API answers under /v1 and at /openapi.json.
type API struct {
	Options
	mux     *http.ServeMux
	huma    huma.API
	all     []Operation
	entries map[string]*entry // by the mux's pattern
	served  chan struct{}     // a place for each request under way
	exports chan struct{}     // a place for each export under way
	parsing chan struct{}     // a place for each body that is being taken apart
}

// Operation is one entry of the route table.
type Operation struct {
	ID, Method, Path string
	Right            auth.Right
}

// New registers every operation.
func New(o Options) *API {
	o.Bounds = o.Bounds.orDefault()
	a := &API{Options: o, mux: http.NewServeMux(), entries: map[string]*entry{}, parsing: make(chan struct{}, o.Bounds.Parsing), served: make(chan struct{}, o.Bounds.Requests), exports: make(chan struct{}, o.Bounds.Exports)}
	problemsAreOurs()
	a.huma = humago.New(a.mux, document(o.Version))
	a.grades()
	a.changes()
	a.export()
	a.receipts()
	a.sources()
	a.schedules()
	a.tasks()
	a.runs()
	a.quarantine()
	a.deliveries()
	a.lookup()
	a.cases()
	a.policies()
	a.catalogue()
	a.overview()
	a.about()
	a.alerts()
	a.users()
	a.keys()
	a.audits()
	a.exportTrail()
	a.complete()
	return a
}

// Operations lists every operation with the right it wants.
func (a *API) Operations() []Operation { return a.all }
