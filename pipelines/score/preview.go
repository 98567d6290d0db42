package score

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
)

// Preview grades everybody as Run would and commits nothing: the grades go to local Parquet files in a
// folder that the caller removes. It says under which clocks it was done.
func (s *Scorer) Preview(ctx context.Context, p catalog.Policy, c Clocks, dir string) (paths []string, used Clocks, err error) {
	op := "preview " + p.ID
	settled, err := s.Lake.Head(ctx, chain.Settled)
	if err != nil {
		return nil, c, fmt.Errorf("%s: %w", op, err)
	}
	if settled.N == 0 {
		return nil, c, &fault.Error{Op: op, Code: fault.NotFound, Hint: "nothing is settled yet; run settle first"}
	}
	if c, err = s.clocks(ctx, p, c, settled.N); err != nil {
		return nil, c, fmt.Errorf("%s: %w", op, err)
	}
	models, err := grading.Load(s.SQL)
	if err != nil {
		return nil, c, err
	}
	w := work{Scorer: s, policy: p, clocks: c, models: models, settled: settled}
	defer func() { w.joined.forget() }()
	db, err := w.open(ctx)
	if err != nil {
		return nil, c, fmt.Errorf("%s: %w", op, err)
	}
	defer func() { err = closed(err, db) }()
	for part, group := range Groups(settled, s.Duck.MemoryMB) {
		if err := w.groupViews(ctx, db, group); err != nil {
			return nil, c, fmt.Errorf("%s: %w", op, err)
		}
		if err := models.Materialise(ctx, db); err != nil {
			return nil, c, fmt.Errorf("%s: %w", op, err)
		}
		path := filepath.Join(dir, p.ID+"-"+strconv.Itoa(part)+".parquet")
		if _, err := db.Copy(ctx, "select uscc, name, division, industry, score, grade, class from grade", path); err != nil {
			return nil, c, fmt.Errorf("%s: %w", op, err)
		}
		paths = append(paths, path)
	}
	return paths, c, nil
}
