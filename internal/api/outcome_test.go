package api

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"xinshu/internal/auth"
)

// TestEveryPostSaysWhatHappensWhenItsOutcomeIsUnknown: it may be done twice, or another operation shows
// whether it was done.
func TestEveryPostSaysWhatHappensWhenItsOutcomeIsUnknown(t *testing.T) {
	w := newWorld(t)
	known := map[string]Operation{}
	for _, o := range w.api.Operations() {
		known[o.ID] = o
	}
	named := 0
	for _, e := range w.api.entries {
		if e.Method != http.MethodPost || e.upload() {
			continue
		}
		look, shown := shownBy[e.ID]
		if shown == e.repeatable() {
			t.Errorf("%s: it is either repeatable or shown by another operation", e.ID)
		}
		if shown {
			named++
			if o, is := known[look]; !is || o.Method != http.MethodGet || !strings.HasPrefix(w.api.unknown(e).Look, "GET /v1/") {
				t.Errorf("%s: there is no %s to look at", e.ID, look)
			}
		}
	}
	if named != len(shownBy) || slices.ContainsFunc(repeatable, func(id string) bool { return known[id].Method != http.MethodPost }) {
		t.Error("there are names of operations that do not exist")
	}
}

func TestWhatFailedUnderANameIsNotDoneASecondTime(t *testing.T) {
	w := newWorld(t)
	failing := &entry{Operation: Operation{ID: "openCase"}}
	deeds, status := 0, http.StatusInternalServerError
	w.api.mux = http.NewServeMux()
	w.api.mux.HandleFunc("POST /", func(rw http.ResponseWriter, _ *http.Request) {
		deeds++
		rw.WriteHeader(status)
	})
	do := func(e *entry, name string) (int, string) {
		r := httptest.NewRequestWithContext(auth.With(t.Context(), w.actor), http.MethodPost, "/v1/x", nil)
		r.Header.Set(repeatHeader, name)
		out := httptest.NewRecorder()
		w.api.once(out, r, e)
		return out.Code, out.Body.String()
	}
	if code, _ := do(failing, "k1"); code != status || deeds != 1 {
		t.Fatal(code, deeds)
	}
	if code, body := do(failing, "k1"); code != http.StatusConflict || deeds != 1 || !strings.Contains(body, `"code":"outcome_unknown"`) || !strings.Contains(body, `"look":"GET /v1/cases"`) {
		t.Errorf("it failed: %d after %d deeds: %s", code, deeds, body)
	}
	harmless := &entry{Operation: Operation{ID: "pauseSchedule"}}
	do(harmless, "k2")
	if do(harmless, "k2"); deeds != 3 {
		t.Errorf("a repeatable one that failed was not done again: %d deeds", deeds)
	}
	status = http.StatusNotFound
	do(failing, "k3")
	if do(failing, "k3"); deeds != 5 {
		t.Errorf("what was refused was not tried again: %d deeds", deeds)
	}
}
