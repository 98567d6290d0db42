package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"xinshu/internal/auth"
	"xinshu/internal/state"
)

// delivery makes a delivery to the target of a name, and gives its id and its rows.
func (w *world) delivery(target string) (id string, rows []string) {
	w.Helper()
	d, _, found, err := w.State.Claim(w.Context(), target, 100)
	w.ok(err)
	if !found {
		w.Fatal("nothing is due for " + target)
	}
	for _, r := range d.Rows {
		rows = append(rows, r.ID)
	}
	return d.ID, rows
}

func TestAPlatformAnswersForItsDeliveries(t *testing.T) {
	w := newWorld(t)
	w.ok(w.State.SetTargets(w.Context(), []state.Target{{ID: "platform", Kind: "restapi"}, {ID: "other", Kind: "restapi"}}))
	w.release("2026-01-01", grade{uscc: code("410481", 1), grade: "优", score: 9000}, grade{uscc: code("410402", 2), grade: "差", score: 100})
	mine, rows := w.delivery("platform")
	others, _ := w.delivery("other")
	receipt := fmt.Sprintf(`{"delivery":%q,"accepted":1,"rejected":1,"rows":[{"id":%q,"code":"E-106","message":"unknown region"}]}`, mine, rows[0])
	for range 2 { // the same receipt twice is one
		if out := w.ask(http.MethodPost, "/v1/receipts", receipt); out.Code != http.StatusNoContent {
			t.Fatalf("%d %s", out.Code, out.Body)
		}
	}
	counts := func() map[string]state.Count {
		all, err := w.State.Counts(w.Context())
		w.ok(err)
		by := map[string]state.Count{}
		for _, c := range all {
			by[c.Target] = c
		}
		return by
	}
	if c := counts()["platform"]; c.Acknowledged != 1 || c.Rejected != 1 || c.Open != 0 {
		t.Errorf("counted %+v", c)
	}
	w.refused(w.ask(http.MethodPost, "/v1/receipts", fmt.Sprintf(`{"delivery":%q,"accepted":2,"rejected":0}`, others)), http.StatusNotFound, "not_found")
	w.refused(w.ask(http.MethodPost, "/v1/receipts", fmt.Sprintf(`{"delivery":%q,"target":"other","accepted":2,"rejected":0}`, others)), http.StatusForbidden, "forbidden")
	if c := counts()["other"]; c.Acknowledged != 0 || c.Open != 2 {
		t.Errorf("somebody else answered for it: %+v", c)
	}
}

func TestANamedRequestIsDoneOnce(t *testing.T) {
	w := newWorld(t)
	w.ok(w.State.SetTargets(w.Context(), []state.Target{{ID: "platform", Kind: "restapi"}}))
	w.release("2026-01-01", grade{uscc: code("410481", 1), grade: "优", score: 9000})
	id, _ := w.delivery("platform")
	const named = "Idempotency-Key: first"
	body := fmt.Sprintf(`{"delivery":%q,"accepted":1,"rejected":0}`, id)
	wrong := w.ask(http.MethodPost, "/v1/receipts", strings.Replace(body, id, "platform", 1), named)
	w.refused(wrong, http.StatusNotFound, "not_found") // what came to nothing may be mended under its name
	if out := w.ask(http.MethodPost, "/v1/receipts", body, named); out.Code != http.StatusNoContent || out.Header().Get("Idempotent-Replayed") != "" {
		t.Fatalf("%d %s", out.Code, out.Body)
	}
	if out := w.ask(http.MethodPost, "/v1/receipts", body, named); out.Code != http.StatusNoContent || out.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("again: %d %s", out.Code, out.Body)
	}
	w.refused(w.ask(http.MethodPost, "/v1/receipts", strings.Replace(body, `"accepted":1`, `"accepted":2`, 1), named), http.StatusUnprocessableEntity, "key_reused")
	w.refused(w.ask(http.MethodPost, "/v1/receipts", body, "Idempotency-Key: "+strings.Repeat("k", 129)), http.StatusUnprocessableEntity, "invalid")
	actor := w.actor
	w.actor = auth.Actor{ID: auth.ClientID("other"), Roles: []auth.Role{auth.Downstream}}
	if out := w.ask(http.MethodPost, "/v1/receipts", body, named); out.Header().Get("Idempotent-Replayed") != "" || out.Code != http.StatusNotFound {
		t.Errorf("another account under the same name: %d %s", out.Code, out.Body)
	}
	w.actor = actor
	digest, _ := json.Marshal("x")
	if _, ours, err := w.State.BeginRequest(w.Context(), actor.ID, "second", string(digest), false, 1e9, 1e12); !ours || err != nil {
		t.Fatal(ours, err)
	}
	w.refused(w.ask(http.MethodPost, "/v1/receipts", body, "Idempotency-Key: second"), http.StatusUnprocessableEntity, "key_reused")
}
