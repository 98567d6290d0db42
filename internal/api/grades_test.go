package api

import (
	"net/http"
	"strings"
	"testing"

	"xinshu/internal/auth"
)

type statementsOf struct {
	USCC   string
	Grades []map[string]any
}

func TestAPlatformReadsOneEntity(t *testing.T) {
	w := newWorld(t)
	a, b := code("410481", 1), code("410402", 2)
	w.release("2026-01-01", grade{uscc: a, grade: "优", score: 9012}, grade{uscc: b, grade: "差", score: 2000})
	var got statementsOf
	first := w.get("/v1/grades/"+a+"?purpose=approval", &got)
	if len(got.Grades) != 1 || got.Grades[0]["grade"] != "优" || got.Grades[0]["score"] != 90.12 || got.Grades[0]["status"] != "trial" ||
		got.Grades[0]["maker"] == "" || got.Grades[0]["wording"] == "" || got.Grades[0]["policy"] != policy {
		t.Errorf("read %+v", got)
	}
	tag := first.Header().Get("ETag")
	if out := w.ask(http.MethodGet, "/v1/grades/"+a+"?purpose=approval", "", "If-None-Match: "+tag); out.Code != http.StatusNotModified || out.Body.Len() > 0 {
		t.Errorf("unchanged: %d %s", out.Code, out.Body)
	}
	lower := w.ask(http.MethodGet, "/v1/grades/"+strings.ToLower(a), "", "Xinshu-Purpose: approval")
	if lower.Code != http.StatusOK {
		t.Errorf("a code in small letters: %d %s", lower.Code, lower.Body)
	}
	w.release("2026-02-01", grade{uscc: b, grade: "差", score: 2000})
	w.refused(w.ask(http.MethodGet, "/v1/grades/"+a+"?purpose=approval", "", "If-None-Match: "+tag), http.StatusGone, "retracted")
}

func TestWhoMayReadWhat(t *testing.T) {
	w := newWorld(t)
	a, b := code("410481", 1), code("410402", 2)
	w.release("2026-01-01", grade{uscc: a, grade: "优", score: 9000}, grade{uscc: b, grade: "差", score: 2000})
	here, there := "/v1/grades/"+a, "/v1/grades/"+b
	w.refused(w.ask(http.MethodGet, here, ""), http.StatusUnprocessableEntity, "invalid")
	w.refused(w.ask(http.MethodGet, "/v1/grades/"+code("410481", 77)+"?purpose=tender", ""), http.StatusNotFound, "not_found")
	w.refused(w.ask(http.MethodGet, here+"?purpose=tender&policy=nowhere", ""), http.StatusNotFound, "not_found")

	w.actor.Scope = auth.Scope{Areas: []string{"410481"}, Purpose: "tender", Fields: []string{"name"}}
	var got statementsOf
	w.get(here, &got) // the purpose that was approved is taken
	if _, told := got.Grades[0]["score"]; told || got.Grades[0]["name"] == nil || got.Grades[0]["wording"] == nil {
		t.Errorf("with the name alone: %+v", got.Grades[0])
	}
	w.refused(w.ask(http.MethodGet, here+"?purpose=approval", ""), http.StatusForbidden, "forbidden")
	out, never := w.ask(http.MethodGet, there, ""), w.ask(http.MethodGet, "/v1/grades/"+code("410402", 99), "")
	if p, q := w.refused(out, 404, "not_found"), w.refused(never, 404, "not_found"); p.Detail != q.Detail {
		t.Errorf("somebody outside the scope is told from nobody: %q and %q", p.Detail, q.Detail)
	}
	w.actor.Scope = auth.Scope{Policies: []string{"jiangyin-2020"}, Purpose: "tender"}
	w.refused(w.ask(http.MethodGet, here+"?policy="+policy, ""), http.StatusForbidden, "forbidden")
	w.refused(w.ask(http.MethodGet, here, ""), http.StatusNotFound, "not_found")
	w.actor = auth.Actor{ID: "x", Roles: []auth.Role{auth.Administrator}}
	w.refused(w.ask(http.MethodGet, here+"?purpose=tender", ""), http.StatusForbidden, "forbidden")
	w.actor = auth.Actor{}
	if out := w.ask(http.MethodGet, here, ""); out.Header().Get("WWW-Authenticate") == "" {
		t.Error("nobody is not asked who it is")
	} else {
		w.refused(out, http.StatusUnauthorized, "unauthorized")
	}
}

func TestAPersonsNumberIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	const number = "110101199003074514"
	for _, target := range []string{"/v1/grades/" + number + "?purpose=x", "/v1/grades/" + number, "/v1/grades/changes?since=" + number, "/v1/runs?limit=" + number,
		"/v1/runs?" + number + "=1", "/v1/" + number, "/v1/grades/" + code("410481", 1) + "?purpose=service&policy=" + number} {
		out := w.ask(http.MethodGet, target, "")
		if out.Code < 400 || strings.Contains(out.Body.String(), number) {
			t.Errorf("%s: %d %s", target, out.Code, out.Body)
		}
	}
	if strings.Contains(w.log.String(), number) {
		t.Errorf("logged: %s", w.log.String())
	}
}
