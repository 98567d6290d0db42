package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/internal/api"
	"xinshu/internal/auth"
	"xinshu/internal/console"
	"xinshu/web"
)

// office is a hub over an empty lake with one account of each role.
type office struct {
	*app
	t       *testing.T
	service http.Handler
	pages   []console.Page
	api     []api.Operation
	people  map[auth.Role]*person
}

// person is one account, in a browser and as a program.
type person struct {
	name, session, key string
}

const oak = "an old oak by the river"

func newOffice(t *testing.T) *office {
	t.Helper()
	c := Config{Data: t.TempDir(), Auth: AuthConfig{ClientRate: 10_000, AddressRate: 10_000}}
	c.defaults()
	a, err := openApp(t.Context(), c, hubClock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	a.accounts = auth.NewAccounts(a.state, a.trail, auth.Rules{Cost: auth.Cost{Time: 1, MemoryKB: 64, Threads: 1}}, a.now)
	o := &office{app: a, t: t, people: map[auth.Role]*person{}}
	if o.service, err = a.service(); err != nil {
		t.Fatal(err)
	}
	guard, err := a.newGuard()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := console.New(console.Options{Desk: a.desk, Files: web.Files, Guard: guard, Who: guard.Page, Token: guard.CSRF, Now: a.now})
	if err != nil {
		t.Fatal(err)
	}
	o.pages, o.api = pages.Pages(), api.New(api.Options{Desk: a.desk, Who: guard.Program, Now: a.now}).Operations()
	for _, role := range auth.Roles {
		o.people[role] = o.hire(role)
	}
	return o
}

// hire makes an account of a role with the scope that it wants, and a key.
func (o *office) hire(role auth.Role) *person {
	o.t.Helper()
	ctx, until := auth.With(o.t.Context(), auth.Shell("test")), o.now().Add(24*time.Hour)
	scope := map[auth.Role]auth.Scope{
		auth.DepartmentUser: {Departments: []string{"tax"}}, auth.TownshipUser: {Areas: []string{"410481"}},
		auth.ThirdParty: {Policies: []string{"lingyuan-2021"}, Areas: []string{"41"}, Purpose: "tender"},
	}[role]
	p := &person{name: strings.ReplaceAll(string(role), "_", "-")}
	k := auth.Key{Owner: auth.UserID(p.name), Title: "test", Kind: auth.Bearer, Until: until}
	if role == auth.Downstream {
		k.Owner, k.Roles, k.Scope = auth.ClientID(p.name), []auth.Role{role}, scope
	} else {
		temporary, err := o.accounts.Add(ctx, auth.User{Name: p.name, Roles: []auth.Role{role}, Scope: scope, Until: until}, "")
		if err != nil {
			o.t.Fatal(err)
		}
		if p.session, err = o.accounts.ChangePassword(ctx, p.name, temporary, oak, "", ""); err != nil {
			o.t.Fatal(err)
		}
	}
	var err error
	if _, p.key, err = o.keys.Make(ctx, k); err != nil {
		o.t.Fatal(err)
	}
	return p
}

// signedIn gives a session that is alive: some routes end it.
func (o *office) signedIn(p *person) string {
	o.t.Helper()
	if _, err := o.accounts.BySession(o.t.Context(), p.session, ""); err != nil {
		var err error
		if p.session, err = o.accounts.SignIn(o.t.Context(), p.name, oak, "", ""); err != nil {
			o.t.Fatal(err)
		}
	}
	return p.session
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// ask sends an empty request; live answers are cut off.
func (o *office) ask(method, pattern string, prepare func(*http.Request)) *httptest.ResponseRecorder {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), 5*time.Second)
	defer cancel()
	path := placeholder.ReplaceAllString(strings.ReplaceAll(pattern, "{$}", ""), "x")
	r := httptest.NewRequestWithContext(ctx, method, "http://hub.local"+path, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept-Language", "en")
	prepare(r)
	w := httptest.NewRecorder()
	o.service.ServeHTTP(w, r)
	return w
}

// noRight says that an answer refuses for want of the declared right, not for the scope of the data.
func noRight(w *httptest.ResponseRecorder, right auth.Right) bool {
	return w.Code == http.StatusForbidden && strings.Contains(w.Body.String(), string(right)) && strings.Contains(w.Body.String(), "does not have the right")
}

func TestEveryPageAnswersEveryRoleAsItsRightSays(t *testing.T) {
	o := newOffice(t)
	if len(o.pages) < 10 {
		t.Fatalf("the console has %d pages", len(o.pages))
	}
	t.Logf("%d pages x %d roles and nobody", len(o.pages), len(auth.Roles)-1)
	for _, p := range o.pages {
		method, pattern, _ := strings.Cut(p.Pattern, " ")
		nobody := o.ask(method, pattern, func(*http.Request) {})
		sent := strings.HasPrefix(nobody.Header().Get("Location"), "/sign-in?")
		switch {
		case p.Right == auth.Anyone && (nobody.Code == http.StatusUnauthorized || sent):
			t.Errorf("%s is for anyone, and answers nobody %d", p.Pattern, nobody.Code)
		case p.Right != auth.Anyone && nobody.Code != http.StatusUnauthorized && !(sent && nobody.Code == http.StatusSeeOther):
			t.Errorf("%s wants %s, and answers nobody %d", p.Pattern, p.Right, nobody.Code)
		}
		for _, role := range auth.Roles {
			if role == auth.Downstream {
				continue // a program has no browser
			}
			session := o.signedIn(o.people[role])
			w := o.ask(method, pattern, func(r *http.Request) {
				r.AddCookie(&http.Cookie{Name: "xinshu_session", Value: session})
				r.Header.Set(auth.HeaderCSRF, auth.CSRF(session))
			})
			o.judge(p.Pattern, p.Right, role, w)
		}
	}
}

func TestEveryOperationAnswersEveryRoleAsItsRightSays(t *testing.T) {
	o := newOffice(t)
	if len(o.api) < 10 {
		t.Fatalf("the API has %d operations", len(o.api))
	}
	t.Logf("%d operations x %d roles and nobody", len(o.api), len(auth.Roles))
	for _, op := range o.api {
		name := op.Method + " " + op.Path
		nobody := o.ask(op.Method, op.Path, func(*http.Request) {})
		if wants := op.Right != auth.Anyone; wants != (nobody.Code == http.StatusUnauthorized) {
			t.Errorf("%s wants %s, and answers nobody %d", name, op.Right, nobody.Code)
		}
		for _, role := range auth.Roles {
			w := o.ask(op.Method, op.Path, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+o.people[role].key) })
			o.judge(name, op.Right, role, w)
		}
	}
}

// judge holds an answer against the right that the route declares.
func (o *office) judge(route string, right auth.Right, role auth.Role, w *httptest.ResponseRecorder) {
	o.t.Helper()
	may := auth.Actor{ID: "user:x", Roles: []auth.Role{role}}.May(right)
	switch {
	case w.Code == http.StatusUnauthorized:
		o.t.Errorf("%s does not know the %s", route, role)
	case !may && route == "GET /{$}" && w.Code == http.StatusSeeOther && !strings.HasPrefix(w.Header().Get("Location"), "/sign-in"):
		// who has no overview begins at the first page that the role has
	case !may && !noRight(w, right):
		o.t.Errorf("%s wants %s, which %s has not, and answers %d", route, right, role, w.Code)
	case may && noRight(w, right):
		o.t.Errorf("%s wants %s, which %s has, and is refused: %s", route, right, role, w.Body.String())
	case w.Code >= http.StatusInternalServerError:
		o.t.Errorf("%s answers %s %d: %s", route, role, w.Code, w.Body.String()[:min(w.Body.Len(), 300)])
	}
}

// Each route stands in its table once: a page beside the table would be looked at by no test.
func TestEveryRouteDeclaresOneKnownRight(t *testing.T) {
	o := newOffice(t)
	known := slices.Clone(auth.Rights())
	seen := map[string]bool{}
	look := func(route string, right auth.Right) {
		if seen[route] {
			t.Errorf("%s stands there twice", route)
		}
		if seen[route] = true; !slices.Contains(known, right) {
			t.Errorf("%s wants %q, which is no right", route, right)
		}
	}
	for _, p := range o.pages {
		look(p.Pattern, p.Right)
	}
	for _, op := range o.api {
		look(op.Method+" "+op.Path, op.Right)
	}
}
