package metrics

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"xinshu/internal/chain"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// scrape reads what a Prometheus server would read.
func scrape(t *testing.T, m *Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("a scrape answers %d: %s", rec.Code, rec.Body)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// value gives the one figure of a family with these labels.
func value(t *testing.T, families map[string]*dto.MetricFamily, name string, labels map[string]string) float64 {
	t.Helper()
	for _, m := range families[name].GetMetric() {
		matches := 0
		for _, l := range m.GetLabel() {
			if labels[l.GetName()] == l.GetValue() {
				matches++
			}
		}
		if matches == len(labels) && matches == len(m.GetLabel()) {
			return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	t.Errorf("there is no %s%v", name, labels)
	return -1
}

func TestAScrapeTellsWhatWasCountedAndHowTheHubStands(t *testing.T) {
	asked := 0
	m := New("v1", "n1", func() time.Time { return noon }, func(context.Context) (Standing, error) {
		asked++
		return Standing{
			Tasks:      []Queue{{State: "waiting", Tasks: 3, Oldest: noon.Add(-time.Minute)}},
			Deliveries: []Deliveries{{Target: "share", State: "open", Rows: 7}},
			Lags:       []Lag{{Target: "share", Since: noon.Add(-time.Hour)}, {Target: "city"}},
			Pulls:      []Pull{{Dataset: "tax.arrears", Done: noon.Add(-2 * time.Hour), Cycle: 24 * time.Hour}, {Dataset: "never.pulled"}}, Holds: 2, Alerts: map[string]int64{"late": 1}, Nodes: 3,
		}, nil
	})
	m.Run(chain.Run{Step: "pull", Subject: "tax.arrears", Status: "running", Started: noon})
	m.Run(chain.Run{Step: "pull", Subject: "tax.arrears", Status: "done", Started: noon, Ended: noon.Add(3 * time.Second), Ledger: chain.Ledger{Read: 10, Accepted: 8, Quarantined: 2}})
	m.Run(chain.Run{Step: "settle", Status: "failed", Started: noon, Ended: noon})
	m.Store("put", "exists", time.Millisecond)
	watched := m.Watch(http.NotFoundHandler(), func(*http.Request) string { return "/v1/grades/{uscc}" })
	watched.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "BREW", "/v1/grades/91230100X", nil))

	got := scrape(t, m)
	for _, c := range []struct {
		name   string
		labels map[string]string
		want   float64
	}{
		{"xinshu_runs_total", map[string]string{"step": "pull", "outcome": "done"}, 1},
		{"xinshu_runs_total", map[string]string{"step": "settle", "outcome": "failed"}, 1},
		{"xinshu_run_seconds", map[string]string{"step": "pull"}, 1},
		{"xinshu_rows_total", map[string]string{"dataset": "tax.arrears", "ledger": "quarantined"}, 2},
		{"xinshu_rows_total", map[string]string{"dataset": "tax.arrears", "ledger": "read"}, 10},
		{"xinshu_store_requests_total", map[string]string{"operation": "put", "outcome": "exists"}, 1},
		{"xinshu_http_requests_total", map[string]string{"route": "/v1/grades/{uscc}", "method": "other", "status": "404"}, 1},
		{"xinshu_state_up", nil, 1},
		{"xinshu_tasks", map[string]string{"state": "waiting"}, 3},
		{"xinshu_task_oldest_seconds", map[string]string{"state": "waiting"}, 60},
		{"xinshu_delivery_rows", map[string]string{"target": "share", "state": "open"}, 7},
		{"xinshu_delivery_lag_seconds", map[string]string{"target": "share"}, 3600},
		{"xinshu_delivery_lag_seconds", map[string]string{"target": "city"}, 0},
		{"xinshu_dataset_pull_age_seconds", map[string]string{"dataset": "tax.arrears"}, 7200},
		{"xinshu_dataset_cycle_seconds", map[string]string{"dataset": "tax.arrears"}, 86400},
		{"xinshu_feeds_on_hold", nil, 2},
		{"xinshu_alerts", map[string]string{"rule": "late"}, 1},
		{"xinshu_nodes", nil, 3},
		{"xinshu_info", map[string]string{"version": "v1", "node": "n1"}, 1},
	} {
		if v := value(t, got, c.name, c.labels); v != c.want {
			t.Errorf("%s%v is %v, not %v", c.name, c.labels, v, c.want)
		}
	}
	for _, m := range got["xinshu_dataset_pull_age_seconds"].GetMetric() {
		if m.GetLabel()[0].GetValue() == "never.pulled" {
			t.Error("a dataset that was never pulled has an age")
		}
	}
	if got["go_goroutines"] == nil {
		t.Error("the runtime's own figures are missing")
	}
	if scrape(t, m); asked != 1 {
		t.Errorf("two scrapes at one moment asked the hub %d times", asked)
	}
}

func TestAHubThatCannotBeAskedIsTold(t *testing.T) {
	m := New("v1", "n1", time.Now, func(context.Context) (Standing, error) { return Standing{}, errors.New("the database is away") })
	got := scrape(t, m)
	if value(t, got, "xinshu_state_up", nil) != 0 || got["xinshu_tasks"] != nil {
		t.Error("a scrape without run state tells of tasks")
	}
}
