package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/cases"
	"xinshu/internal/desk"
)

func caseShow(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "show CASE", Short: "a case with its record, marks, history and clock", Args: usage(cobra.ExactArgs(1))})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withDesk(o, nil, func(ctx context.Context, d *desk.Desk) error {
			v, err := d.Case(ctx, args[0])
			return t.showCase(v, err)
		})(cmd, args)
	}
	return cmd
}

func caseList(t *terminal, o *options) *cobra.Command {
	var (
		f                 cases.Filter
		kind, state       string
		orphan, all, late bool
	)
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "cases with their last days, the most urgent first; with --orphan the marks that wait for their record", Args: usage(cobra.NoArgs)})
	cmd.Flags().BoolVar(&orphan, "orphan", false, "marks that wait for their record, a source's and a case's")
	cmd.Flags().BoolVar(&all, "all", false, "decided ones too")
	cmd.Flags().BoolVar(&late, "late", false, "only those whose last day has passed")
	cmd.Flags().StringVar(&kind, "kind", "", "objection, repair or completion")
	cmd.Flags().StringVar(&state, "state", "", "one state")
	cmd.Flags().StringVar(&f.USCC, "uscc", "", "one entity")
	cmd.RunE = t.withDesk(o, nil, func(ctx context.Context, d *desk.Desk) error {
		if orphan {
			return t.listOrphans(ctx, d)
		}
		f.Kind, f.State, f.Undecided, f.Most = cases.Kind(kind), cases.State(state), !all && state == "", 10_000
		lines, err := d.Cases(ctx, f)
		if err != nil {
			return err
		}
		if f.Undecided {
			desk.ByUrgency(lines)
		}
		shown := []desk.CaseLine{}
		for _, l := range lines {
			if !late || l.Clock.Late {
				shown = append(shown, l)
			}
		}
		if t.json {
			return t.printJSON(shown)
		}
		for _, l := range shown {
			t.printf("%s\n", caseLine(l))
		}
		t.say("%d cases", len(shown))
		return nil
	})
	return cmd
}

func (t *terminal) listOrphans(ctx context.Context, d *desk.Desk) error {
	marks, err := d.Orphans(ctx)
	if err != nil {
		return err
	}
	if t.json {
		return t.printJSON(marks)
	}
	for _, m := range marks {
		t.printf("%s  %-18s  %s  %s %s %s  %s\n", m.EffectiveOn, m.Kind, m.USCC, m.Dataset, m.DocNo, m.Key, m.DecidedBy)
	}
	t.say("%d marks wait for their record", len(marks))
	return nil
}

// caseLine says a case in a line.
func caseLine(l desk.CaseLine) string {
	clock := l.Clock.Unknown
	switch {
	case l.Clock.Due == catalog.NoDate:
	case l.State.Decided():
		clock = "due " + l.Clock.Due.String()
	case l.Clock.Paused:
		clock = fmt.Sprintf("due %s, the clock stands", l.Clock.Due)
	case l.Clock.Late:
		clock = fmt.Sprintf("due %s, LATE by %d working days", l.Clock.Due, -l.Clock.Left)
	default:
		clock = fmt.Sprintf("due %s, %d working days left", l.Clock.Due, l.Clock.Left)
	}
	return fmt.Sprintf("%s  %-10s %-9s %s %s  %s %s  %s", l.No, l.Kind, l.State, l.USCC, l.Name, l.Target.Dataset, l.Target.DocNo, clock)
}

// showCase prints a case as it stands after a step.
func (t *terminal) showCase(v desk.CaseView, err error) error {
	if err != nil {
		return err
	}
	if t.json {
		return t.printJSON(v)
	}
	t.printf("%s\n", caseLine(v.CaseLine))
	if v.Record != nil {
		t.printf("  record %s  %s/%s  %s\n", v.Record.ID, v.Record.Kind, v.Record.Level, v.Record.Status)
	}
	for _, e := range v.Events {
		t.printf("  %s  %-9s %s  %s\n", e.At.In(shanghai).Format("2006-01-02 15:04"), e.What, e.By, e.Note)
	}
	for _, r := range v.Results {
		if r.Done {
			t.printf("  %s as of %s follows it, corrected to %s\n", r.Policy, r.AsOf, r.CorrectedTo)
		} else {
			t.printf("  to correct: %s\n", r.Command())
		}
	}
	if len(v.Waits) > 0 {
		t.printf("  waits for answers of %s\n", strings.Join(v.Waits, ", "))
	}
	return nil
}
