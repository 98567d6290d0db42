// Package console owns the pages that people see: which there are, what right each wants, how an
// answer of the desk becomes HTML. It refuses to hold rules of the field and to ask anybody but the
// desk. Templates, styles and words come from package web; forms go back to the desk.
package console

import (
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
)

// Options are what the console stands on.
type Options struct {
	Desk    *desk.Desk
	Files   fs.FS // package web's, or an installation's own over it
	Who     func(*http.Request) (auth.Actor, error)
	Now     func() time.Time
	Version string
	Log     *slog.Logger
}

// Console answers for every page.
type Console struct {
	Options
	pages map[string]*views // by language
	mux   *http.ServeMux
	all   []Page
}

// New reads templates and words, and fails when one of them is broken.
func New(o Options) (*Console, error) {
	c := &Console{Options: o, pages: map[string]*views{}, mux: http.NewServeMux()}
	for _, lang := range Languages {
		v, err := readViews(o.Files, lang)
		if err != nil {
			return nil, err
		}
		c.pages[lang] = v
	}
	for _, part := range [][]Page{c.overviewPages()} {
		for _, p := range part {
			c.add(p)
		}
	}
	c.mux.Handle("GET /static/", http.FileServerFS(staticOf(o.Files)))
	return c, nil
}

// ServeHTTP answers one request.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.mux.ServeHTTP(w, r) }

// Pages lists every page with the right it wants.
func (c *Console) Pages() []Page { return c.all }
