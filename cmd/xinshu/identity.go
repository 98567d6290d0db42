package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/fault"
	"xinshu/internal/identity"
	"xinshu/pipelines/settle"
	"xinshu/sql"
)

func identityCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "identity", Short: "who is who: merge and split codes, numbers from before 2015"})
	cmd.AddCommand(mergeCommand(t, o), splitCommand(t, o), undoCommand(t, o), identityListCommand(t, o))
	return cmd
}

// judgeFlags are what every judgement needs.
func judgeFlags(cmd *cobra.Command, j *settle.Judgement) {
	cmd.Flags().StringVar(&j.By, "by", "", "who decided")
	cmd.Flags().StringVar(&j.Reason, "reason", "", "why")
	cmd.Flags().StringVar(&j.Evidence, "evidence", "", "what it rests on: a document number or a reference")
}

func mergeCommand(t *terminal, o *options) *cobra.Command {
	j := settle.Judgement{Kind: settle.Merge}
	cmd := &cobra.Command{Use: "merge CODE_FROM CODE_INTO", Short: "count every record of one code for another; the first is no longer graded", Args: usage(cobra.ExactArgs(2)),
		Long: "Count every record of CODE_FROM for CODE_INTO. CODE_FROM is no longer graded and its published grade is retracted.\n" +
			"CODE_FROM may be a registration number or organisation code from before 2015: this is how a number is settled that several entities claim.\n" +
			"No record is changed; xinshu identity undo brings everything back."}
	judgeFlags(cmd, &j)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return t.judge(cmd, o, j, args[0], args[1]) }
	return cmd
}

func splitCommand(t *terminal, o *options) *cobra.Command {
	j := settle.Judgement{Kind: settle.Split}
	cmd := &cobra.Command{Use: "split CODE_FROM CODE_INTO", Short: "count some records of one code for another", Args: usage(cobra.ExactArgs(2)),
		Long: "Count the named records of CODE_FROM, or all its records of the named datasets, for CODE_INTO.\n" +
			"The ids of records are in xinshu explain --json. Registrations stay where they are."}
	judgeFlags(cmd, &j)
	cmd.Flags().StringSliceVar(&j.Records, "record", nil, "record ids")
	cmd.Flags().StringSliceVar(&j.Datasets, "dataset", nil, "dataset ids: all records of the code from these, those to come included")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return t.judge(cmd, o, j, args[0], args[1]) }
	return cmd
}

func undoCommand(t *terminal, o *options) *cobra.Command {
	j := settle.Judgement{Kind: settle.Undo}
	cmd := &cobra.Command{Use: "undo JUDGEMENT", Short: "take a merge or split back; records and grades are again as without it", Args: usage(cobra.ExactArgs(1))}
	judgeFlags(cmd, &j)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		j.Undoes = args[0]
		return t.judge(cmd, o, j, "", "")
	}
	return cmd
}

// judge puts the judgement into the lake and says what follows.
func (t *terminal) judge(cmd *cobra.Command, o *options, j settle.Judgement, from, into string) error {
	return t.withApp(o, func(ctx context.Context, a *app) error {
		var err error
		if j.Kind != settle.Undo {
			if j.From, err = codeOrNumber(a.catalog, from); err != nil {
				return err
			}
			if j.Into, err = codeOrNumber(a.catalog, into); err != nil {
				return err
			}
		}
		r, err := a.pipeline.Judge(ctx, j)
		if err != nil {
			return err
		}
		if !r.Committed {
			t.printf("stands already: %s\n", r.ID)
			return nil
		}
		t.printf("%s: in force for results corrected to %s or later\n", r.ID, r.EffectiveOn)
		t.say("score and publish again for it to reach grades; a yearly result follows with --corrected-to")
		return nil
	})(cmd, nil)
}

// codeOrNumber accepts a code, and a number from before 2015 under which records can lie.
func codeOrNumber(c *catalog.Catalog, raw string) (string, error) {
	v := c.CheckUSCC(raw)
	if v.Valid || v.Reason == catalog.IDLegacyReg || v.Reason == catalog.IDLegacyOrg {
		return v.Normalized, nil
	}
	return "", usageError{&fault.Error{Op: "identity", Code: fault.Invalid, Err: fmt.Errorf("%q is no valid code (%s)", v.Input, v.Reason), Hint: "see xinshu uscc check"}}
}

func identityListCommand(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "judgements with their state, and numbers whose records wait for their entity", Args: usage(cobra.NoArgs)})
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		l := &identity.Lister{Lake: a.lake, SQL: sql.Files, Duck: a.duck}
		listing, err := l.List(ctx, catalog.DateOf(a.now()))
		if err != nil {
			return err
		}
		if t.json {
			return t.printJSON(listing)
		}
		t.listIdentity(listing)
		return nil
	})
	return cmd
}

func (t *terminal) listIdentity(l identity.Listing) {
	for _, j := range l.Judgements {
		what := strings.TrimSpace(j.From + " → " + j.Into + " " + strings.Join(append(j.Datasets, j.Records...), " "))
		if j.Kind == settle.Undo {
			what = j.Undoes
		}
		state := map[string]string{"stands": "有效", "undone": "已撤销（" + j.UndoneBy + "）"}[j.State]
		t.printf("%-6s %s  %-5s %s  %s  %s：%s%s\n", j.ID, j.EffectiveOn, j.Kind, what, state, j.By, j.Reason, note(nonEmpty(j.Evidence)))
	}
	for _, n := range l.Numbers {
		state := "待登记数据对应"
		if n.State == identity.Ambiguous {
			state = "多个主体：" + strings.Join(n.Claims, " ")
		}
		t.printf("%-18s %s  %d 条记录，%d 条标注\n", n.Number, state, n.Records, n.Marks)
		for _, h := range n.Held {
			t.printf("    %-26s %d 条，最早收到 %s\n", h.Dataset, h.Records, h.Since)
		}
	}
	t.say("%d judgements, %d numbers of nobody, %d numbers joined to an entity", len(l.Judgements), len(l.Numbers), l.Joined)
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
