package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"xinshu/internal/audit"
	"xinshu/internal/state"
)

// days of keeping, where the config says nothing.
const (
	keepRuns       = 400
	keepDeliveries = 1100
	keepAlerts     = 400
)

// keep turns the config's days into times.
func (c RetentionConfig) keep(now time.Time) state.Keep {
	before := func(days, fallback int) time.Time {
		if days == 0 {
			days = fallback
		}
		if days < 0 {
			return time.Time{}
		}
		return now.AddDate(0, 0, -days)
	}
	return state.Keep{Runs: before(c.Runs, keepRuns), Deliveries: before(c.Deliveries, keepDeliveries), Alerts: before(c.Alerts, keepAlerts)}
}

// tidied is what one pass took away.
type tidied struct {
	state.Forgotten
	Tasks int64 `json:"tasks"`
	Audit int64 `json:"audit"`
}

// upkeep is one pass over everything that is over: run state, tasks, the audit trail by its own rule, the lake.
func (a *app) upkeep(ctx context.Context) (done tidied, err error) {
	k := a.config.Retention.keep(a.now())
	if done.Forgotten, err = a.state.Forget(ctx, k); err != nil {
		return done, err
	}
	if !k.Runs.IsZero() {
		if done.Tasks, err = a.state.ForgetTasks(ctx, k.Runs); err != nil {
			return done, err
		}
	}
	if days := a.config.Retention.Audit; days > 0 {
		if done.Audit, err = audit.New(a.state, a.vault, a.now).Cut(ctx, a.now().AddDate(0, 0, -days)); err != nil {
			return done, err
		}
	}
	a.accounts.Tidy(ctx)
	return done, a.tidy(ctx)
}

// upkeepDaily makes one pass a day, on one of the nodes, after the hour that the config names.
func (a *app) upkeepDaily(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		if err := a.upkeepWhenDue(ctx, log); err != nil && ctx.Err() == nil {
			log.Error("the daily pass failed; it is made again tomorrow", "error", err.Error())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (a *app) upkeepWhenDue(ctx context.Context, log *slog.Logger) error {
	hour := 3
	if at := a.config.Retention.At; at != nil {
		hour = *at
	}
	now := a.now()
	due := time.Date(now.Year(), now.Month(), now.Day(), hour, 0, 0, 0, now.Location()) // the hub's clock shows Shanghai's time
	if now.Before(due) {
		due = due.AddDate(0, 0, -1)
	}
	if mine, err := a.state.Upkeep(ctx, "retention", due); err != nil || !mine {
		return err
	}
	done, err := a.upkeep(ctx)
	log.Info("daily pass", "runs", done.Runs, "tasks", done.Tasks, "statements", done.Statements, "receipts", done.Receipts, "alerts", done.Alerts, "audit", done.Audit)
	return err
}

func tidyCommand(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "tidy", Short: "take away now what is over and older than the config's retention says, as serve does once a day", Args: usage(cobra.NoArgs)})
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		done, err := a.upkeep(ctx)
		if err != nil {
			return err
		}
		if t.json {
			return t.printJSON(done)
		}
		t.printf("taken away: %d runs, %d tasks, %d log entries' notes, %d replaced statements, receipts of %d deliveries, %d alerts, %d entries of the audit trail\n",
			done.Runs, done.Tasks, done.Commits, done.Statements, done.Receipts, done.Alerts, done.Audit)
		return nil
	})
	return cmd
}
