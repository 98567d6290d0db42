package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/chain"
)

// openedHub is a hub in an empty folder.
func openedHub(t *testing.T, c Config) *app {
	t.Helper()
	c.Data = t.TempDir()
	c.defaults()
	a, err := openApp(t.Context(), c, hubClock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// careApp is a hub in an empty folder with its service.
func careApp(t *testing.T, c Config) (*app, http.Handler) {
	t.Helper()
	a := openedHub(t, c)
	h, err := a.service()
	if err != nil {
		t.Fatal(err)
	}
	return a, h
}

func get(t *testing.T, h http.Handler, from, path string, header ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.RemoteAddr = from
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestHealthTellsStrangersYesOrNo(t *testing.T) {
	a, _ := careApp(t, Config{})
	h := a.health(func(r *http.Request) bool { return insider(r, nil, nobody) })
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", h.alive)
	mux.HandleFunc("/readyz", h.ready)
	if code, body := get(t, mux, "203.0.113.9:1", "/healthz"); code != 200 || !strings.Contains(body, "alive") {
		t.Errorf("alive: %d %s", code, body)
	}
	if code, _ := get(t, mux, "203.0.113.9:1", "/readyz"); code != 200 {
		t.Errorf("ready: %d", code)
	}
	if err := a.state.Close(); err != nil {
		t.Fatal(err)
	}
	h.at = time.Time{} // the answer before is too old
	code, body := get(t, mux, "127.0.0.1:1", "/readyz")
	var told struct{ Checks map[string]string }
	if err := json.Unmarshal([]byte(body), &told); err != nil || code != 503 || told.Checks["state"] == "" || told.Checks["store"] != "" {
		t.Errorf("without state: %d %s", code, body)
	}
	if code, _ := get(t, mux, "203.0.113.9:1", "/healthz"); code != 200 {
		t.Error("a hub whose database is away is not alive")
	}
}

// nobody has signed in.
func nobody(*http.Request) (auth.Actor, error) { return auth.Actor{}, nil }

func TestOnlyInsidersSeeHowTheHubStands(t *testing.T) {
	for _, c := range []struct {
		name, from string
		header     []string
		networks   []string
		want       bool
	}{
		{"this machine", "127.0.0.1:5", nil, nil, true},
		{"this machine by IPv6", "[::1]:5", nil, nil, true},
		{"another machine", "10.1.2.3:5", nil, nil, false},
		{"a network of the config", "10.1.2.3:5", nil, []string{"10.1.0.0/16"}, true},
		{"an IPv4 address written as IPv6", "[::ffff:10.1.2.3]:5", nil, []string{"10.1.0.0/16"}, true},
		{"this machine, when the config names others", "127.0.0.1:5", nil, []string{"10.1.0.0/16"}, false},
		{"a proxy on this machine", "127.0.0.1:5", []string{"X-Forwarded-For", "203.0.113.9"}, nil, false},
		{"an address that is none", "pipe", nil, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
			r.RemoteAddr = c.from
			for i := 0; i+1 < len(c.header); i += 2 {
				r.Header.Set(c.header[i], c.header[i+1])
			}
			got := insider(r, c.networks, nobody)
			if got != c.want {
				t.Errorf("it may see: %t", got)
			}
			may := func(*http.Request) (auth.Actor, error) {
				return auth.Actor{ID: "a", Roles: []auth.Role{auth.Auditor}}, nil
			}
			if !insider(r, c.networks, may) {
				t.Error("somebody with the right may not see")
			}
		})
	}
}

func TestAServiceCountsItsRunsAndAnswers(t *testing.T) {
	a, h := careApp(t, Config{})
	run := chain.Run{ID: "r1", Step: "pull", Subject: "tax.arrears", Started: hubClock().Add(-time.Minute), Status: "running"}
	if err := a.pipeline.Runs.SaveRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	run.Ended, run.Status, run.Ledger = hubClock(), "done", chain.Ledger{Read: 4, Accepted: 4}
	if err := a.pipeline.Runs.SaveRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	get(t, h, "127.0.0.1:1", "/v1/grades/91230100MA0000000X?policy=henan-2020")
	get(t, h, "127.0.0.1:1", "/no/such/page/at/all")
	code, body := get(t, h, "127.0.0.1:1", "/metrics")
	for _, want := range []string{
		`xinshu_runs_total{outcome="done",step="pull"} 1`, `xinshu_rows_total{dataset="tax.arrears",ledger="accepted"} 4`,
		`route="/v1/grades/{uscc}"`, `xinshu_store_requests_total{`, `xinshu_state_up 1`, `xinshu_dataset_pull_age_seconds{dataset="tax.arrears"}`, `go_goroutines`,
	} {
		if code != 200 || !strings.Contains(body, want) {
			t.Errorf("%d: there is no %s", code, want)
		}
	}
	if strings.Contains(body, "91230100") || strings.Contains(body, "/no/such") {
		t.Error("what a stranger asked for stands in a label")
	}
}

func TestALogNeverShowsASecretAndNamesRunTaskAndNode(t *testing.T) {
	var out strings.Builder
	log := newLog(&out, LogConfig{}, "n1")
	logRun(log, chain.Run{ID: "r1", Task: "t1", Step: "pull", Subject: "d", Source: "s", Status: "done"})
	log.Info("x", "password", "swordfish", "api_key", "swordfish", slog.Group("target", "client_secret", "swordfish"))
	if text := out.String(); strings.Contains(text, "swordfish") {
		t.Error(text)
	}
	var line map[string]any
	if err := json.NewDecoder(strings.NewReader(out.String())).Decode(&line); err != nil || line["run"] != "r1" || line["task"] != "t1" || line["node"] != "n1" || line["level"] != "INFO" {
		t.Errorf("%v: %v", err, line)
	}
}

func TestRunsLeaveLineage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lineage.jsonl")
	a, _ := careApp(t, Config{Lineage: LineageConfig{File: file}})
	for _, status := range []string{"running", "failed"} {
		if err := a.pipeline.Runs.SaveRun(t.Context(), chain.Run{ID: "r1", Step: "pull", Subject: "tax.arrears", Source: "tax", Started: hubClock(), Ended: hubClock(), Status: status}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.care.close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), "\n") != 2 || !strings.Contains(string(text), `"eventType":"FAIL"`) || !strings.Contains(string(text), `"fields":[{"name":`) {
		t.Errorf("%v: %s", err, text)
	}
}

func TestAlertsOfAHubGoToTheReceiverOnce(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, string(body))
	}))
	t.Cleanup(server.Close)
	a, _ := careApp(t, Config{Alerts: AlertsConfig{DiskPercent: 90, Webhooks: []WebhookConfig{{Name: "duty", URL: server.URL, Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}}})
	if err := os.WriteFile(filepath.Join(a.config.Data, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int64{1000, 1001, 1002} { // two usual pulls and one with a jump
		r := chain.Run{ID: "r" + time.Unix(n, 0).Format("150405"), Step: "pull", Subject: "tax.arrears", Started: hubClock().Add(time.Duration(n) * time.Second), Status: "done", Ledger: chain.Ledger{Read: 100, Accepted: 100}}
		if n == 1002 {
			r.Ledger = chain.Ledger{Read: 100, Accepted: 40, Quarantined: 60}
		}
		if err := a.pipeline.Runs.SaveRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	k, err := a.keeper(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := k.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := k.Send(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	jumps := 0
	for _, body := range got {
		if strings.Contains(body, `"rule":"quarantine"`) && strings.Contains(body, `"subject":"tax.arrears"`) {
			jumps++
		}
	}
	if jumps != 1 {
		t.Errorf("the jump was told %d times: %v", jumps, got)
	}
}

func TestTheDailyPassIsMadeOnceADay(t *testing.T) {
	at := 0
	a, _ := careApp(t, Config{Retention: RetentionConfig{At: &at}})
	var out strings.Builder
	log := newLog(&out, LogConfig{}, "n1")
	for range 3 {
		if err := a.upkeepWhenDue(t.Context(), log); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(out.String(), "daily pass"); n != 1 {
		t.Errorf("it was made %d times: %s", n, out.String())
	}
}
