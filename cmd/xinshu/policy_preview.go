package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
)

func policyPreview(t *terminal, o *options) *cobra.Command {
	var (
		asOf   string
		movers int
	)
	cmd := t.jsonFlag(&cobra.Command{Use: "preview A B", Short: "who would move from one policy to another, without publishing anything", Args: usage(cobra.ExactArgs(2)),
		Long: "Grades everybody under two policies on the same day, from the same records, and shows the matrix of their grades, who rises and falls by area and\n" +
			"industry, and the entities that move most. Nothing is stored. A and B are ids, numbers of releases (see xinshu release list), or files of a policy."})
	cmd.Flags().StringVar(&asOf, "as-of", "", "the day, 2006-01-02; none: the last cut-off of A")
	cmd.Flags().IntVar(&movers, "movers", 20, "how many of those that move most are named, at most 200")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			day := catalog.NoDate
			if asOf != "" {
				var err error
				if day, err = catalog.ParseDate(asOf); err != nil {
					return usageError{fmt.Errorf("--as-of: %w", err)}
				}
			}
			var policies [2]catalog.Policy
			for i, arg := range args {
				var err error
				if policies[i], err = a.policyNamed(ctx, arg); err != nil {
					return err
				}
			}
			p, err := a.desk.PreviewPolicies(ctx, policies[0], policies[1], day, movers)
			if err != nil {
				return err
			}
			if t.json {
				return t.printJSON(p)
			}
			t.showPreview(p)
			return nil
		})(cmd, args)
	}
	return cmd
}

// policyNamed gives a policy by its id, or out of a file that is laid over the catalogue.
func (a *app) policyNamed(ctx context.Context, arg string) (catalog.Policy, error) {
	if !strings.HasSuffix(arg, ".yaml") {
		p, err := a.desk.PolicyNamed(ctx, arg)
		if fault.Is(err, fault.NotFound) {
			err = usageError{err}
		}
		return p, err
	}
	text, err := os.ReadFile(filepath.Clean(arg))
	if err != nil {
		return catalog.Policy{}, usageError{&fault.Error{Op: "read the policy", Code: fault.NotFound, Err: err}}
	}
	file := "policies/" + filepath.Base(arg)
	cat, faults := catalog.Load(catalog.Layer(catalog.Texts{file: text}, a.files))
	for _, f := range faults {
		if f.File == file {
			return catalog.Policy{}, usageError{&fault.Error{Op: "read the policy " + arg, Code: fault.Invalid, Err: f, Hint: "mend the line named"}}
		}
	}
	return findPolicy(cat, strings.TrimSuffix(path.Base(file), ".yaml"))
}

func (t *terminal) showPreview(p desk.PolicyPreview) {
	t.printf("%s → %s, as of %s, %d entities, nothing published\n\n%12s", p.From.Policy, p.To.Policy, p.AsOf, p.Entities, "")
	for _, g := range append(p.To.Grades, "–") {
		t.printf(" %9s", g)
	}
	t.printf("\n")
	for i, g := range append(p.From.Grades, "–") {
		t.printf("%12s", g)
		for _, n := range p.Matrix[i] {
			t.printf(" %9d", n)
		}
		t.printf("\n")
	}
	if p.Compared != "" {
		t.printf("\nby %s: %d rise (%s), %d fall (%s), %d stay; %d are graded newly, %d no longer\n", p.Compared, p.Rises, share(p.Rises, p.Entities), p.Falls, share(p.Falls, p.Entities), p.Same, p.Entered, p.Left)
	} else {
		t.printf("\nthe grades of the two have no common order: who rises or falls cannot be said\n")
	}
	for _, m := range p.Movers {
		t.printf("  %s %-24s %s %s → %s %s\n", m.USCC, m.Name, m.FromGrade, m.FromScore, m.ToGrade, m.ToScore)
	}
}

// share says a part of a whole in percent, with one place.
func share(n, of int64) string {
	if of == 0 {
		return "0%"
	}
	return fmt.Sprintf("%d.%d%%", n*100/of, n*1000/of%10)
}
