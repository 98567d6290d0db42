package bench

import (
	"context"
	"os"
	"testing"

	"go.yaml.in/yaml/v3"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/lake"
	"xinshu/pipelines/score"
)

func options(t *testing.T) Options {
	t.Helper()
	store, err := lake.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.New(store, lake.Options{Node: "bench", Engine: chain.Engine{DuckDB: duck.Version(), Xinshu: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	tree := os.DirFS("../../catalog")
	families := map[string]catalog.Family{}
	entries, err := os.ReadDir("../../catalog/families")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile("../../catalog/families/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		var f catalog.Family
		if err := yaml.Unmarshal(text, &f); err != nil {
			t.Fatal(err)
		}
		families[f.ID] = f
	}
	policy, faults := catalog.LoadPolicy(tree, "policies/heilongjiang-2021.yaml", families)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	asOf, err := catalog.ParseDate("2021-12-31")
	if err != nil {
		t.Fatal(err)
	}
	return Options{Entities: 70_000, AsOf: asOf, Policy: policy, Tell: func(s string) { t.Log(s) },
		Scorer: score.Scorer{Lake: l, SQL: os.DirFS("../../sql"), Xinshu: "test",
			Seals: func(ctx context.Context, policy string) (map[string][]byte, error) {
				seals, err := l.Seals(ctx, policy)
				bodies := map[string][]byte{}
				for _, s := range seals {
					bodies[s.SHA256] = s.Body
				}
				return bodies, err
			}}}
}

// The figures are not judged here; that they are figures of the work they claim is.
func TestTheBenchScoresWhatItGenerated(t *testing.T) {
	o := options(t)
	s, err := RunScore(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if s.Entities != o.Entities || s.Records != 6*o.Entities || s.Ratio <= 0 || s.OneEntityMS <= 0 || s.Threads < 1 {
		t.Errorf("%+v", s)
	}
	head, err := o.Scorer.Lake.Head(t.Context(), chain.Scored(o.Policy.ID))
	if err != nil {
		t.Fatal(err)
	}
	graded := int64(0)
	for _, f := range head.Table("grade") {
		graded += f.Rows
	}
	if graded != o.Entities {
		t.Errorf("%d of %d entities graded", graded, o.Entities)
	}
	if _, err := os.Stat("/proc/self/status"); err == nil && s.PeakMB == 0 {
		t.Error("no peak memory where the kernel tells it")
	}
}
