package main

import (
	"context"
	"errors"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"xinshu/connectors"
	"xinshu/internal/auth"
	"xinshu/pipelines"
	"xinshu/pipelines/push"
)

// hubClock is the time in Shanghai, so that today is the same day on a host set to any zone.
func hubClock() time.Time { return time.Now().In(connectors.Shanghai) }

// withApp opens the hub for one command, with progress on standard error.
func (t *terminal) withApp(o *options, do func(ctx context.Context, a *app) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) (err error) {
		c, err := o.load()
		if err != nil {
			return err
		}
		a, err := t.open(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		a.pipeline.Watch = newProgress(t.err).event
		return do(auth.With(cmd.Context(), auth.Shell(login())), a)
	}
}

// open opens the hub and says what of its catalogue is broken.
func (t *terminal) open(ctx context.Context, c Config) (*app, error) {
	a, err := openApp(ctx, c, hubClock)
	if err != nil {
		return nil, err
	}
	for _, f := range a.catalog.Faults {
		t.say("%s", f)
	}
	return a, nil
}

// login is who sits at the shell, as the machine calls them.
func login() string {
	u, err := user.Current()
	if err != nil {
		return "shell"
	}
	return u.Username
}

func runCommand(t *terminal, o *options) *cobra.Command {
	f := &stepFlags{}
	cmd := &cobra.Command{Use: "run", Short: "pull, stage, settle, score, publish and push once, in this order", Args: usage(cobra.NoArgs)}
	f.pullFlags(cmd)
	f.scoreFlags(cmd)
	f.strictFlag(cmd)
	cmd.Flags().BoolVar(&f.noPush, "no-push", false, "leave the results in the outbox")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		c, err := f.choice(a)
		if err != nil {
			return err
		}
		if _, err := a.state.Interrupt(ctx); err != nil { // a whole run is alone with its state
			return err
		}
		out, err := a.pipeline.Run(ctx, c)
		if err == nil {
			err = a.tidy(ctx)
		}
		sum := newTally()
		sum.add(out)
		summary, bad := sum.summary(ctx, a)
		t.printf("%s", summary.text())
		return f.verdict(errors.Join(err, bad), sum)
	})
	return cmd
}

// pullCommand is pull and stage: nothing raw is kept, so both run through to the stage commit.
func pullCommand(t *terminal, o *options, name string) *cobra.Command {
	f := &stepFlags{}
	cmd := &cobra.Command{Use: name, Short: "pull from the sources and stage what came; both names run through to the stage commit", Args: usage(cobra.NoArgs)}
	f.pullFlags(cmd)
	f.strictFlag(cmd)
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		c, err := f.pulls(a)
		if err != nil {
			return err
		}
		pulls, err := a.pipeline.Pull(ctx, c)
		sum := newTally()
		sum.add(pipelines.Outcome{Pulls: pulls})
		for _, p := range pulls {
			l := p.Result.Ledger
			t.printf("%-12s %-26s read %d = accepted %d + duplicate %d + quarantined %d + skipped %d%s\n", p.Source, p.Dataset, l.Read, l.Accepted, l.Duplicate, l.Quarantined, l.Skipped, left(p, c.Again != nil))
		}
		t.printf("%s", sum.warnings())
		return f.verdict(err, sum)
	})
	return cmd
}

func settleCommand(t *terminal, o *options) *cobra.Command {
	return &cobra.Command{Use: "settle", Short: "turn what is staged into credit records, marks and entities", Args: usage(cobra.NoArgs),
		RunE: t.withApp(o, func(ctx context.Context, a *app) error {
			r, err := a.pipeline.Settle(ctx)
			if err != nil {
				return err
			}
			if !r.Committed {
				t.printf("nothing new was staged; snapshot %d stands\n", r.N)
				return nil
			}
			t.printf("snapshot %d: %d staged rows, %d marks, %d new entities, %d ranges written\n", r.N, r.Rows, r.Marks, r.Entities, r.Ranges)
			if r.Gone > 0 {
				t.printf("%d records ended because their source no longer has them\n", r.Gone)
			}
			return nil
		})}
}

func scoreCommand(t *terminal, o *options) *cobra.Command {
	f := &stepFlags{}
	cmd := &cobra.Command{Use: "score", Short: "grade every entity under the chosen policies", Args: usage(cobra.NoArgs)}
	f.scoreFlags(cmd)
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		c, err := f.choice(a)
		if err != nil {
			return err
		}
		var errs []error
		for _, id := range c.Policies {
			policy, _ := a.catalog.Policy(id)
			s, err := a.pipeline.Score(ctx, policy, c.Clocks)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			trial := "official"
			if s.Result.Trial {
				trial = "trial"
			}
			t.printf("%s as of %s (corrected to %s): %d entities, %s, seal %s\n", id, s.Result.Clocks.AsOf, s.Result.Clocks.CorrectedTo, s.Result.Seal.Entities, trial, s.Result.Seal.GradeSHA256)
		}
		return errors.Join(errs...)
	})
	return cmd
}

func publishCommand(t *terminal, o *options) *cobra.Command {
	f := &stepFlags{}
	cmd := &cobra.Command{Use: "publish", Short: "state what the newest scored results change", Args: usage(cobra.NoArgs)}
	cmd.Flags().StringSliceVar(&f.policies, "policy", nil, "policy ids; none: those of the config, or all that are no draft")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		ids, err := a.policies(f.policies)
		if err != nil {
			return err
		}
		var errs []error
		for _, id := range ids {
			policy, _ := a.catalog.Policy(id)
			r, err := a.pipeline.PublishNewest(ctx, policy)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			t.printf("%s: entry %d, %s\n", id, r.Entry.N, r.Note())
		}
		return errors.Join(errs...)
	})
	return cmd
}

func pushCommand(t *terminal, o *options) *cobra.Command {
	f := &stepFlags{}
	cmd := t.jsonFlag(&cobra.Command{Use: "push", Short: "bring every target what is due and take in receipts", Args: usage(cobra.NoArgs)})
	f.strictFlag(cmd)
	retry := cmd.Flags().Bool("retry", false, "first open again what waits for a person, rejected rows that are still the newest included")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		if *retry {
			for _, target := range a.config.Targets {
				n, err := a.state.Reopen(ctx, target.ID)
				if err != nil {
					return err
				}
				t.say("%s: %d rows open again", target.ID, n)
			}
		}
		reports, err := a.pipeline.Push(ctx)
		if reports == nil {
			reports = []push.Report{}
		}
		if t.json {
			err = errors.Join(err, t.printJSON(reports))
		} else {
			for _, r := range reports {
				t.printf("%-16s sent %d, acknowledged %d, rejected %d, open %d  %s\n", r.Target, r.Sent, r.Acknowledged, r.Rejected, r.Open, r.Failure)
			}
		}
		sum := newTally()
		sum.add(pipelines.Outcome{Pushes: reports})
		return f.verdict(err, sum)
	})
	return cmd
}
