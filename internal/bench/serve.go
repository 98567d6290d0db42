package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"xinshu/catalog"
	"xinshu/internal/fault"
	"xinshu/pipelines/publish"
	"xinshu/pipelines/score"
)

// Served is what bench serve prints.
type Served struct {
	Entities  int64   `json:"entities"`
	Schedules int     `json:"schedules"`
	Datasets  int     `json:"datasets"`
	ReadyS    float64 `json:"ready_s"` // from the start of the service to the first answer of what it keeps open
	Pages     []Timed `json:"pages"`
	Searches  []Timed `json:"searches"`
	Feed      float64 `json:"changes_per_s"`
	FeedCPUS  float64 `json:"feed_cpu_s"`         // processor time of the whole feed, its reader's too
	ColdMS    float64 `json:"cold_quarantine_ms"` // the quarantine's first page, while nothing is counted yet
	Slow      int     `json:"pages_over_200_ms"`  // by the median
}

// Timed is how long one address took to answer, at the server, over loopback.
type Timed struct {
	Name     string  `json:"name"`
	Status   int     `json:"status"`
	MedianMS float64 `json:"median_ms"`
	CPUMS    float64 `json:"cpu_ms"` // processor time for each answer, which a busy machine disturbs less
	WorstMS  float64 `json:"worst_ms"`
	FirstMS  float64 `json:"first_ms"` // of the first answer, which warms and is not counted
	Bytes    int64   `json:"bytes"`
}

// Asked is what one thing is called in the report, and the addresses that are asked in turn: where an
// entity is looked at, each time another one.
type Asked struct {
	Name  string
	Paths []string
}

// Publish generates entities and publishes their results of some days, one release a day.
func Publish(ctx context.Context, o Options, p publish.Publisher, days []catalog.Date) error {
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	if _, err := generate(ctx, o); err != nil {
		return err
	}
	for _, day := range days {
		r, err := o.Scorer.Run(ctx, "bench-score-"+day.String(), o.Policy, score.Clocks{AsOf: day, CorrectedTo: catalog.NoDate})
		if err != nil {
			return err
		}
		o.Tell("scored as of " + day.String())
		released, err := p.Publish(ctx, "bench-publish-"+day.String(), publish.Scored{Policy: o.Policy, Entry: r.Entry, AsOf: r.Clocks.AsOf, CorrectedTo: r.Clocks.CorrectedTo, Seal: r.SealSHA})
		if err != nil {
			return err
		}
		o.Tell(fmt.Sprintf("published %v", released.Changes))
	}
	return nil
}

// Code gives the code of an entity of the bench, valid as the real ones.
func Code(n int64) string { return codeAt(n) }

// Time asks each address so many times and gives its times. The first answer warms and is not counted.
func Time(ctx context.Context, client *http.Client, base string, asked []Asked, times int) ([]Timed, error) {
	var all []Timed
	for _, a := range asked {
		t := Timed{Name: a.Name}
		var took []float64
		before := 0.0
		for i := range times + 1 {
			if i == 1 {
				before = cpuSeconds()
			}
			began := time.Now()
			status, bytes, err := fetch(ctx, client, base+a.Paths[i%len(a.Paths)])
			if err != nil {
				return all, fmt.Errorf("ask %s: %w", a.Name, err)
			}
			t.Status, t.Bytes = status, bytes
			if i == 0 {
				t.FirstMS = float64(time.Since(began).Microseconds()) / 1000
			} else {
				took = append(took, float64(time.Since(began).Microseconds())/1000)
			}
		}
		t.CPUMS = (cpuSeconds() - before) * 1000 / float64(max(times, 1))
		slices.Sort(took)
		t.MedianMS, t.WorstMS = took[len(took)/2], took[len(took)-1]
		all = append(all, t)
	}
	return all, nil
}

func fetch(ctx context.Context, client *http.Client, address string) (status int, bytes int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, 0, err
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = res.Body.Close() }() // read to its end below
	bytes, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, bytes, err
}

// Feed reads a stream of changes to its end and says how many came in a second.
func Feed(ctx context.Context, client *http.Client, address string) (perSecond, cpu float64, err error) {
	before := cpuSeconds()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("Accept", "application/x-ndjson")
	began := time.Now()
	res, err := client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = res.Body.Close() }() // read to its end below
	if res.StatusCode != http.StatusOK {
		return 0, 0, fault.Newf(fault.Internal, "read the change feed", "it answers %s", res.Status)
	}
	lines := 0
	read := bufio.NewScanner(res.Body)
	read.Buffer(make([]byte, 1<<20), 1<<20)
	for read.Scan() {
		lines++
	}
	return float64(lines) / time.Since(began).Seconds(), cpuSeconds() - before, read.Err()
}
