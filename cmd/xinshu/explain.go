package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/desk"
	"xinshu/internal/explain"
	"xinshu/internal/fault"
)

func explainCommand(t *terminal, o *options) *cobra.Command {
	var policy, asOf, purpose string
	cmd := t.jsonFlag(&cobra.Command{Use: "explain USCC", Short: "every point of a grade down to record and clause, and the next change", Args: usage(cobra.ExactArgs(1))})
	cmd.Flags().StringVar(&policy, "policy", "", "policy id")
	cmd.Flags().StringVar(&asOf, "as-of", "", "cut-off of the result, 2006-01-02; none: the newest result")
	cmd.Flags().StringVar(&purpose, "purpose", "audit", "what the entity is looked at for; it is kept in the audit trail")
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
			day := catalog.NoDate
			if asOf != "" {
				if day, err = catalog.ParseDate(asOf); err != nil {
					return usageError{fmt.Errorf("--as-of: %w", err)}
				}
			}
			told, err := a.desk.Explain(ctx, desk.Asked{USCC: verdict.Normalized, Policy: p.ID, AsOf: day, Purpose: purpose})
			if err != nil {
				return err
			}
			e := told.Explanation
			if t.json {
				return t.printJSON(e)
			}
			t.explained(p, e)
			return nil
		})(cmd, args)
	}
	return cmd
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
