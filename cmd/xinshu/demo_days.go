package main

import (
	"maps"
	"slices"
	"strings"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/simulate"
	"xinshu/pipelines/score"
)

// due is a score of one of the province's days.
type due struct {
	policy, asOf string // as_of empty: today
	corrected    bool   // corrected_to is today
}

func (u due) clocks(today string) score.Clocks {
	c := score.Clocks{AsOf: date(today), CorrectedTo: catalog.NoDate}
	if u.asOf != "" {
		c.AsOf = date(u.asOf)
	}
	if u.corrected {
		c.CorrectedTo = date(today)
	}
	return c
}

func date(s string) catalog.Date {
	d, err := catalog.ParseDate(s)
	if err != nil {
		panic("demo calendar: " + err.Error()) // a typing error below, found by the first test
	}
	return d
}

// calendar says what the hub makes on each of the province's days, beside the dynamic policies.
var calendar = [...]struct {
	what   string
	scores []due
}{
	{"first load of the stock", dynamic},
	{"after the cut-off of 31 October", append([]due{{policy: "henan-2020", asOf: "2025-10-31"}}, dynamic...)},
	{"before the cut-off of 31 December", dynamic},
	{"January: late records, repairs, withdrawals", append([]due{{policy: "heilongjiang-2021", asOf: "2025-12-31"}}, dynamic...)},
	{"repairs and upheld objections: the yearly results are corrected", append([]due{
		{policy: "henan-2020", asOf: "2025-10-31", corrected: true}, {policy: "heilongjiang-2021", asOf: "2025-12-31", corrected: true}}, dynamic...)},
}

var dynamic = []due{{policy: "jiangyin-2020"}, {policy: "lingyuan-2021"}}

func sourcesOf(w *simulate.World) []SourceConfig {
	var sources []SourceConfig
	for _, s := range w.Sources() {
		c := SourceConfig{Name: s.Name, Kind: s.Kind, Values: s.Values, Datasets: map[string]connectors.Values{}}
		for id, values := range s.Datasets {
			c.Datasets[id] = values
		}
		sources = append(sources, c)
	}
	slices.SortFunc(sources, func(a, b SourceConfig) int { return strings.Compare(a.Name, b.Name) })
	return sources
}

func targetsOf(w *simulate.World) []TargetConfig {
	var targets []TargetConfig
	for _, t := range w.Targets() {
		targets = append(targets, TargetConfig{ID: t.ID, Kind: t.Kind, Values: maps.Clone(t.Values), Policies: t.Policies, Regions: t.Regions, Industries: t.Industries, Fields: t.Fields, Public: t.Public})
	}
	return targets
}
