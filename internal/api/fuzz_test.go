package api

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/internal/api/apitest"
	"xinshu/internal/auth"
	"xinshu/internal/state"
)

// oddBodies are sent to every operation that takes JSON: the collected files where they are there, and
// some of each kind in any case.
func oddBodies(t testing.TB) [][]byte {
	t.Helper()
	bodies := [][]byte{nil, []byte("null"), []byte("[]"), []byte("{}"), []byte(`"text"`), []byte("1e400"), []byte("-0"), []byte(`{"":0}`), []byte(`{"a":1,"a":2}`),
		[]byte("\xef\xbb\xbf{}"), []byte("{\"a\":\"\\ud800\"}"), []byte(strings.Repeat("[", 10_000)), []byte(strings.Repeat(`{"a":`, 10_000)), []byte(`{"a":1e99999}`),
		[]byte("{'a':1}"), []byte("{\"a\":\"\x00\"}"), []byte("[1,2"), []byte("\xff\xfe{\x00}\x00"), []byte(strings.Repeat(" ", 70_000)), []byte(`{"__proto__":{"x":1}}`)}
	files, err := filepath.Glob("../../../shared/samples/json/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, body)
	}
	t.Logf("%d bodies, %d of them collected files", len(bodies), len(files))
	return bodies
}

// TestFuzz asks every operation as every role. The fuzzer runs longer, over a whole province, in
// cmd/xinshu.
func TestFuzz(t *testing.T) {
	w := newWorld(t)
	w.ok(w.State.SetTargets(t.Context(), []state.Target{{ID: "platform", Kind: "restapi"}}))
	w.release("2026-01-01", grade{uscc: code("410481", 1), grade: "优", score: 9000}, grade{uscc: code("410402", 2), grade: "差", score: 100})
	w.release("2026-02-01", grade{uscc: code("410481", 1), grade: "良", score: 8000})
	id, rows := w.delivery("platform")
	roles := map[string]func(*http.Request){"nobody": func(*http.Request) {}}
	actors := map[string]auth.Actor{}
	for _, role := range auth.Roles {
		name := string(role)
		actors[name] = auth.Actor{ID: auth.ClientID("platform"), Name: name, Roles: []auth.Role{role}, Way: "bearer"}
		roles[name] = func(r *http.Request) { r.Header.Set("Test-Role", name) }
	}
	w.api.Who = func(r *http.Request) (auth.Actor, error) { return actors[r.Header.Get("Test-Role")], nil }
	server := httptest.NewServer(w.api)
	defer server.Close()
	known := map[string][]string{
		"uscc": {code("410481", 1), code("410402", 2), code("410402", 3)}, "policy": {policy, "jiangyin-2020"}, "purpose": {"service", "approval"},
		"delivery": {id}, "id": append(rows, "platform", id), "dataset": {"amr.reg", "court.debtor"}, "Xinshu-Purpose": {"service"}, "If-Match": {`"1"`}, "kind": {"objection", "restapi"},
	}
	report := apitest.Fuzz{Base: server.URL, Roles: roles, Rounds: 6, Seed: 1, Bodies: oddBodies(t)[:20], Known: known}.Run(t)
	t.Log(report)
	if report.Requests < report.Operations*len(roles)*5 {
		t.Errorf("%d requests for %d operations and %d roles", report.Requests, report.Operations, len(roles))
	}
	administrator := func(r *http.Request) { r.Header.Set("Test-Role", "all") }
	actors["all"] = auth.Actor{ID: auth.ClientID("platform"), Roles: auth.Roles}
	report = apitest.Fuzz{Base: server.URL, Roles: map[string]func(*http.Request){"all": administrator}, Rounds: 60, Seed: 2, Bodies: oddBodies(t), Known: known}.Run(t)
	t.Log(report)
	if log := w.log.String(); strings.Contains(log, "panic") {
		t.Errorf("something panicked: %.3000s", log)
	}
}
