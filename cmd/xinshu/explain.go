package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/explain"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
	"xinshu/pipelines/score"
	"xinshu/sql"
)

func explainCommand(t *terminal, o *options) *cobra.Command {
	var policy, asOf string
	cmd := t.jsonFlag(&cobra.Command{Use: "explain USCC", Short: "every point of a grade down to record and clause, and the next change", Args: usage(cobra.ExactArgs(1))})
	cmd.Flags().StringVar(&policy, "policy", "", "policy id")
	cmd.Flags().StringVar(&asOf, "as-of", "", "cut-off of the result, 2006-01-02; none: the newest result")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			p, err := findPolicy(a.catalog, policy)
			if err != nil {
				return err
			}
			verdict := a.catalog.CheckUSCC(args[0])
			if !verdict.Valid {
				return usageError{&fault.Error{Op: "explain", Code: fault.Invalid, Err: fmt.Errorf("%q is no valid code (%s)", verdict.Input, verdict.Reason), Hint: "see xinshu uscc check"}}
			}
			clocks, err := a.clocks(ctx, p, asOf)
			if err != nil {
				return err
			}
			e, err := a.explain(ctx, p, verdict.Normalized, clocks)
			if err != nil {
				return err
			}
			if t.json {
				return t.printJSON(e)
			}
			t.explained(p, e)
			return nil
		})(cmd, args)
	}
	return cmd
}

func (a *app) explain(ctx context.Context, p catalog.Policy, uscc string, clocks grading.Clocks) (e explain.Explanation, err error) {
	x, err := explain.Open(ctx, explain.Options{Lake: a.lake, SQL: sql.Files, Duck: a.duck, Policy: p, Platforms: a.catalog.PlatformDatasets()})
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	if e, err = x.Entity(ctx, uscc, clocks); err != nil {
		return e, err
	}
	e.NextChange, err = x.NextChange(ctx, e)
	return e, err
}

// clocks are those of the newest result of a cut-off date, so that what is explained is what was
// published. A day that no result was made of is explained from what is known now.
func (a *app) clocks(ctx context.Context, p catalog.Policy, asOf string) (grading.Clocks, error) {
	var day catalog.Date
	if asOf == "" {
		newest, err := a.pipeline.Scorer.Newest(ctx, p)
		if err == nil || !fault.Is(err, fault.NotFound) {
			return newest.Clocks, err
		}
		day = catalog.DateOf(a.now())
	} else {
		var err error
		if day, err = catalog.ParseDate(asOf); err != nil {
			return grading.Clocks{}, usageError{fmt.Errorf("--as-of: %w", err)}
		}
	}
	clocks := grading.Clocks{AsOf: day, CorrectedTo: catalog.NoDate}
	seals, err := a.lake.Seals(ctx, p.ID)
	if err != nil {
		return clocks, err
	}
	for _, s := range seals {
		var seal score.Seal
		if err := json.Unmarshal(s.Body, &seal); err != nil {
			return clocks, fault.Newf(fault.Internal, "read seal "+s.SHA256, "%w", err)
		}
		if sealed, err := seal.Clocks(); err == nil && sealed.AsOf == day && later(sealed, clocks) {
			clocks = sealed
		}
	}
	return clocks, nil
}

// later says whether one result of a day corrects the other.
func later(a, b grading.Clocks) bool {
	if a.CorrectedTo != b.CorrectedTo {
		return a.CorrectedTo > b.CorrectedTo
	}
	return a.MarksSeq > b.MarksSeq
}

// explained prints an explanation for a person, in Chinese as the notices are.
func (t *terminal) explained(p catalog.Policy, e explain.Explanation) {
	trial := ""
	if e.Trial {
		trial = "（试评）"
	}
	t.printf("%s  %s\n%s%s\n基准日 %s，更正截止 %s\n\n  等级 %s  %s   得分 %s\n\n", e.USCC, e.Name, p.Title.ZH, trial, e.AsOf, e.CorrectedTo, e.Grade, e.Class, e.Score)
	for _, l := range e.Lines {
		var facts []string
		for _, f := range []string{l.DocNo, l.Dataset} {
			if f != "" {
				facts = append(facts, f)
			}
		}
		if l.DecidedOn != nil {
			facts = append(facts, "决定日期 "+l.DecidedOn.String())
		}
		if l.CountsUntil != nil {
			facts = append(facts, "计入至 "+l.CountsUntil.String()+" 前")
		}
		if l.Clause != "" {
			facts = append(facts, l.Clause)
		}
		if l.Origin == "proposal" {
			facts = append(facts, "分值为建议值")
		}
		t.printf("  %9s  %-6s %s%s\n", l.Points, l.Indicator, l.Title, note(facts))
	}
	t.printf("  %9s  合计\n\n", e.Score)
	switch {
	case e.NextChange != nil:
		t.printf("如无新记录，%s 起等级变为 %s（%s 分）。\n", e.NextChange.On, e.NextChange.Grade, e.NextChange.Score)
	case e.NextReviewOn != nil:
		t.printf("下一次有记录起止的日期为 %s，等级不变。\n", e.NextReviewOn)
	}
	t.printf("%s\n", e.Wording)
}

func note(facts []string) string {
	if len(facts) == 0 {
		return ""
	}
	return "　" + strings.Join(facts, "，")
}
