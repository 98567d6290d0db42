package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/pipelines"
	"xinshu/pipelines/score"
)

// stepFlags are the flags of the commands that run steps.
type stepFlags struct {
	source, asOf, correctedTo string
	datasets, policies        []string
	noPush, strict, reload    bool
	again                     pipelines.Again
}

func (f *stepFlags) choice(a *app) (pipelines.Choice, error) {
	c, err := f.pulls(a)
	if err != nil {
		return c, err
	}
	if c.Policies, err = a.policies(f.policies); err != nil {
		return c, err
	}
	for _, d := range []struct {
		flag, text string
		into       *catalog.Date
	}{{"--as-of", f.asOf, &c.Clocks.AsOf}, {"--corrected-to", f.correctedTo, &c.Clocks.CorrectedTo}} {
		if d.text == "" {
			continue
		}
		if *d.into, err = catalog.ParseDate(d.text); err != nil {
			return c, usageError{fmt.Errorf("%s: %w", d.flag, err)}
		}
	}
	return c, nil
}

// pulls says what to pull. A stretch to be read again is one source's, of one dataset: its ends are
// written as that source writes its watermark.
func (f *stepFlags) pulls(a *app) (pipelines.Choice, error) {
	c := pipelines.Choice{Source: f.source, Datasets: f.datasets, NoPush: f.noPush, Reload: f.reload, Clocks: score.Clocks{AsOf: catalog.NoDate, CorrectedTo: catalog.NoDate}}
	if err := f.known(a); err != nil {
		return c, err
	}
	if f.again == (pipelines.Again{}) {
		return c, nil
	}
	switch {
	case f.source == "" || len(f.datasets) != 1:
		return c, usageError{errors.New("--from and --until want one --source and one --dataset")}
	case f.again.From == "" || f.again.Until == "":
		return c, usageError{errors.New("--from and --until go together; --slice goes with both")}
	}
	c.Again = &f.again
	return c, nil
}

// known refuses a source or a dataset that no source of the config carries: to pull nothing and say
// nothing would look like success.
func (f *stepFlags) known(a *app) error {
	var names []string
	carried := map[string]bool{}
	for _, s := range a.config.Sources {
		names = append(names, s.Name)
		for id := range s.Datasets {
			carried[id] = carried[id] || f.source == "" || f.source == s.Name
		}
	}
	if f.source != "" && !slices.Contains(names, f.source) {
		return usageError{fmt.Errorf("--source: the config has no source %q", f.source)}
	}
	for _, id := range f.datasets {
		if !carried[id] {
			return usageError{fmt.Errorf("--dataset: no source to pull from carries %q", id)}
		}
	}
	return nil
}

func (f *stepFlags) pullFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.source, "source", "", "one source of the config")
	cmd.Flags().StringSliceVar(&f.datasets, "dataset", nil, "dataset ids")
	cmd.Flags().StringVar(&f.again.From, "from", "", "read a stretch again: its first value, as the source writes its times or numbers; what was read this way before is not read again")
	cmd.Flags().StringVar(&f.again.Until, "until", "", "the value at which the stretch ends, itself left out")
	cmd.Flags().StringVar(&f.again.Slice, "slice", "", "how much of the stretch goes into one commit: 24h, 1h, or so many numbers (default a day, or all of the numbers)")
	cmd.Flags().BoolVar(&f.reload, "reload", false, "read from the beginning; with --from also what was read again before. Rows that are known count as duplicate")
}

func (f *stepFlags) scoreFlags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.policies, "policy", nil, "policy ids; none: those of the config, or all that are no draft")
	cmd.Flags().StringVar(&f.asOf, "as-of", "", "cut-off, 2006-01-02; none: today, or the last cut-off of a yearly policy")
	cmd.Flags().StringVar(&f.correctedTo, "corrected-to", "", "day up to which repairs and withdrawals count; none: the cut-off")
}

func (f *stepFlags) strictFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.strict, "strict", false, "exit 3 when rows were quarantined, a feed is on hold or deliveries are open")
}

// verdict applies --strict to a run that went through.
func (f *stepFlags) verdict(err error, sum *tally) error {
	if err == nil && f.strict && (sum.rows.Quarantined > 0 || sum.deliveries.Open > 0 || len(sum.holds) > 0) {
		return errUnfinished
	}
	return err
}
