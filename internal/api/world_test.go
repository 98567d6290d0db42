package api

import (
	"context"
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
	"xinshu/connectors"
	"xinshu/connectors/all"
	"xinshu/internal/audit"
	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/desk"
	"xinshu/internal/duck"
	"xinshu/internal/lake"
	"xinshu/internal/state"
	"xinshu/internal/vault"
	"xinshu/pipelines"
	"xinshu/pipelines/publish"
	"xinshu/pipelines/schedule"
	"xinshu/pipelines/score"
	"xinshu/pipelines/stage"
	"xinshu/sql"
)

const policy = "henan-2020"

// world is a small hub: a lake in a folder, a database, one policy that publishes what a test says,
// and the API over them. Requests are made by actor.
type world struct {
	testing.TB
	lake  *lake.Lake
	state *state.State
	desk  *desk.Desk
	api   *API
	actor auth.Actor
	clock time.Time
	runs  int
	duck  duck.Options
	log   strings.Builder
	vault *vault.Vault
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, clock: time.Date(2026, 2, 16, 1, 0, 0, 0, time.UTC),
		duck: duck.Options{Threads: 1, MemoryMB: 256, TempDir: t.TempDir()}}
	w.actor = auth.Actor{ID: auth.ClientID("platform"), Name: "platform", Roles: []auth.Role{auth.Downstream}, Way: "bearer"}
	store, err := lake.OpenFolder(t.TempDir())
	w.ok(err)
	w.lake, err = lake.New(store, lake.Options{Now: w.now})
	w.ok(err)
	c, faults := catalog.Load(catalog.Files)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	w.state, err = state.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), w.now)
	w.ok(err)
	t.Cleanup(func() { _ = w.state.Close() })
	publisher := &publish.Publisher{Lake: w.lake, Duck: w.duck}
	w.state.Log, w.state.Changes = w.lake, publisher.Changes
	v := openVault(t)
	trail := audit.New(w.state, v, w.now)
	w.desk = &desk.Desk{Trail: trail, Catalog: c, Lake: w.lake, State: w.state, SQL: sql.Files, Duck: w.duck, Now: w.now, Version: "test", Data: t.TempDir(),
		Pipeline: &pipelines.Pipeline{Catalog: c, Heads: w.lake, Runs: w.state, Posts: w.state, Publisher: publisher, Now: w.now,
			Scorer: &score.Scorer{Lake: w.lake, SQL: sql.Files, Duck: w.duck, Platforms: c.PlatformDatasets()}, Stager: &stage.Stager{Lake: w.lake, Words: c, Now: w.now, HashKey: []byte("key")}}}
	w.vault = v
	w.desk.Book = &schedule.Book{Store: w.state, Planner: schedule.Planner{Calendar: c.Calendars}, Now: w.now,
		Known: func(context.Context, schedule.Work) error { return nil }, Fresh: func([]string) error { return nil }}
	w.desk.Drivers, w.desk.Vault, w.desk.Files = map[string]connectors.Driver{}, v, catalog.Files
	for _, d := range all.Drivers(w.now) {
		w.desk.Drivers[d.Kind] = d
	}
	w.open(Options{})
	return w
}

func openVault(t testing.TB) *vault.Vault {
	t.Helper()
	key, _ := vault.NewKey()
	v, err := vault.New(key)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (w *world) now() time.Time { return w.clock }

// open makes the API anew with other bounds.
func (w *world) open(o Options) {
	o.Accounts = auth.NewAccounts(w.state, w.desk.Trail, auth.Rules{}, w.now)
	o.Keys = auth.NewKeys(w.state, w.state, w.vault, w.desk.Trail, w.now)
	o.Desk, o.Now, o.Version = w.desk, w.now, "test"
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
	db, err := duck.Open(w.duck)
	w.ok(err)
	path := filepath.Join(w.TempDir(), "grade.parquet")
	n, err := db.Copy(w.Context(), query, path)
	w.ok(err)
	w.ok(db.Close())
	head, err := w.lake.Head(w.Context(), chain.Scored(policy))
	w.ok(err)
	f, err := w.lake.Put(w.Context(), chain.Object{Chain: chain.Scored(policy), Run: run, Table: "grade", Range: chain.NoRange, Path: path, Rows: n})
	w.ok(err)
	e, err := w.lake.Commit(w.Context(), chain.Draft{Base: head, Keep: func(chain.File) bool { return false }, Files: []chain.File{f},
		Entry: chain.Entry{Chain: chain.Scored(policy), Run: run, Intent: chain.Intent(run)}})
	w.ok(err)
	at, err := catalog.ParseDate(day)
	w.ok(err)
	p, _ := w.desk.Catalog.Policy(policy)
	p.Cycle = "dynamic"
	r, err := w.desk.Pipeline.Publisher.Publish(w.Context(), "publish-"+run, publish.Scored{Policy: p, Entry: e, AsOf: at, CorrectedTo: at, Seal: "seal of " + day})
	w.ok(err)
	if r.Held != "" {
		w.Fatal(r.Held)
	}
	_, err = w.state.Follow(w.Context())
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
