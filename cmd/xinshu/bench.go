package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"xinshu/internal/bench"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/lake"
	"xinshu/pipelines/score"
	"xinshu/sql"
)

func benchCommand(t *terminal) *cobra.Command {
	cmd := group(&cobra.Command{Use: "bench", Short: "measured speed beside a yardstick in the same run"})
	var (
		o            bench.Options
		policy, keep string
	)
	scores := t.jsonFlag(&cobra.Command{Use: "score", Short: "a full score against sql/bench/floor.sql over the same files", Args: usage(cobra.NoArgs)})
	scores.Flags().Int64Var(&o.Entities, "entities", 5_000_000, "entities; six records each")
	scores.Flags().IntVar(&o.Threads, "threads", 0, "threads; 0: one for each core")
	scores.Flags().IntVar(&o.MemoryMB, "memory-mb", 0, "DuckDB's limit; 0: what leaves room for the process under 512 MB")
	scores.Flags().StringVar(&policy, "policy", "heilongjiang-2021", "policy id")
	scores.Flags().StringVar(&keep, "keep", "", "folder that keeps the generated records for the next measurement; empty: a temporary one")
	scores.RunE = func(cmd *cobra.Command, _ []string) error {
		cat, _ := loadCatalog(Config{})
		var err error
		if o.Policy, err = findPolicy(cat, policy); err != nil {
			return err
		}
		o.AsOf = date("2021-12-31") // the generated records lie around this day
		o.Tell = func(what string) { t.say("%s", what) }
		s, err := benchScore(cmd.Context(), keep, o)
		if err != nil {
			return err
		}
		if t.json {
			return t.printJSON(s)
		}
		t.printf("%d entities, %d records, %d threads: yardstick %.2f s, score %.2f s, ratio %.2f (processor time %.2f); sealing %.2f s; peak %d MB; one entity %.1f ms\n",
			s.Entities, s.Records, s.Threads, s.FloorS, s.ScoreS, s.Ratio, s.CPURatio, s.SealS, s.PeakMB, s.OneEntityMS)
		return nil
	}
	cmd.AddCommand(scores, benchIngestCommand(t), benchServeCommand(t))
	return cmd
}

// benchScore measures in a folder of its own that is gone afterwards, or in one that keeps the records
// and only loses the results of an earlier measurement.
func benchScore(ctx context.Context, dir string, o bench.Options) (s bench.Score, err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "xinshu-bench-"); err != nil {
			return s, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	for _, earlier := range []string{"log/scored", "data/scored", "seal"} {
		if err := os.RemoveAll(filepath.Join(dir, earlier)); err != nil {
			return s, err
		}
	}
	store, err := lake.OpenFolder(dir)
	if err != nil {
		return s, err
	}
	l, err := lake.New(store, lake.Options{Node: "bench", Engine: chain.Engine{DuckDB: duck.Version(), Xinshu: version}, Now: time.Now})
	if err != nil {
		return s, err
	}
	a := app{lake: l}
	o.Scorer = score.Scorer{Lake: l, Seals: a.seals, SQL: sql.Files, Xinshu: version}
	return bench.RunScore(ctx, o)
}
