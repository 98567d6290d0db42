package api

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/desk/desktest"
	"xinshu/internal/duck"
	"xinshu/pipelines/publish"
)

const policy = "henan-2020"

// world is a small hub, one policy that publishes what a test says, and the API over them. Requests are
// made by actor.
type world struct {
	testing.TB
	*desktest.Hub
	api   *API
	actor auth.Actor
	runs  int
	log   strings.Builder
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, Hub: desktest.Empty(t, time.Date(2026, 2, 16, 1, 0, 0, 0, time.UTC))}
	w.actor = auth.Actor{ID: auth.ClientID("platform"), Name: "platform", Roles: []auth.Role{auth.Downstream}, Way: "bearer"}
	w.open(Options{})
	return w
}

func (w *world) now() time.Time { return w.Clock }

// open makes the API anew with other bounds.
func (w *world) open(o Options) {
	o.Accounts = auth.NewAccounts(w.State, w.Desk.Trail, auth.Rules{}, w.now)
	o.Keys = auth.NewKeys(w.State, w.State, w.Vault, w.Desk.Trail, w.now)
	o.Desk, o.Now, o.Version = w.Desk, w.now, "test"
	o.Who = func(*http.Request) (auth.Actor, error) { return w.actor, nil }
	o.Log = slog.New(slog.NewTextHandler(&w.log, nil))
	w.api = New(o)
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// code is a valid code of an area with a number.
func code(area string, n int) string {
	const digits = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	body := fmt.Sprintf("91%s%09d", area, n)
	sum, weight := 0, 1
	for _, c := range body {
		sum += strings.IndexRune(digits, c) * weight
		weight = weight * 3 % 31
	}
	return body + string(digits[(31-sum%31)%31])
}

// grade is what a test says of an entity; the division is that of the code unless it is said.
type grade struct {
	uscc, grade string
	score       int
	division    string
}

// release publishes the grades of a day under the policy and lets run state take them in.
func (w *world) release(day string, grades ...grade) {
	w.Helper()
	var rows []string
	for _, g := range grades {
		if g.division == "" {
			g.division = g.uscc[2:8]
		}
		rows = append(rows, fmt.Sprintf("('%s', '企业%s', '91', '%s', 'C26', %d, '%s', 2, '诚信守法', true)", g.uscc, g.uscc[8:], g.division, g.score, g.grade))
	}
	if rows == nil {
		rows = []string{"('', '', '', '', '', 0, '', 0, '', true)"}
	}
	w.releaseQuery(day, "select * from (values "+strings.Join(rows, ", ")+`) as t(uscc, name, category, division, industry, score, grade, rank, class, trial)
		where uscc <> '' order by uscc`)
}

func (w *world) releaseQuery(day, query string) {
	w.Helper()
	w.runs++
	run := fmt.Sprint("score-", w.runs)
	db, err := duck.Open(w.Desk.Duck)
	w.ok(err)
	path := filepath.Join(w.TempDir(), "grade.parquet")
	n, err := db.Copy(w.Context(), query, path)
	w.ok(err)
	w.ok(db.Close())
	head, err := w.Lake.Head(w.Context(), chain.Scored(policy))
	w.ok(err)
	f, err := w.Lake.Put(w.Context(), chain.Object{Chain: chain.Scored(policy), Run: run, Table: "grade", Range: chain.NoRange, Path: path, Rows: n})
	w.ok(err)
	e, err := w.Lake.Commit(w.Context(), chain.Draft{Base: head, Keep: func(chain.File) bool { return false }, Files: []chain.File{f},
		Entry: chain.Entry{Chain: chain.Scored(policy), Run: run, Intent: chain.Intent(run)}})
	w.ok(err)
	at, err := catalog.ParseDate(day)
	w.ok(err)
	p, _ := w.Desk.Catalog.Policy(policy)
	p.Cycle = "dynamic"
	r, err := w.Desk.Pipeline.Publisher.Publish(w.Context(), "publish-"+run, publish.Scored{Policy: p, Entry: e, AsOf: at, CorrectedTo: at, Seal: "seal of " + day})
	w.ok(err)
	if r.Held != "" {
		w.Fatal(r.Held)
	}
	_, err = w.State.Follow(w.Context())
	w.ok(err)
}

// ask makes a request; heads are written "Name: value".
func (w *world) ask(method, target, body string, heads ...string) *httptest.ResponseRecorder {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range heads {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	return out
}

// get asks and reads the JSON answer.
func (w *world) get(target string, into any) *httptest.ResponseRecorder {
	w.Helper()
	out := w.ask(http.MethodGet, target, "")
	if out.Code != http.StatusOK {
		w.Fatalf("%s: %d %s", target, out.Code, out.Body)
	}
	w.ok(json.Unmarshal(out.Body.Bytes(), into))
	return out
}

// refused asks and expects a problem of a kind.
func (w *world) refused(out *httptest.ResponseRecorder, status int, code string) Problem {
	w.Helper()
	var p Problem
	raw, _ := io.ReadAll(out.Result().Body)
	if err := json.Unmarshal(raw, &p); err != nil || out.Code != status || p.Status != status || p.Code != code {
		w.Errorf("answered %d %s, expected %d %s (%v)", out.Code, raw, status, code, err)
	}
	if media := out.Header().Get("Content-Type"); media != "application/problem+json" {
		w.Errorf("a problem came as %s", media)
	}
	if p.Request == "" || p.Request != out.Header().Get("X-Request-Id") || p.Title == "" || p.TitleZH == "" || p.Type != "urn:xinshu:problem:"+code {
		w.Errorf("the problem is not whole: %s", raw)
	}
	return p
}
