package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

func TestWhatNoOperationAnswersIsAProblem(t *testing.T) {
	w := newWorld(t)
	w.refused(w.ask(http.MethodGet, "/v1/nothing", ""), http.StatusNotFound, "no_operation")
	w.refused(w.ask(http.MethodGet, "/v1//runs", ""), http.StatusNotFound, "no_operation")
	w.refused(w.ask(http.MethodGet, "/v1/runs/../runs", ""), http.StatusNotFound, "no_operation")
	out := w.ask(http.MethodDelete, "/v1/receipts", "")
	w.refused(out, http.StatusMethodNotAllowed, "method")
	if allow := out.Header().Get("Allow"); allow != "POST" {
		t.Errorf("allowed: %q", allow)
	}
	if out := w.ask(http.MethodHead, "/v1/nothing", ""); out.Code != http.StatusNotFound || out.Body.Len() > 0 {
		t.Errorf("HEAD: %d %q", out.Code, out.Body)
	}
}

func TestAWrongRequestIsToldWhereItIsWrong(t *testing.T) {
	w := newWorld(t)
	w.actor = auth.Shell("test")
	for _, c := range []struct{ name, target, location string }{
		{"a number that is none", "/v1/runs?limit=many", "query.limit"},
		{"a number out of its bounds", "/v1/runs?limit=501", "query.limit"},
		{"a parameter that is not known", "/v1/runs?limt=5", "query.limt"},
		{"a parameter given twice", "/v1/runs?limit=5&limit=6", "query.limit"},
		{"a control character", "/v1/runs?limit=5%00", "query.limit"},
	} {
		p := w.refused(w.ask(http.MethodGet, c.target, ""), http.StatusUnprocessableEntity, "invalid")
		if len(p.Errors) != 1 || p.Errors[0].Location != c.location || p.Errors[0].Message == "" {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	w.refused(w.ask(http.MethodGet, "/v1/runs?limit=%zz", ""), http.StatusBadRequest, "malformed")
	w.refused(w.ask(http.MethodGet, "/v1/grades/%ff%fe", ""), http.StatusBadRequest, "malformed")
}

func TestABodyIsTakenInOneFormOnly(t *testing.T) {
	w := newWorld(t)
	post := func(body string, heads ...string) *Problem {
		t.Helper()
		out := w.ask(http.MethodPost, "/v1/receipts", body, heads...)
		if out.Code < 300 {
			t.Errorf("%.60s was taken", body)
			return &Problem{}
		}
		var p Problem
		w.ok(json.Unmarshal(out.Body.Bytes(), &p))
		return &p
	}
	for _, c := range []struct{ name, body, code string }{
		{"no JSON", "{", "malformed"},
		{"two values", `{"delivery":"platform-1","accepted":1,"rejected":0} {}`, "malformed"},
		{"a member twice", `{"delivery":"platform-1","accepted":1,"accepted":2,"rejected":0}`, "malformed"},
		{"half of a pair", `{"delivery":"platform-\ud800","accepted":1,"rejected":0}`, "malformed"},
		{"a zero character", `{"delivery":"platform-\u0000","accepted":1,"rejected":0}`, "malformed"},
		{"no UTF-8", "{\"delivery\":\"\xff\"}", "malformed"},
		{"without end", strings.Repeat("[", 100_000), "malformed"},
		{"a great number", `{"delivery":"platform-1","accepted":1e999,"rejected":0}`, "malformed"},
		{"a member that is not known", `{"delivery":"platform-1","accepted":1,"rejected":0,"surprise":1}`, "invalid"},
		{"a member missing", `{"delivery":"platform-1"}`, "invalid"},
		{"a negative count", `{"delivery":"platform-1","accepted":-1,"rejected":0}`, "invalid"},
		{"a list", `[]`, "invalid"},
		{"null", `null`, "invalid"},
		{"too large", `{"delivery":"` + strings.Repeat("x", 1<<20) + `"}`, "too_large"},
		{"too many values", "[" + strings.Repeat("0,", 200_000) + "0]", "too_large"},
		{"nothing", "", "media_type"},
	} {
		if p := post(c.body); p.Code != c.code {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	good := `{"delivery":"platform-1","accepted":1,"rejected":0}`
	for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk", "json", "/"} {
		if p := post(good, "Content-Type: "+media); p.Code != "media_type" {
			t.Errorf("%s: %+v", media, p)
		}
	}
}

func TestWhatIsOursToKnowIsNotTold(t *testing.T) {
	w := newWorld(t)
	w.actor = auth.Shell("test")
	w.ok(w.State.Close())
	p := w.refused(w.ask(http.MethodGet, "/v1/runs", "", "X-Request-Id: helpdesk-00017"), http.StatusInternalServerError, "internal")
	if p.Detail != "" || p.Request != "helpdesk-00017" {
		t.Errorf("told: %+v", p)
	}
	if log := w.log.String(); !strings.Contains(log, "helpdesk-00017") || !strings.Contains(log, "closed") {
		t.Errorf("logged: %s", log)
	}
	if got := problem(&fault.Error{Op: "reach the store", Code: fault.Unavailable, Err: http.ErrHandlerTimeout, Hint: "try again"}); got.Detail != "reach the store (try again)" || got.wait == 0 {
		t.Errorf("of a store out of reach: %+v", got)
	}
}

func TestARequestTooManyWaits(t *testing.T) {
	w := newWorld(t)
	w.open(Options{Bounds: Bounds{Requests: 1}})
	w.api.served <- struct{}{}
	out := w.ask(http.MethodGet, "/v1/runs", "")
	w.refused(out, http.StatusServiceUnavailable, "unavailable")
	if out.Header().Get("Retry-After") == "" {
		t.Error("not told when to come back")
	}
	<-w.api.served
	w.api.Who = func(*http.Request) (auth.Actor, error) {
		return auth.Actor{}, &fault.Error{Op: "take a request", Code: fault.TooMany, Err: &auth.TooSoon{After: 2500e6}}
	}
	out = w.ask(http.MethodGet, "/v1/runs", "")
	w.refused(out, http.StatusTooManyRequests, "too_many")
	if after := out.Header().Get("Retry-After"); after != "3" {
		t.Errorf("come back after %q seconds", after)
	}
}
