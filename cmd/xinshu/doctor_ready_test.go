package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// healthcheck is the command with which Compose asks the hub, as it stands in the delivered file.
func healthcheck(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/compose/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services struct {
			Hub struct {
				Healthcheck struct{ Test []string }
			}
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	words := file.Services.Hub.Healthcheck.Test
	if len(words) < 3 || words[0] != "CMD" || words[1] != "xinshu" {
		t.Fatalf("the health check is %q, no call of xinshu", words)
	}
	return words[2:]
}

func TestComposeLearnsWhetherTheHubIsReady(t *testing.T) {
	status, answer := http.StatusOK, `{"status":"ready"}`
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			http.NotFound(w, r)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	words := healthcheck(t)
	at := slices.Index(words, "--ready") + 1
	if at == 0 || at == len(words) || !strings.HasSuffix(words[at], "/readyz") {
		t.Fatalf("the health check does not ask whether the hub is ready: %q", words)
	}
	ask := func(address string) error {
		asked := slices.Clone(words)
		asked[at] = address
		_, _, err := try(t, 0, "", asked...)
		return err
	}
	if err := ask(hub.URL + "/readyz"); err != nil {
		t.Errorf("a hub that is ready: %v", err)
	}
	status, answer = http.StatusServiceUnavailable, `{"status":"not ready","checks":{"store":"it is away"}}`
	if err := ask(hub.URL + "/readyz"); err == nil || !strings.Contains(err.Error(), "it is away") {
		t.Errorf("a hub that is not: %v", err)
	}
	if err := ask(hub.URL + "/elsewhere"); err == nil || !strings.Contains(err.Error(), "no hub answers") {
		t.Errorf("an address that is no hub's: %v", err)
	}
	hub.Close()
	if err := ask(hub.URL + "/readyz"); err == nil || !strings.Contains(err.Error(), "is ready") {
		t.Errorf("no hub at all: %v", err)
	}
	if err := ask("nonsense"); err == nil || !strings.Contains(err.Error(), "no address") {
		t.Errorf("no address: %v", err)
	}
}
