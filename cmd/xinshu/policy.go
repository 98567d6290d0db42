package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
	"xinshu/sql"
)

func policyCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "policy", Short: "evaluation policies"})
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "the policies of the catalogue", Args: usage(cobra.NoArgs), RunE: t.withCatalog(o, func(cat *catalog.Catalog, _ []string) error {
			for _, p := range cat.Policies {
				t.printf("%-20s %-8s %-8s %-6s %s\n", p.ID, p.Status, p.Cycle, p.AsOf, p.Title.ZH)
			}
			return nil
		})},
		t.jsonFlag(&cobra.Command{Use: "show POLICY", Short: "one policy", Args: usage(cobra.ExactArgs(1)), RunE: t.withCatalog(o, t.showPolicy)}),
		&cobra.Command{Use: "check [POLICY...]", Short: "prove that bands cover every total and that sums hold", RunE: t.checkPolicies(o)},
		policyPreview(t, o),
		&cobra.Command{Use: "sql POLICY", Short: "the statements that score a policy; they run in a DuckDB shell", Args: usage(cobra.ExactArgs(1)), RunE: t.withCatalog(o, t.policySQL)},
	)
	return cmd
}

// withCatalog loads the catalogue for one command. Broken files are told on standard error; the others serve.
func (t *terminal) withCatalog(o *options, do func(cat *catalog.Catalog, args []string) error) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		c, err := o.load()
		if err != nil {
			return err
		}
		cat, faults := loadCatalog(c)
		for _, f := range faults {
			t.say("%s", f)
		}
		return do(cat, args)
	}
}

func findPolicy(cat *catalog.Catalog, id string) (catalog.Policy, error) {
	p, ok := cat.Policy(id)
	if !ok {
		return p, usageError{&fault.Error{Op: "find policy", Code: fault.NotFound, Err: fmt.Errorf("there is no policy %q", id), Hint: "see xinshu policy list"}}
	}
	return p, nil
}

func (t *terminal) showPolicy(cat *catalog.Catalog, args []string) error {
	p, err := findPolicy(cat, args[0])
	if err != nil {
		return err
	}
	if t.json {
		return t.printJSON(p)
	}
	t.printf("%s  %s\n%s\n%s, %s %s, %s\n", p.ID, p.Title.ZH, p.Wording.ZH, p.Status, p.Cycle, p.AsOf, p.StatusNote.ZH)
	for _, ind := range p.Indicators {
		t.printf("  %-6s %-24s neutral %s\n", ind.ID, ind.Title.ZH, ind.Neutral)
		for _, r := range ind.Rules {
			t.printf("         %-16s %s/%s  %s  %s\n", r.ID, r.Kind, orStar(r.Level), r.Points, r.Origin)
		}
	}
	return nil
}

func orStar(level string) string {
	if level == "" {
		return "*"
	}
	return level
}

// checkPolicies is `policy check`: every fault of every policy at once.
func (t *terminal) checkPolicies(o *options) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		c, err := o.load()
		if err != nil {
			return err
		}
		cat, faults := loadCatalog(c)
		bad := 0
		for _, f := range faults {
			if strings.Contains(f.File, "policies/") && (len(args) == 0 || mentions(f.File, args)) {
				t.printf("%s\n", f)
				bad++
			}
		}
		for _, id := range args {
			if _, ok := cat.Policy(id); !ok && bad == 0 {
				return usageError{fmt.Errorf("there is no policy %q; see xinshu policy list", id)}
			}
		}
		if bad > 0 {
			return fault.Newf(fault.Invalid, "check policies", "%d faults", bad)
		}
		for _, p := range cat.Policies {
			if len(args) == 0 || mentions(p.File, args) {
				t.printf("%-20s ok: bands cover every total, sums hold, every number has its clause or is marked proposal\n", p.ID)
			}
		}
		return nil
	}
}

func mentions(file string, ids []string) bool {
	for _, id := range ids {
		if strings.HasSuffix(file, "/"+id+".yaml") {
			return true
		}
	}
	return false
}

// policySQL prints what a score of the policy runs: its tables, then the models in order.
func (t *terminal) policySQL(cat *catalog.Catalog, args []string) error {
	p, err := findPolicy(cat, args[0])
	if err != nil {
		return err
	}
	models, err := grading.Load(sql.Files)
	if err != nil {
		return err
	}
	t.printf("%s", models.Script(p))
	return nil
}
