package api

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/state"
)

// TestTheManualsExamplesWork runs every example of docs/api.md, as a platform would: over HTTP, with a
// bearer key and with a signing key.
func TestTheManualsExamplesWork(t *testing.T) {
	w := newWorld(t)
	w.Clock = time.Now() // a signature is made with the machine's clock
	w.ok(w.State.SetTargets(t.Context(), []state.Target{{ID: "city-share", Kind: "restapi"}}))
	uscc := code("410481", 1)
	w.release("2026-01-01", grade{uscc: uscc, grade: "优", score: 9012})
	delivery, rows := w.delivery("city-share")
	guard := &auth.Guard{Accounts: w.api.Accounts, Keys: w.api.Keys, Limits: auth.NewLimits(0, 0, time.Now)}
	w.api.Who = guard.Program
	ctx := auth.With(t.Context(), auth.Shell("test"))
	key := auth.Key{Owner: auth.ClientID("city-share"), Title: "share", Kind: auth.Bearer, Roles: []auth.Role{auth.Downstream}, Until: w.Clock.AddDate(1, 0, 0)}
	_, bearer, err := w.api.Keys.Make(ctx, key)
	w.ok(err)
	key.Kind, key.Title = auth.Signed, "signed"
	signed, secret, err := w.api.Keys.Make(ctx, key)
	w.ok(err)
	server := httptest.NewServer(w.api)
	defer server.Close()

	manual, err := os.ReadFile("../../docs/api.md")
	w.ok(err)
	examples := strings.Split(string(manual), "```sh\n")[1:]
	if len(examples) < 8 {
		t.Fatalf("only %d examples in the manual", len(examples))
	}
	folder := t.TempDir()
	for _, example := range examples {
		example, _, _ = strings.Cut(example, "```")
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", example)
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "HUB="+server.URL, "KEY="+bearer, "KEY_ID="+signed.ID, "SECRET="+secret, "USCC="+uscc, "DELIVERY="+delivery, "ROW="+rows[0], "NO_PROXY=127.0.0.1")
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s\nended with %v: %s", example, err, said)
		}
	}
	if text, err := os.ReadFile(folder + "/grades.csv"); err != nil || !strings.Contains(string(text), uscc) {
		t.Errorf("the export: %v %s", err, text)
	}
	counts, err := w.State.Counts(t.Context())
	w.ok(err)
	if counts[0].Rejected != 1 {
		t.Errorf("the receipt did not arrive: %+v", counts)
	}
}
