// Package metrics owns the figures that a Prometheus server scrapes: what this process counted since
// it began, and how the hub stands at the moment of the scrape. It refuses to name an entity, a person
// or a free text in a label, so that there are never more series than the catalogue and the config
// have names. Figures come from runs, requests and the store as they end, and from run state; they go
// to whoever may read /metrics.
package metrics

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"xinshu/internal/chain"
)

// Metrics counts. It may be used by several goroutines.
type Metrics struct {
	registry     *prometheus.Registry
	runs         *prometheus.CounterVec
	seconds      *prometheus.HistogramVec
	rows         *prometheus.CounterVec
	requests     *prometheus.CounterVec
	answer       *prometheus.HistogramVec
	store        *prometheus.CounterVec
	storeSeconds *prometheus.HistogramVec
}

// New makes the figures of one process. read tells how the hub stands; it is asked at most once in
// fifteen seconds, however many servers scrape.
func New(version, node string, now func() time.Time, read func(context.Context) (Standing, error)) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	seconds := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	}
	m := &Metrics{
		registry:     prometheus.NewRegistry(),
		runs:         counter("xinshu_runs_total", "Runs that ended, by step and outcome.", "step", "outcome"),
		seconds:      seconds("xinshu_run_seconds", "How long runs took.", []float64{.1, .5, 1, 5, 15, 60, 300, 1800, 7200}, "step"),
		rows:         counter("xinshu_rows_total", "Rows that pulls read, by dataset and what became of them.", "dataset", "ledger"),
		requests:     counter("xinshu_http_requests_total", "Requests answered, by route and status.", "route", "method", "status"),
		answer:       seconds("xinshu_http_request_seconds", "How long answers took.", []float64{.005, .02, .05, .1, .2, .5, 1, 5, 30}, "route"),
		store:        counter("xinshu_store_requests_total", "Requests to the object store.", "operation", "outcome"),
		storeSeconds: seconds("xinshu_store_request_seconds", "How long the object store took.", []float64{.001, .005, .02, .1, .5, 2, 10, 60}, "operation"),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "xinshu_info", Help: "This process.", ConstLabels: prometheus.Labels{"version": version, "node": node}})
	info.Set(1)
	m.registry.MustRegister(m.runs, m.seconds, m.rows, m.requests, m.answer, m.store, m.storeSeconds, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newStanding(now, read))
	return m
}

// Handler answers a scrape. Who may ask is the caller's business.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 20 * time.Second, Registry: m.registry})
}

// Run counts a run as it stands; one that still runs counts nothing yet.
func (m *Metrics) Run(r chain.Run) {
	if r.Status == "running" || r.Status == "" {
		return
	}
	m.runs.WithLabelValues(r.Step, r.Status).Inc()
	if !r.Ended.IsZero() {
		m.seconds.WithLabelValues(r.Step).Observe(r.Ended.Sub(r.Started).Seconds())
	}
	if r.Step != "pull" {
		return
	}
	for column, n := range map[string]int64{"read": r.Ledger.Read, "accepted": r.Ledger.Accepted, "duplicate": r.Ledger.Duplicate,
		"quarantined": r.Ledger.Quarantined, "skipped": r.Ledger.Skipped} {
		m.rows.WithLabelValues(r.Subject, column).Add(float64(n))
	}
}

// Store counts one request to the object store.
func (m *Metrics) Store(operation, outcome string, took time.Duration) {
	m.store.WithLabelValues(operation, outcome).Inc()
	m.storeSeconds.WithLabelValues(operation).Observe(took.Seconds())
}

// Request counts one answer. The route is a pattern, never a path that somebody asked for.
func (m *Metrics) Request(route, method string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other"
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.answer.WithLabelValues(route).Observe(took.Seconds())
}
