package api

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xinshu/internal/auth"
	"xinshu/internal/duck"
)

func TestEverythingThatStandsIsExportedAsTheReaderMaySeeIt(t *testing.T) {
	w := newWorld(t)
	a, b, c := code("410481", 1), code("410402", 2), code("410522", 3)
	w.release("2026-01-01", grade{uscc: a, grade: "优", score: 9012}, grade{uscc: b, grade: "中", score: 6000}, grade{uscc: c, grade: "差", score: 1000})
	w.release("2026-02-01", grade{uscc: a, grade: "优", score: 9012}, grade{uscc: b, grade: "差", score: 2000})
	const target = "/v1/grades/export?purpose=service&policy=" + policy
	read := func() [][]string {
		t.Helper()
		out := w.ask(http.MethodGet, target+"&format=csv", "")
		if out.Code != http.StatusOK || out.Header().Get("Content-Type") != "text/csv; charset=utf-8" || out.Header().Get("Content-Length") != fmt.Sprint(out.Body.Len()) {
			t.Fatalf("%d %v %s", out.Code, out.Header(), out.Body)
		}
		rows, err := csv.NewReader(out.Body).ReadAll()
		w.ok(err)
		if out.Header().Get("X-Row-Count") != fmt.Sprint(len(rows)-1) {
			t.Errorf("%s rows said, %d there", out.Header().Get("X-Row-Count"), len(rows)-1)
		}
		return rows
	}
	rows := read()
	at := func(name string) int { return slices.Index(rows[0], name) }
	if len(rows) != 3 || rows[1][at("uscc")] != b || rows[1][at("grade")] != "差" || rows[2][at("score")] != "90.12" || rows[2][at("status")] != "trial" {
		t.Errorf("exported %q", rows)
	}
	w.actor.Scope = auth.Scope{Areas: []string{"410481"}, Fields: []string{"name"}}
	rows = read()
	if len(rows) != 2 || rows[1][at("uscc")] != a || at("score") >= 0 || at("seal") >= 0 || at("name") < 0 || at("maker") < 0 || at("wording") < 0 {
		t.Errorf("of one area and field: %q", rows)
	}
	out := w.ask(http.MethodGet, target, "")
	path := filepath.Join(t.TempDir(), "export.parquet")
	w.ok(os.WriteFile(path, out.Body.Bytes(), 0o600))
	db, err := duck.Open(w.Desk.Duck)
	w.ok(err)
	defer func() { _ = db.Close() }()
	var uscc string
	w.ok(db.One(t.Context(), "select uscc from "+duck.Parquet([]string{path}), nil, &uscc))
	if uscc != a || !strings.HasSuffix(out.Header().Get("Content-Disposition"), `.parquet"`) {
		t.Errorf("the Parquet file has %q, %v", uscc, out.Header())
	}
	left, err := filepath.Glob(filepath.Join(w.Lake.TempDir(), "export-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q %v", left, err)
	}
}

func TestAnExportIsRefused(t *testing.T) {
	w := newWorld(t)
	w.release("2026-01-01", grade{uscc: code("410481", 1), grade: "优", score: 9012})
	w.refused(w.ask(http.MethodGet, "/v1/grades/export?policy="+policy, ""), http.StatusUnprocessableEntity, "invalid")
	w.refused(w.ask(http.MethodGet, "/v1/grades/export?purpose=service", ""), http.StatusUnprocessableEntity, "invalid")
	w.refused(w.ask(http.MethodGet, "/v1/grades/export?purpose=service&policy=jiangyin-2020", ""), http.StatusNotFound, "not_found")
	w.refused(w.ask(http.MethodGet, "/v1/grades/export?purpose=service&format=xml&policy="+policy, ""), http.StatusUnprocessableEntity, "invalid")
	w.open(Options{Bounds: Bounds{Exports: 1}})
	w.api.exports <- struct{}{}
	w.refused(w.ask(http.MethodGet, "/v1/grades/export?purpose=service&policy="+policy, ""), http.StatusServiceUnavailable, "unavailable")
	<-w.api.exports
	w.actor.Scope.Policies = []string{"jiangyin-2020"}
	w.refused(w.ask(http.MethodGet, "/v1/grades/export?purpose=service&policy="+policy, ""), http.StatusForbidden, "forbidden")
	w.actor = auth.Actor{ID: "township", Roles: []auth.Role{auth.TownshipUser}}
	w.refused(w.ask(http.MethodGet, "/v1/grades/export?purpose=service&policy="+policy, ""), http.StatusForbidden, "forbidden")
}
