package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/pipelines"
)

// holdSummary is a feed on hold, as summaries and feed list print it.
type holdSummary struct {
	Source  string `json:"source"`
	Dataset string `json:"dataset"`
	Alarm   string `json:"alarm"` // empty, few, late, few_new
	Since   string `json:"since"`
	Rows    int64  `json:"rows"`  // that came; of late: days without any
	Usual   int64  `json:"usual"` // that usually come; of late: most days it ever took
	words   string
}

func summaryOfHold(source, dataset string, h chain.Hold) holdSummary {
	return holdSummary{Source: source, Dataset: dataset, Alarm: h.Alarm, Since: h.Since, Rows: h.Rows, Usual: h.Usual, words: pipelines.Alarm(h)}
}

// feed notes how a pull left its feed, and whether it was without a row.
func (t *tally) feed(p pipelines.Pulled) {
	if p.Err != nil {
		return
	}
	name := p.Source + " " + p.Dataset
	delete(t.holds, name)
	delete(t.quiet, name)
	if p.Feed.Hold != nil {
		t.holds[name] = summaryOfHold(p.Source, p.Dataset, *p.Feed.Hold)
	}
	if p.Quiet() {
		t.quiet[name] = true
	}
}

func (t *tally) held() []holdSummary {
	held := []holdSummary{}
	for _, name := range slices.Sorted(maps.Keys(t.holds)) {
		held = append(held, t.holds[name])
	}
	return held
}

func (t *tally) silent() []string {
	return append([]string{}, slices.Sorted(maps.Keys(t.quiet))...)
}

func (t *tally) warnings() string { return warnings(t.silent(), t.held()) }

// warnings says what went through and should not be overlooked: a success without rows, and feeds
// whose absences wait for a person.
func warnings(quiet []string, holds []holdSummary) string {
	var b strings.Builder
	if len(quiet) > 0 {
		fmt.Fprintf(&b, "no rows  %d pulls succeeded without a row: %s\n", len(quiet), strings.Join(quiet, ", "))
	}
	for _, h := range holds {
		fmt.Fprintf(&b, "WARNING  %s %s is on hold since %s: %s. What it leaves out lowers no grade until it recovers, or: xinshu feed release %s %s --by NAME --reason TEXT\n", h.Source, h.Dataset, h.Since, h.words, h.Source, h.Dataset)
	}
	return b.String()
}

// left says what a pull said of records that it no longer has, and how much of a stretch it read.
func left(p pipelines.Pulled, again bool) string {
	var b strings.Builder
	r := p.Result
	if again {
		fmt.Fprintf(&b, "; %d slices read", p.Slices)
	}
	if r.Gone > 0 {
		fmt.Fprintf(&b, "; %d records are gone", r.Gone)
	}
	if r.Absent > 0 {
		fmt.Fprintf(&b, "; %d records are missing and kept", r.Absent)
	}
	if r.Unjudged > 0 {
		fmt.Fprintf(&b, "; %d rows without a readable key may be records that are missing", r.Unjudged)
	}
	return b.String()
}

func feedCommand(t *terminal, o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "feed", Short: "what each source usually delivers, and the feeds that are on hold"}
	group(cmd)
	cmd.AddCommand(feedListCommand(t, o), feedReleaseCommand(t, o))
	return cmd
}

// feedLine is one feed in feed list --json.
type feedLine struct {
	Source     string          `json:"source"`
	Dataset    string          `json:"dataset"`
	UsualWhole int64           `json:"usual_whole"` // rows of a usual pull of everything; 0: not known
	UsualNew   int64           `json:"usual_new"`   // rows of a usual pull of what is new; 0: not known
	RowsOn     string          `json:"rows_on"`     // day of the newest rows; empty: none came yet
	Done       []chain.Stretch `json:"done"`        // stretches that were read again
	Hold       *holdSummary    `json:"hold"`
	Ended      *chain.Ended    `json:"ended"` // how the newest hold ended
}

func feedListCommand(t *terminal, o *options) *cobra.Command {
	held := false
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "each source's datasets with what is usual, and why one is on hold", Args: usage(cobra.NoArgs)})
	cmd.Flags().BoolVar(&held, "held", false, "only feeds on hold")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		feeds, err := a.pipeline.Feeds(ctx)
		if err != nil {
			return err
		}
		lines := []feedLine{}
		for _, f := range feeds {
			if held && f.Hold == nil {
				continue
			}
			line := feedLine{Source: f.Source, Dataset: f.Dataset, UsualWhole: f.UsualWhole, UsualNew: f.UsualNew, RowsOn: f.RowsOn, Done: append([]chain.Stretch{}, f.Done...), Ended: f.Ended}
			if f.Hold != nil {
				h := summaryOfHold(f.Source, f.Dataset, *f.Hold)
				line.Hold = &h
			}
			lines = append(lines, line)
		}
		if t.json {
			return t.printJSON(lines)
		}
		for _, l := range lines {
			t.printf("%-12s %-26s %s\n", l.Source, l.Dataset, l.words())
		}
		return nil
	})
	return cmd
}

func (l feedLine) words() string {
	var parts []string
	if l.Hold != nil {
		parts = append(parts, fmt.Sprintf("ON HOLD since %s: %s", l.Hold.Since, l.Hold.words))
	}
	if l.UsualWhole > 0 {
		parts = append(parts, fmt.Sprintf("usually %d rows in all", l.UsualWhole))
	}
	if l.UsualNew > 0 {
		parts = append(parts, fmt.Sprintf("usually %d new rows", l.UsualNew))
	}
	if l.RowsOn == "" {
		parts = append(parts, "no rows yet")
	} else {
		parts = append(parts, "newest rows on "+l.RowsOn)
	}
	if e := l.Ended; e != nil && l.Hold == nil {
		by := "by itself"
		if e.By != "" {
			by = fmt.Sprintf("by %s: %s", e.By, e.Reason)
		}
		parts = append(parts, fmt.Sprintf("hold of %s ended on %s %s", e.Hold.Since, e.On, by))
	}
	return strings.Join(parts, "; ")
}

func feedReleaseCommand(t *terminal, o *options) *cobra.Command {
	var by, reason string
	cmd := &cobra.Command{Use: "release SOURCE DATASET", Short: "end a feed's hold in your name: what it left out counts as gone from today", Args: usage(cobra.ExactArgs(2))}
	cmd.Flags().StringVar(&by, "by", "", "who answers for it")
	cmd.Flags().StringVar(&reason, "reason", "", "why the missing records are believed to be gone")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if by == "" || reason == "" {
			return usageError{errors.New("a release needs --by and --reason: both are kept in the log")}
		}
		return t.withApp(o, func(ctx context.Context, a *app) error {
			ended, err := a.desk.ReleaseFeed(auth.With(ctx, auth.Shell(by)), args[0], args[1], reason)
			if err != nil {
				return err
			}
			t.printf("%s %s: the hold of %s ended on %s by %s; settle and score make it count\n", args[0], args[1], ended.Hold.Since, ended.On, ended.By)
			return nil
		})(cmd, args)
	}
	return cmd
}
