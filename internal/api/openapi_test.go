package api

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

func TestTheDocumentIsLintClean(t *testing.T) {
	w := newWorld(t)
	document := filepath.Join(t.TempDir(), "openapi.json")
	w.ok(os.WriteFile(document, w.ask(http.MethodGet, "/openapi.json", "").Body.Bytes(), 0o600))
	dev := filepath.Join("..", "..", "deploy", "dev")
	install := exec.CommandContext(t.Context(), "bash", filepath.Join(dev, "browser.sh"), "where")
	install.Env = append(os.Environ(), "MODULES=openapi")
	install.Stderr = os.Stderr
	where, err := install.Output()
	if err != nil {
		t.Fatalf("the linter cannot be installed: %v; deploy/dev/servers.sh installs what the tests need", err)
	}
	lint := exec.CommandContext(t.Context(), filepath.Join(strings.TrimSpace(string(where)), "node_modules", ".bin", "redocly"),
		"lint", "--config", filepath.Join(dev, "openapi", "redocly.yaml"), "--format", "stylish", document)
	lint.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	said, err := lint.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	t.Logf("%s", said)
}

// TestTheDocumentSaysEverything holds what no linter asks for: both languages, the security of each
// operation, every problem with an example.
func TestTheDocumentSaysEverything(t *testing.T) {
	w := newWorld(t)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID, Summary, Description string
			Security                          []map[string][]string
			Tags                              []string
			Responses                         map[string]struct {
				Description string
				Content     map[string]struct{ Example any }
			}
		}
	}
	w.get("/openapi.json", &doc)
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("version %s", doc.OpenAPI)
	}
	chinese := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	}
	found := 0
	for path, methods := range doc.Paths {
		for method, o := range methods {
			found++
			if o.OperationID == "" || o.Summary == "" || chinese(o.Summary) || !chinese(o.Description) || len(o.Tags) != 1 || len(o.Security) == 0 {
				t.Errorf("%s %s is not described in both languages, or says no area, or not who may", method, path)
			}
			for status, r := range o.Responses {
				if status < "400" {
					continue
				}
				if !chinese(r.Description) || r.Content["application/problem+json"].Example == nil {
					t.Errorf("%s %s %s: no words or no example", method, path, status)
				}
			}
		}
	}
	if found != len(w.api.Operations()) {
		t.Errorf("%d operations in the document, %d in the table", found, len(w.api.Operations()))
	}
	if strings.Contains(mustJSON(t, doc), "$schema") {
		t.Error("the framework's links to schemas are in it")
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
