package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/pipelines"
)

// Summary is what `demo --once --json` prints; scripts rely on its form.
type Summary struct {
	Sources    int              `json:"sources"`
	Datasets   int              `json:"datasets"`
	Rows       rowCounts        `json:"rows"`
	Quarantine map[string]int64 `json:"quarantine"` // reason code to rows
	Policies   []policySummary  `json:"policies"`
	Deliveries deliveryCounts   `json:"deliveries"`
	Holds      []holdSummary    `json:"holds"` // feeds on hold after their pull
	Quiet      []string         `json:"quiet"` // source and dataset of the pulls that gave no row
	Seconds    float64          `json:"seconds"`
}

type rowCounts struct {
	Declared    int64 `json:"declared"` // of the pulls whose source declares a count
	Read        int64 `json:"read"`
	Accepted    int64 `json:"accepted"`
	Duplicate   int64 `json:"duplicate"`
	Quarantined int64 `json:"quarantined"`
	Skipped     int64 `json:"skipped"`
}

func (c *rowCounts) add(l chain.Ledger) {
	if l.Declared != nil {
		c.Declared += *l.Declared
	}
	c.Read += l.Read
	c.Accepted += l.Accepted
	c.Duplicate += l.Duplicate
	c.Quarantined += l.Quarantined
	c.Skipped += l.Skipped
}

type policySummary struct {
	ID       string           `json:"id"`
	AsOf     string           `json:"as_of"`
	Entities int64            `json:"entities"`
	Grades   map[string]int64 `json:"grades"`
	Seal     string           `json:"seal"`
	order    []string         // grades from best to worst
}

type deliveryCounts struct {
	Sent         int64 `json:"sent"`
	Acknowledged int64 `json:"acknowledged"`
	Rejected     int64 `json:"rejected"`
	Open         int64 `json:"open"`
}

// tally adds up outcomes: of one run, or of the days of the demo.
type tally struct {
	rows       rowCounts
	reasons    map[string]int64
	sources    map[string]bool
	datasets   map[string]bool
	scores     map[string]pipelines.Scored // newest result by policy and as_of
	deliveries deliveryCounts
	holds      map[string]holdSummary // by source and dataset, after its newest pull
	quiet      map[string]bool
	began      time.Time
}

func newTally() *tally {
	return &tally{reasons: map[string]int64{}, sources: map[string]bool{}, datasets: map[string]bool{}, scores: map[string]pipelines.Scored{}, holds: map[string]holdSummary{}, quiet: map[string]bool{}, began: time.Now()}
}

func (t *tally) add(o pipelines.Outcome) {
	for _, p := range o.Pulls {
		t.sources[p.Source] = true
		t.datasets[p.Dataset] = true
		t.rows.add(p.Result.Ledger)
		for reason, n := range p.Result.Reasons {
			t.reasons[reason] += n
		}
		t.feed(p)
	}
	for _, s := range o.Scores {
		t.scores[s.Policy.ID+" "+s.Result.Clocks.AsOf.String()] = s
	}
	if o.Pushes != nil {
		t.deliveries = deliveryCounts{} // reports count over all time
		for _, r := range o.Pushes {
			t.deliveries.Sent += r.Sent
			t.deliveries.Acknowledged += r.Acknowledged
			t.deliveries.Rejected += r.Rejected
			t.deliveries.Open += r.Open
		}
	}
}

// text is the summary for a person.
func (s Summary) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d sources, %d datasets, %.1f s\n", s.Sources, s.Datasets, s.Seconds)
	r := s.Rows
	fmt.Fprintf(&b, "rows     read %d = accepted %d + duplicate %d + quarantined %d + skipped %d (natural persons)\n", r.Read, r.Accepted, r.Duplicate, r.Quarantined, r.Skipped)
	if len(s.Quarantine) > 0 {
		fmt.Fprintf(&b, "quarantine\n")
		for _, reason := range slices.Sorted(maps.Keys(s.Quarantine)) {
			fmt.Fprintf(&b, "  %-18s %6d\n", reason, s.Quarantine[reason])
		}
	}
	b.WriteString(warnings(s.Quiet, s.Holds))
	fmt.Fprintf(&b, "grades (trial: the point tables are ours)\n")
	for _, p := range s.Policies {
		fmt.Fprintf(&b, "  %-18s %s  %6d entities ", p.ID, p.AsOf, p.Entities)
		for _, g := range p.order {
			fmt.Fprintf(&b, "  %s %d", g, p.Grades[g])
		}
		fmt.Fprintf(&b, "   seal %.12s\n", p.Seal)
	}
	d := s.Deliveries
	fmt.Fprintf(&b, "results  sent %d, acknowledged %d, rejected %d, open %d\n", d.Sent, d.Acknowledged, d.Rejected, d.Open)
	return b.String()
}

// summary puts the tally into the form that is printed, with the grades of each policy's newest result.
func (t *tally) summary(ctx context.Context, a *app) (Summary, error) {
	s := Summary{Sources: len(t.sources), Datasets: len(t.datasets), Rows: t.rows, Quarantine: t.reasons, Policies: []policySummary{},
		Deliveries: t.deliveries, Holds: t.held(), Quiet: t.silent(), Seconds: time.Since(t.began).Seconds()}
	newest := map[string]pipelines.Scored{}
	for _, scored := range t.scores {
		have, ok := newest[scored.Policy.ID]
		if !ok || scored.Result.Clocks.AsOf > have.Result.Clocks.AsOf {
			newest[scored.Policy.ID] = scored
		}
	}
	for _, id := range slices.Sorted(maps.Keys(newest)) {
		scored := newest[id]
		p := policySummary{ID: id, AsOf: scored.Result.Clocks.AsOf.String(), Entities: scored.Result.Seal.Entities, Seal: scored.Result.Seal.GradeSHA256}
		for _, g := range scored.Policy.Grades {
			p.order = append(p.order, g.Grade)
		}
		var err error
		if p.Grades, err = a.gradeCounts(ctx, scored.Result.Entry); err != nil {
			return s, err
		}
		s.Policies = append(s.Policies, p)
	}
	return s, nil
}

// gradeCounts counts the entities of a scored entry by grade.
func (a *app) gradeCounts(ctx context.Context, e chain.Entry) (counts map[string]int64, err error) {
	db, err := duck.Open(a.duck)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var paths []string
	for _, f := range e.Table("grade") {
		path, err := a.lake.Local(ctx, f)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	if err := db.View(ctx, "graded", paths, []duck.Column{{Name: "grade", Type: "VARCHAR"}}); err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, "select grade, count(*) from graded group by grade")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	counts = map[string]int64{}
	for rows.Next() {
		var grade string
		var n int64
		if err := rows.Scan(&grade, &n); err != nil {
			return nil, err
		}
		counts[grade] = n
	}
	return counts, rows.Err()
}
