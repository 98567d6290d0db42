package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/fault"
	"xinshu/pipelines/settle"
)

// overrides reads what stewards stated about codes and makes the catalogue keep it today.
func (a *app) overrides(ctx context.Context) ([]settle.Override, error) {
	all, err := a.pipeline.Settler.Overrides(ctx)
	if err != nil {
		return nil, err
	}
	today := catalog.DateOf(a.now())
	var codes []string
	for _, o := range all {
		if o.InForce(today) {
			codes = append(codes, o.Code)
		}
	}
	a.catalog.Record(codes...)
	return all, nil
}

// Overridden is one override as it is listed; scripts rely on its form.
type Overridden struct {
	settle.Override
	Until   *catalog.Date `json:"until"` // null: open
	InForce bool          `json:"in_force"`
	Where   string        `json:"where"` // hub: stated by command; catalogue: in its file of overrides
}

func overrideCommand(t *terminal, o *options) *cobra.Command {
	var by, reason, until string
	cmd := t.jsonFlag(&cobra.Command{Use: "override CODE --by NAME --reason TEXT", Args: usage(cobra.ExactArgs(1)),
		Short: "record that a code is valid though its check character is wrong: pilot codes that circulate",
		Long: "States in the lake that a well-formed code with a wrong check character is valid, from today on. Rows of that code are accepted then,\n" +
			"with the warning USCC_OVERRIDE; rows that were refused for it before are staged by quarantine retry. Said again, it replaces what was\n" +
			"said; who, when and why stay on record."})
	cmd.Flags().StringVar(&by, "by", "", "who decided")
	cmd.Flags().StringVar(&reason, "reason", "", "on what evidence: where the code stands on an official register")
	cmd.Flags().StringVar(&until, "until", "", "last day on which it is valid, 2006-01-02; none: open")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			today := catalog.DateOf(a.now())
			stated := settle.Override{From: today, Until: catalog.NoDate, DecidedBy: by, Reason: reason}
			if by == "" || strings.TrimSpace(reason) == "" {
				return usageError{errors.New("name who decided with --by and on what evidence with --reason")}
			}
			if until != "" {
				var err error
				if stated.Until, err = catalog.ParseDate(until); err != nil {
					return usageError{fmt.Errorf("--until: %w", err)}
				}
				if stated.Until < today {
					return usageError{fmt.Errorf("--until: %s is past", until)}
				}
			}
			v := catalog.CheckUSCC(args[0])
			if v.Reason != catalog.USCCCheck {
				return usageError{&fault.Error{Op: "override " + v.Input, Code: fault.Invalid, Err: errors.New("it needs no override or can have none"),
					Hint: "only a well-formed code of 18 characters with a wrong check character takes one; see xinshu uscc check"}}
			}
			stated.Code = v.Normalized
			all, err := a.overrides(ctx)
			if err != nil {
				return err
			}
			for _, have := range all { // what was said before, of the same content, keeps its day
				if have.Code == stated.Code && have.InForce(today) && have.Until == stated.Until && have.DecidedBy == by && have.Reason == reason {
					stated.From = have.From
				}
			}
			return t.state(ctx, a, stated)
		})(cmd, args)
	}
	cmd.AddCommand(overridesCommand(t, o), withdrawCommand(t, o))
	return cmd
}

// state puts an override into the lake and says what stands now.
func (t *terminal) state(ctx context.Context, a *app, o settle.Override) error {
	if _, err := a.pipeline.Override(ctx, o); err != nil {
		return err
	}
	all, err := a.overrides(ctx)
	if err != nil {
		return err
	}
	for _, now := range all {
		if now.Code == o.Code {
			return t.showOverrides([]Overridden{overridden(a, now)}, false)
		}
	}
	return fault.Newf(fault.Internal, "override "+o.Code, "the statement is not in the lake")
}

func overridesCommand(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "codes that stewards recorded as valid: who, when, why, until when", Args: usage(cobra.NoArgs)})
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		all, err := a.overrides(ctx)
		if err != nil {
			return err
		}
		list := []Overridden{}
		for _, one := range all {
			list = append(list, overridden(a, one))
		}
		for _, r := range a.catalog.Overrides {
			list = append(list, Overridden{Override: settle.Override{Code: r.Code, From: *r.DecidedOn, DecidedBy: r.DecidedBy, Reason: r.Evidence}, InForce: true, Where: "catalogue"})
		}
		slices.SortFunc(list, func(a, b Overridden) int { return strings.Compare(a.Code, b.Code) })
		return t.showOverrides(list, true)
	})
	return cmd
}

func withdrawCommand(t *terminal, o *options) *cobra.Command {
	var by, reason string
	cmd := t.jsonFlag(&cobra.Command{Use: "withdraw CODE --by NAME", Args: usage(cobra.ExactArgs(1)),
		Short: "take an override back: from today the code is refused again; rows accepted meanwhile stay"})
	cmd.Flags().StringVar(&by, "by", "", "who decided")
	cmd.Flags().StringVar(&reason, "reason", "withdrawn", "why")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			if by == "" {
				return usageError{errors.New("name who decided with --by")}
			}
			code, today := catalog.CheckUSCC(args[0]).Normalized, catalog.DateOf(a.now())
			all, err := a.overrides(ctx)
			if err != nil {
				return err
			}
			for _, have := range all {
				if have.Code != code {
					continue
				}
				if !have.InForce(today) {
					return t.showOverrides([]Overridden{overridden(a, have)}, false) // it ended before: nothing to take back
				}
				have.Until, have.DecidedBy, have.Reason = today.AddDays(-1), by, reason
				return t.state(ctx, a, have)
			}
			hint := "see xinshu uscc override list"
			if slices.ContainsFunc(a.catalog.Overrides, func(r catalog.RecordedCode) bool { return r.Code == code }) {
				hint = "it stands in the catalogue's file rules/uscc-overrides.yaml; take it out there"
			}
			return usageError{&fault.Error{Op: "withdraw the override of " + code, Code: fault.NotFound, Err: errors.New("the hub has none"), Hint: hint}}
		})(cmd, args)
	}
	return cmd
}

func overridden(a *app, o settle.Override) Overridden {
	shown := Overridden{Override: o, InForce: o.InForce(catalog.DateOf(a.now())), Where: "hub"}
	if o.Until != catalog.NoDate {
		shown.Until = &o.Until
	}
	return shown
}

func (t *terminal) showOverrides(list []Overridden, many bool) error {
	if t.json && many {
		return t.printJSON(list)
	}
	if t.json {
		return t.printJSON(list[0])
	}
	for _, o := range list {
		until, force := "open", "in force"
		if o.Until != nil {
			until = o.Until.String()
		}
		if !o.InForce {
			force = "ended"
		}
		t.printf("%s  %s  %s..%s  %s: %s  (%s)\n", o.Code, force, o.From, until, o.DecidedBy, o.Reason, o.Where)
	}
	return nil
}
