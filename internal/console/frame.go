package console

import (
	"net/url"
	"strings"
	"time"

	"xinshu/internal/auth"
)

// Frame is what a template sees: who asks, where they are, and in Data what the page is about.
type Frame struct {
	Actor   auth.Actor
	Area    string // of the side: "sources" for every page whose template lies in sources/
	Here    string // path and query
	Query   url.Values
	Version string
	Now     time.Time
	Notice  string // what the form before did
	CSRF    string
	Theme   string // auto, light, dark
	Data    any
	console *Console
}

// Area is one entry of the side.
type Area struct {
	Name, Path string
	Current    bool
	right      auth.Right
}

// Group is a heading of the side with its areas.
type Group struct {
	Name  string
	Areas []Area
}

// side is every area there may be. One shows to an actor who has its right, once its page stands.
var side = []Group{
	{"watch", []Area{{Name: "overview", Path: "/", right: auth.OverviewSee}, {Name: "alerts", Path: "/alerts", right: auth.AlertsSee}}},
	{"collect", []Area{{Name: "sources", Path: "/sources", right: auth.SourcesSee}, {Name: "schedules", Path: "/schedules", right: auth.SchedulesSee},
		{Name: "runs", Path: "/runs", right: auth.RunsSee}, {Name: "quarantine", Path: "/quarantine", right: auth.QuarantineSee}}},
	{"results", []Area{{Name: "find", Path: "/find", right: auth.GradesSee}, {Name: "grades", Path: "/grades", right: auth.GradesSum}, {Name: "cases", Path: "/cases", right: auth.CasesSee}, {Name: "deliveries", Path: "/deliveries", right: auth.DeliveriesSee}}},
	{"rules", []Area{{Name: "catalogue", Path: "/catalogue", right: auth.CatalogueSee}, {Name: "policies", Path: "/policies", right: auth.PoliciesSee}}},
	{"house", []Area{{Name: "settings", Path: "/settings", right: auth.Self}}},
}

func (q *Request) frame(name string, data any) *Frame {
	area, _, _ := strings.Cut(name, "/")
	return &Frame{Actor: q.Actor, Area: area, Here: q.URL.RequestURI(), Query: q.URL.Query(), Version: q.console.Version, Now: q.console.Now(),
		Notice: q.notice(), CSRF: q.token(), Theme: theme(q.Request), Data: data, console: q.console}
}

// notice takes the word that See left.
func (q *Request) notice() string {
	c, err := q.Cookie("notice")
	if err != nil {
		return ""
	}
	q.keep("notice", "", -1)
	words, err := url.QueryUnescape(c.Value)
	if err != nil || len(words) > 500 {
		return ""
	}
	return words
}

// May says whether the actor has a right: {{if $.May "sources.change"}}.
func (f *Frame) May(right string) bool { return f.Actor.May(auth.Right(right)) }

// Page says whether a page stands that the actor may see: {{if $.Page "GET /account"}}.
func (f *Frame) Page(pattern string) bool { return f.console.opens(f.Actor, pattern) }

// HasSearch says whether the bar shows the search for entities.
func (f *Frame) HasSearch() bool { return f.Page("GET /find") }

// Areas gives the side as this actor sees it.
func (f *Frame) Areas() []Group {
	var groups []Group
	for _, g := range side {
		shown := Group{Name: g.Name}
		for _, a := range g.Areas {
			pattern := "GET " + a.Path
			if a.Path == "/" {
				pattern = "GET /{$}"
			}
			if f.Page(pattern) && f.Actor.May(a.right) {
				a.Current = a.Name == f.Area
				shown.Areas = append(shown.Areas, a)
			}
		}
		if len(shown.Areas) > 0 {
			groups = append(groups, shown)
		}
	}
	return groups
}

// NextTheme is what the switch of the bar turns to.
func (f *Frame) NextTheme() string {
	return map[string]string{"auto": "light", "light": "dark", "dark": "auto"}[f.Theme]
}

// ThemeIcon shows what holds now.
func (f *Frame) ThemeIcon() string {
	return map[string]string{"auto": "half", "light": "sun", "dark": "moon"}[f.Theme]
}
