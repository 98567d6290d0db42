package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Standing is how the hub stands at one moment.
type Standing struct {
	Tasks      []Queue
	Deliveries []Deliveries
	Lags       []Lag
	Pulls      []Pull
	Holds      int64            // feeds on hold
	Alerts     map[string]int64 // alerts that last, by rule
	Nodes      int64            // nodes that were seen lately
}

// Queue is the tasks in one state.
type Queue struct {
	State  string
	Tasks  int64
	Oldest time.Time // zero: none
}

// Deliveries is the rows of one target in one state.
type Deliveries struct {
	Target, State string
	Rows          int64
}

// Lag is how long the oldest row has waited for a target.
type Lag struct {
	Target string
	Since  time.Time // zero: nothing waits
}

// Pull is when a dataset was last pulled without a fault.
type Pull struct {
	Dataset string
	Done    time.Time
	Cycle   time.Duration // promised by the department; 0: none
}

// keepFor is how long an answer of the hub serves further scrapes.
const keepFor = 15 * time.Second

// standing asks the hub when it is scraped.
type standing struct {
	now  func() time.Time
	read func(context.Context) (Standing, error)

	mu   sync.Mutex
	at   time.Time
	last Standing
	err  error
}

func newStanding(now func() time.Time, read func(context.Context) (Standing, error)) *standing {
	return &standing{now: now, read: read}
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	descUp      = desc("xinshu_state_up", "1 when run state could be read at this scrape.")
	descTasks   = desc("xinshu_tasks", "Tasks, by state.", "state")
	descTaskAge = desc("xinshu_task_oldest_seconds", "How old the oldest task in this state is.", "state")
	descRows    = desc("xinshu_delivery_rows", "Rows for a target, by state.", "target", "state")
	descLag     = desc("xinshu_delivery_lag_seconds", "How long the oldest open row has waited for a target; 0: none waits.", "target")
	descPull    = desc("xinshu_dataset_pull_age_seconds", "Seconds since the last pull of a dataset that ended well.", "dataset")
	descCycle   = desc("xinshu_dataset_cycle_seconds", "What the department promised, in seconds; a month is 31 days.", "dataset")
	descHolds   = desc("xinshu_feeds_on_hold", "Feeds whose absences are not believed for now.")
	descAlerts  = desc("xinshu_alerts", "Alerts that last, by rule.", "rule")
	descNodes   = desc("xinshu_nodes", "Nodes that were seen lately.")
)

// Describe serves the registry.
func (s *standing) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descUp, descTasks, descTaskAge, descRows, descLag, descPull, descCycle, descHolds, descAlerts, descNodes} {
		to <- d
	}
}

// Collect serves a scrape. When the hub cannot be asked, only that is told.
func (s *standing) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	now, st, err := s.ask()
	if err != nil {
		gauge(descUp, 0)
		return
	}
	gauge(descUp, 1)
	age := func(t time.Time) float64 {
		if t.IsZero() {
			return 0
		}
		return max(now.Sub(t).Seconds(), 0)
	}
	for _, q := range st.Tasks {
		gauge(descTasks, float64(q.Tasks), q.State)
		gauge(descTaskAge, age(q.Oldest), q.State)
	}
	for _, d := range st.Deliveries {
		gauge(descRows, float64(d.Rows), d.Target, d.State)
	}
	for _, l := range st.Lags {
		gauge(descLag, age(l.Since), l.Target)
	}
	for _, p := range st.Pulls {
		if !p.Done.IsZero() {
			gauge(descPull, age(p.Done), p.Dataset)
		}
		if p.Cycle > 0 {
			gauge(descCycle, p.Cycle.Seconds(), p.Dataset)
		}
	}
	gauge(descHolds, float64(st.Holds))
	for rule, n := range st.Alerts {
		gauge(descAlerts, float64(n), rule)
	}
	gauge(descNodes, float64(st.Nodes))
}

func (s *standing) ask() (time.Time, Standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if age := now.Sub(s.at); s.at.IsZero() || age > keepFor || age < 0 {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		s.last, s.err = s.read(ctx)
		s.at = now
	}
	return now, s.last, s.err
}
