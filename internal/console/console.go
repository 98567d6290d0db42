// Package console owns the pages that people see: which there are, what right each wants, how an
// answer of the desk becomes HTML. It refuses to hold rules of the field and to ask anybody but the
// desk. Templates, styles and words come from package web; forms go back to the desk.
package console

import (
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
)

// Options are what the console stands on.
type Options struct {
	Desk    *desk.Desk
	Files   fs.FS       // package web's, or an installation's own over it
	Guard   *auth.Guard // nil: there are no accounts, and no pages about them
	Who     func(*http.Request) (auth.Actor, error)
	Token   func(*http.Request) string // what a form must name to belong to the request's session; "": there is none
	Now     func() time.Time
	Version string
	Log     *slog.Logger
}

// Console answers for every page.
type Console struct {
	Options
	pages  map[string]*views // by language
	assets assets
	mux    *http.ServeMux
	all    []Page
	rights map[string]auth.Right // by the pattern of a page that stands

	livePace  time.Duration // between two looks of a live page
	listeners atomic.Int64  // live pages that are open
}

// New reads templates and words, and fails when one of them is broken.
func New(o Options) (*Console, error) {
	c := &Console{Options: o, pages: map[string]*views{}, mux: http.NewServeMux(), rights: map[string]auth.Right{}, livePace: livePace}
	var err error
	if c.assets, err = readAssets(o.Files); err != nil {
		return nil, err
	}
	for _, lang := range Languages {
		v, err := c.readViews(lang)
		if err != nil {
			return nil, err
		}
		c.pages[lang] = v
	}
	for _, p := range slices.Concat(
		c.overviewPages(),
		c.preferencePages(),
		c.signInPages(), c.accountPages(),
		c.settingsPages(), c.targetPages(), c.userPages(), c.keyPages(), c.auditPages(),
		c.deliveryPages(),
		c.findPages(),
		c.gradePages(),
		c.cataloguePages(),
		c.alertPages(),
		c.sourcePages(),
		c.runPages(),
		c.schedulePages(),
		c.quarantinePages(),
		c.casePages(),
		c.policyPages(),
		c.releasePages(),
	) {
		c.add(p)
		c.rights[p.Pattern] = p.Right
	}
	c.mux.Handle("GET /static/", c.assets)
	c.add(Page{Pattern: "GET /", Right: auth.Self, Do: nowhere})
	return c, nil
}

// ServeHTTP answers one request.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.mux.ServeHTTP(w, r) }

// Pages lists every page with the right it wants.
func (c *Console) Pages() []Page { return c.all }
