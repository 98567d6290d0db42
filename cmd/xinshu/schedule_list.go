package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"xinshu/connectors"
	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
)

func scheduleListCommand(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "every schedule and when it fires next", Args: usage(cobra.NoArgs)})
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		all, err := a.desk.Book.Schedules(ctx)
		if err != nil {
			return err
		}
		return t.showSchedules(all)
	})
	return cmd
}

func scheduleShowCommand(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "show ID", Short: "one schedule, its next times and its newest tasks", Args: usage(cobra.ExactArgs(1))})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			s, err := a.desk.Book.Schedule(ctx, args[0])
			if err != nil {
				return err
			}
			page, err := a.desk.Book.Tasks(ctx, schedule.Filter{Schedule: s.ID, Most: 10})
			if err != nil {
				return err
			}
			var next []time.Time
			if s.Spec != "" && !s.Paused {
				if next, err = a.desk.Book.Next(s, a.now(), 5); err != nil {
					return err
				}
			}
			if t.json {
				return t.printJSON(struct {
					schedule.Schedule
					Next  []time.Time     `json:"next"`
					Tasks []schedule.Task `json:"tasks"`
				}{s, next, page.Tasks})
			}
			if err := t.showSchedules([]schedule.Schedule{s}); err != nil {
				return err
			}
			for _, at := range next {
				t.printf("  next %s\n", at.Format(time.RFC3339))
			}
			return t.showTasks(page.Tasks)
		})(cmd, args)
	}
	return cmd
}

func (t *terminal) showSchedules(all []schedule.Schedule) error {
	if t.json {
		return t.printJSON(all)
	}
	for _, s := range all {
		when := s.Spec
		if len(s.Fresh) > 0 {
			when = "when fresh: " + strings.Join(s.Fresh, ", ")
		}
		for _, condition := range []string{s.Days, s.Window} {
			if condition != "" {
				when += ", " + condition
			}
		}
		next := "waits for datasets"
		switch {
		case s.Paused:
			next = "paused"
		case !s.NextAt.IsZero():
			next = "next " + s.NextAt.In(connectors.Shanghai).Format(time.RFC3339)
		}
		t.printf("%-24s %-36s %-32s %s\n", s.ID, when, next, doing(s.Work))
	}
	return nil
}

// doing says in a few words what work is.
func doing(w schedule.Work) string {
	words := []string{w.Do}
	if w.Source != "" {
		words = append(words, w.Source)
	}
	for _, list := range [][]string{w.Datasets, w.Policies, w.Targets} {
		if len(list) > 0 {
			words = append(words, strings.Join(list, ","))
		}
	}
	if w.Again != nil {
		words = append(words, w.Again.From+".."+w.Again.Until)
	}
	return strings.Join(words, " ")
}

func schedulePauseCommand(t *terminal, o *options, paused bool) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "pause ID", Short: "fire no more until it is resumed; what passes meanwhile is not made up for", Args: usage(cobra.ExactArgs(1))})
	if !paused {
		cmd.Use, cmd.Short = "resume ID", "fire again, from now on"
	}
	by := byFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			s, err := a.desk.PauseSchedule(as(ctx, *by), args[0], paused)
			if err != nil {
				return err
			}
			return t.showSchedules([]schedule.Schedule{s})
		})(cmd, args)
	}
	return cmd
}

func scheduleRunCommand(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "run ID", Short: "queue a schedule's work now, beside its times; a node that serves takes it", Args: usage(cobra.ExactArgs(1))})
	by := byFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			task, err := a.desk.RunSchedule(as(ctx, *by), args[0])
			if err != nil {
				return err
			}
			return t.queued(ctx, a, task)
		})(cmd, args)
	}
	return cmd
}

func scheduleRemoveCommand(t *terminal, o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "remove ID", Short: "delete a schedule; its tasks stay", Args: usage(cobra.ExactArgs(1))}
	by := byFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			s, err := a.desk.Book.Schedule(ctx, args[0])
			if err != nil {
				return err
			}
			return a.desk.DeleteSchedule(as(ctx, *by), s.ID, s.Version)
		})(cmd, args)
	}
	return cmd
}

// scheduleFile is the form in which schedules are exported and imported.
type scheduleFile struct {
	Schedules []schedule.Schedule `yaml:"schedules"`
}

func scheduleExportCommand(t *terminal, o *options) *cobra.Command {
	return &cobra.Command{Use: "export", Short: "all schedules as YAML", Args: usage(cobra.NoArgs),
		RunE: t.withApp(o, func(ctx context.Context, a *app) error {
			all, err := a.desk.Book.Schedules(ctx)
			if err != nil {
				return err
			}
			text, err := yaml.Marshal(scheduleFile{all})
			if err != nil {
				return err
			}
			t.printf("%s", text)
			return nil
		})}
}

// mostScheduleBytes bounds what an import reads.
const mostScheduleBytes = 16 << 20

func scheduleImportCommand(t *terminal, o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "import FILE", Short: "add or change the schedules of a YAML file (- for standard input); others stay", Args: usage(cobra.ExactArgs(1))}
	by := byFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			text, err := t.wholeFile(args[0])
			if err != nil {
				return err
			}
			var file scheduleFile
			dec := yaml.NewDecoder(bytes.NewReader(text))
			dec.KnownFields(true)
			if err := dec.Decode(&file); err != nil {
				return usageError{&fault.Error{Op: "read " + args[0], Code: fault.Invalid, Err: err, Hint: "it has the form that xinshu schedule export writes"}}
			}
			for i, s := range file.Schedules { // all are checked before any is saved
				if _, err := a.desk.Book.Validate(s, a.now()); err != nil {
					return usageError{fmt.Errorf("schedule %d: %w", i+1, err)}
				}
			}
			for _, s := range file.Schedules {
				before, err := a.desk.Book.Schedule(ctx, s.ID)
				if err != nil && !fault.Is(err, fault.NotFound) {
					return err
				}
				s.Version = before.Version
				if _, err := a.desk.SaveSchedule(as(ctx, *by), s); err != nil {
					return refusedInput(err)
				}
			}
			t.say("%d schedules imported", len(file.Schedules))
			return nil
		})(cmd, args)
	}
	return cmd
}

func (t *terminal) wholeFile(path string) (_ []byte, err error) {
	from := t.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, usageError{&fault.Error{Op: "read " + path, Code: fault.NotFound, Err: err}}
		}
		defer func() { _ = f.Close() }() // it was only read
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, mostScheduleBytes+1))
	if err == nil && len(text) > mostScheduleBytes {
		err = usageError{errors.New("the file is larger than schedules are")}
	}
	return text, err
}
