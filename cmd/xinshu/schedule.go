package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xinshu/connectors"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
)

func scheduleCommand(t *terminal, o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "schedule", Short: "when work is done by itself: list, add, change, pause, run now, next times"}
	group(cmd)
	cmd.AddCommand(scheduleNextCommand(t, o), scheduleListCommand(t, o), scheduleShowCommand(t, o), scheduleAddCommand(t, o, true), scheduleAddCommand(t, o, false),
		schedulePauseCommand(t, o, true), schedulePauseCommand(t, o, false), scheduleRunCommand(t, o), scheduleRemoveCommand(t, o),
		scheduleExportCommand(t, o), scheduleImportCommand(t, o))
	return cmd
}

// scheduleNextCommand needs no hub: it asks the expression and the catalogue's calendars.
func scheduleNextCommand(t *terminal, o *options) *cobra.Command {
	var from string
	var count int
	s := schedule.Schedule{}
	cmd := t.jsonFlag(&cobra.Command{Use: "next SPEC", Short: "when an expression of five fields would fire: minute hour day month weekday", Args: usage(cobra.RangeArgs(1, 5)),
		Example: "  xinshu schedule next '30 2 * * *' --days working --count 5\n  xinshu schedule next '0 * * * *' --window 22:00-06:00 --from 2026-11-22T08:00:00+08:00"})
	cmd.Flags().StringVar(&from, "from", "", "2026-11-22T08:00:00+08:00, or without a zone in that of --zone (default now)")
	cmd.Flags().IntVar(&count, "count", 5, "how many times, at most 1000")
	conditionFlags(cmd, &s)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		c, err := o.load()
		if err != nil {
			return err
		}
		if count < 1 || count > 1000 {
			return usageError{fmt.Errorf("--count: %d is not between 1 and 1000", count)}
		}
		cat, _ := loadCatalog(c)
		s.Spec = strings.Join(args, " ")
		at, err := instant(from, s.Zone)
		if err != nil {
			return err
		}
		p := schedule.Planner{Calendar: cat.Calendars}
		times, err := p.Next(s, at, count)
		if err != nil {
			return usageError{err}
		}
		for _, year := range p.AssumedYears(s, times) {
			t.say("there is no calendar of %d yet: Monday to Friday are taken for its working days", year)
		}
		if t.json {
			return t.printJSON(times)
		}
		for _, one := range times {
			t.printf("%s\n", one.Format(time.RFC3339))
		}
		return nil
	}
	return cmd
}

// instant reads a time of the command line; empty: now.
func instant(text, zone string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	loc := connectors.Shanghai
	if zone != "" {
		var err error
		if loc, err = time.LoadLocation(zone); err != nil {
			return time.Time{}, usageError{fmt.Errorf("--zone: %q is no time zone; for example Asia/Shanghai", zone)}
		}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, text, loc); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usageError{fmt.Errorf("--from: %q is no time such as 2026-11-22T08:00:00+08:00", text)}
}

func conditionFlags(cmd *cobra.Command, s *schedule.Schedule) {
	cmd.Flags().StringVar(&s.Zone, "zone", s.Zone, "time zone in which the expression and the window are read (default Asia/Shanghai)")
	cmd.Flags().StringVar(&s.Days, "days", s.Days, "working or rest: only on these days, by the State Council's notices; none: every day")
	cmd.Flags().StringVar(&s.Window, "window", s.Window, "22:00-06:00: a time outside waits for its beginning")
}

// scheduleAddCommand adds a schedule, or changes what the flags name of one.
func scheduleAddCommand(t *terminal, o *options, adds bool) *cobra.Command {
	given := schedule.Schedule{}
	cmd := t.jsonFlag(&cobra.Command{Use: "add ID", Short: "add a schedule", Args: usage(cobra.ExactArgs(1)),
		Example: "  xinshu schedule add court-nightly --spec '30 2 * * *' --window 22:00-06:00 --do pull --source court\n" +
			"  xinshu schedule add grades --fresh amr.reg,amr.severe --do grade"})
	if !adds {
		cmd.Use, cmd.Short, cmd.Example = "change ID", "change a schedule: what the flags name, and nothing else", ""
	}
	f := cmd.Flags()
	f.StringVar(&given.Title, "title", "", "in words")
	f.StringVar(&given.Spec, "spec", "", "cron expression of five fields: minute hour day month weekday")
	f.StringSliceVar(&given.Fresh, "fresh", nil, "dataset ids: instead of at a time it fires when all of them were refreshed since it last fired")
	conditionFlags(cmd, &given)
	f.StringVar(&given.CatchUp, "catch-up", "", "what becomes of times that passed during an outage: skip, once or all (default once)")
	f.IntVar(&given.Cap, "cap", 0, "most times that are made up for, and most tasks that wait (default 10)")
	f.StringVar(&given.Overlap, "overlap", "", "what becomes of a time while the task before is not done: skip or queue (default skip)")
	f.IntVar(&given.Attempts, "attempts", 0, "how often a task is tried while something is out of reach (default 5)")
	f.BoolVar(&given.Paused, "paused", false, "keep it without firing")
	workFlags(cmd, &given.Work)
	by := byFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			s := given
			if !adds {
				var err error
				if s, err = a.desk.Book.Schedule(ctx, args[0]); err != nil {
					return err
				}
				overlay(cmd, &s, given)
			}
			s.ID = args[0]
			if s.Work.Do == "" {
				return usageError{errors.New("say with --do what it does: " + strings.Join(schedule.Doings, ", "))}
			}
			s, err := a.desk.SaveSchedule(as(ctx, *by), s)
			if err != nil {
				return refusedInput(err)
			}
			return t.showSchedules([]schedule.Schedule{s})
		})(cmd, args)
	}
	return cmd
}

// refusedInput turns what a check refused into a usage error.
func refusedInput(err error) error {
	if fault.Is(err, fault.Invalid) {
		return usageError{err}
	}
	return err
}

// overlay puts over a schedule what the command line named.
func overlay(cmd *cobra.Command, s *schedule.Schedule, given schedule.Schedule) {
	for name, put := range map[string]func(){
		"title": func() { s.Title = given.Title }, "spec": func() { s.Spec, s.Fresh = given.Spec, nil }, "fresh": func() { s.Fresh, s.Spec = given.Fresh, "" },
		"zone": func() { s.Zone = given.Zone }, "days": func() { s.Days = given.Days }, "window": func() { s.Window = given.Window },
		"catch-up": func() { s.CatchUp = given.CatchUp }, "cap": func() { s.Cap = given.Cap }, "overlap": func() { s.Overlap = given.Overlap },
		"attempts": func() { s.Attempts = given.Attempts }, "paused": func() { s.Paused = given.Paused },
		"do": func() { s.Work.Do = given.Work.Do }, "source": func() { s.Work.Source = given.Work.Source }, "dataset": func() { s.Work.Datasets = given.Work.Datasets },
		"policy": func() { s.Work.Policies = given.Work.Policies }, "target": func() { s.Work.Targets = given.Work.Targets },
		"as-of": func() { s.Work.AsOf = given.Work.AsOf }, "corrected-to": func() { s.Work.CorrectedTo = given.Work.CorrectedTo },
		"no-push": func() { s.Work.NoPush = given.Work.NoPush }, "reload": func() { s.Work.Reload = given.Work.Reload },
	} {
		if cmd.Flags().Changed(name) {
			put()
		}
	}
}

func workFlags(cmd *cobra.Command, w *schedule.Work) {
	f := cmd.Flags()
	f.StringVar(&w.Do, "do", "", strings.Join(schedule.Doings, ", ")+"; grade is settle to push, run the whole job")
	f.StringVar(&w.Source, "source", "", "one source; none: all")
	f.StringSliceVar(&w.Datasets, "dataset", nil, "dataset ids; none: all")
	f.StringSliceVar(&w.Policies, "policy", nil, "policy ids; none: those in use")
	f.StringSliceVar(&w.Targets, "target", nil, "target ids; none: all")
	f.StringVar(&w.AsOf, "as-of", "", "cut-off, 2006-01-02; none: the day of the tick, or the last cut-off of a yearly policy")
	f.StringVar(&w.CorrectedTo, "corrected-to", "", "day up to which repairs and withdrawals count; none: the cut-off")
	f.BoolVar(&w.NoPush, "no-push", false, "leave the results in the outbox")
	f.BoolVar(&w.Reload, "reload", false, "pull from the beginning")
}

func byFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("by", login(), "who asks for it")
}

// as gives a context in which somebody at the command line asks.
func as(ctx context.Context, by string) context.Context { return auth.With(ctx, auth.Shell(by)) }
