package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xinshu/connectors"
	"xinshu/internal/desk"
	"xinshu/pipelines/schedule"
)

func taskCommand(t *terminal, o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "task", Short: "pieces of work that the nodes do: list, show, run, cancel, retry"}
	group(cmd)
	cmd.AddCommand(taskListCommand(t, o), taskShowCommand(t, o), taskRunCommand(t, o), taskCancelCommand(t, o), taskRetryCommand(t, o))
	return cmd
}

func taskListCommand(t *terminal, o *options) *cobra.Command {
	var f schedule.Filter
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "tasks, the newest first", Args: usage(cobra.NoArgs)})
	cmd.Flags().StringVar(&f.Schedule, "schedule", "", "of one schedule")
	cmd.Flags().StringVar(&f.Source, "source", "", "of one source")
	cmd.Flags().StringSliceVar(&f.States, "state", nil, strings.Join(schedule.States, ", "))
	cmd.Flags().StringVar(&f.After, "after", "", "cursor: next of the page before")
	cmd.Flags().IntVar(&f.Most, "most", 50, "how many, at most 500")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		page, err := a.desk.Book.Tasks(ctx, f)
		if err != nil {
			return refusedInput(err)
		}
		if t.json {
			return t.printJSON(page)
		}
		return t.showTasks(page.Tasks)
	})
	return cmd
}

func (t *terminal) showTasks(tasks []schedule.Task) error {
	for _, task := range tasks {
		at := task.Queued
		if !task.Tick.IsZero() {
			at = task.Tick
		}
		t.printf("%-44s %s  %-9s %-10s %s  %s\n", task.ID, at.In(connectors.Shanghai).Format("2006-01-02 15:04:05"), task.State, task.Why, doing(task.Work), task.Error)
	}
	return nil
}

func taskShowCommand(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "show ID", Short: "one task, its steps and its log", Args: usage(cobra.ExactArgs(1))})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			task, err := a.desk.Book.Task(ctx, args[0])
			if err != nil {
				return err
			}
			steps, err := a.desk.Book.Steps(ctx, task.ID)
			if err != nil {
				return err
			}
			events, err := a.desk.Book.Events(ctx, task.ID, 0, 10_000)
			if err != nil {
				return err
			}
			if t.json {
				return t.printJSON(struct {
					schedule.Task
					Steps  []schedule.Step  `json:"steps"`
					Events []schedule.Event `json:"events"`
				}{task, steps, events})
			}
			if err := t.showTasks([]schedule.Task{task}); err != nil {
				return err
			}
			for _, s := range steps {
				t.printf("  %-44s %-8s %s%s\n", s.Key, s.State, s.Note, s.Error)
			}
			for _, e := range events {
				t.printf("  %s  %-10s %-9s %s %s %s\n", e.At.In(connectors.Shanghai).Format(time.DateTime), e.Node, e.Status, e.Step, e.Subject, e.Note)
			}
			return nil
		})(cmd, args)
	}
	return cmd
}

func taskRunCommand(t *terminal, o *options) *cobra.Command {
	var w schedule.Work
	var again schedule.Again
	cmd := t.jsonFlag(&cobra.Command{Use: "run", Short: "queue a piece of work; a node that serves takes it", Args: usage(cobra.NoArgs),
		Example: "  xinshu task run --do pull --source court --dataset court.debtor --from 2025-01-01 --until 2025-02-01"})
	workFlags(cmd, &w)
	cmd.Flags().StringVar(&again.From, "from", "", "read a stretch again: its first value, as the source writes its times or numbers; the cursor stays where it is")
	cmd.Flags().StringVar(&again.Until, "until", "", "the value at which the stretch ends, itself left out")
	cmd.Flags().StringVar(&again.Slice, "slice", "", "how much of the stretch goes into one commit: 24h, or so many numbers")
	by := byFlag(cmd)
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		if again != (schedule.Again{}) {
			w.Again = &again
		}
		if w.Do == "" {
			return usageError{errors.New("say with --do what it does: " + strings.Join(schedule.Doings, ", "))}
		}
		task, err := a.desk.Start(as(ctx, *by), w)
		if err != nil {
			return refusedInput(err)
		}
		return t.queued(ctx, a, task)
	})
	return cmd
}

// queued says what was queued, and warns where no node is there to take it.
func (t *terminal) queued(ctx context.Context, a *app, task schedule.Task) error {
	nodes, err := a.desk.Book.Nodes(ctx, a.now().Add(-time.Minute))
	if err != nil {
		return err
	}
	if len(nodes) == 0 {
		t.say("no node serves now; the task waits for one: xinshu serve")
	}
	if t.json {
		return t.printJSON(task)
	}
	return t.showTasks([]schedule.Task{task})
}

func taskCancelCommand(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "cancel ID", Short: "stop a task; what its steps committed stays", Args: usage(cobra.ExactArgs(1))})
	return t.onTask(o, cmd, (*desk.Desk).CancelTask)
}

func taskRetryCommand(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "retry ID", Short: "queue a failed, cancelled or skipped task again; steps that are done stay done", Args: usage(cobra.ExactArgs(1))})
	return t.onTask(o, cmd, (*desk.Desk).RetryTask)
}

func (t *terminal) onTask(o *options, cmd *cobra.Command, do func(d *desk.Desk, ctx context.Context, id string) (schedule.Task, error)) *cobra.Command {
	by := byFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			task, err := do(a.desk, as(ctx, *by), args[0])
			if err != nil {
				return err
			}
			if t.json {
				return t.printJSON(task)
			}
			return t.showTasks([]schedule.Task{task})
		})(cmd, args)
	}
	return cmd
}
