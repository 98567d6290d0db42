package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/fault"
	"xinshu/pipelines/stage"
)

func catalogCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "catalog", Short: "platforms, departments, families, datasets, code lists, rules and calendars"})
	cmd.AddCommand(
		t.jsonFlag(&cobra.Command{Use: "list [PART]", Short: "what the catalogue holds; PART is one of dataset, department, platform, family, policy, codes, rules, calendar", Args: usage(cobra.MaximumNArgs(1)), RunE: t.withCatalog(o, t.listCatalog)}),
		t.jsonFlag(&cobra.Command{Use: "show ID", Short: "one dataset with its field sets laid in, or one of anything else", Args: usage(cobra.ExactArgs(1)), RunE: t.withCatalog(o, t.showCatalog)}),
		catalogMissing(t, o), catalogDrift(t, o), catalogProfile(t, o), catalogDiff(t, o), catalogPropose(t, o), catalogExport(t, o), catalogImport(t, o),
		t.jsonFlag(&cobra.Command{Use: "check", Short: "every fault of the catalogue at once, with file and line", Args: usage(cobra.NoArgs), RunE: t.checkCatalog(o)}),
	)
	return cmd
}

func (t *terminal) listCatalog(cat *catalog.Catalog, args []string) error {
	items := []catalog.Item{}
	for _, item := range cat.List() {
		if len(args) == 0 || item.Part == args[0] {
			items = append(items, item)
		}
	}
	if len(items) == 0 && len(args) > 0 {
		return usageError{fmt.Errorf("the catalogue has no part %q; see xinshu catalog list --help", args[0])}
	}
	if t.json {
		return t.printJSON(items)
	}
	for _, item := range items {
		t.printf("%-11s %-26s %s  %s\n", item.Part, item.ID, item.Title.ZH, item.Note)
	}
	return nil
}

func (t *terminal) showCatalog(cat *catalog.Catalog, args []string) error {
	found, ok := cat.Show(args[0])
	if !ok {
		return usageError{&fault.Error{Op: "show " + args[0], Code: fault.NotFound, Err: fmt.Errorf("the catalogue has nothing of this id"), Hint: "see xinshu catalog list"}}
	}
	d, ok := found.(catalog.Dataset)
	if !ok || t.json {
		return t.printJSON(found)
	}
	t.printf("%s  %s / %s\nowner %s, family %s, class %s, share %s, way %s, cycle %s, contract version %d\nkey %v\n", d.ID, d.Title.ZH, d.Title.EN, d.Owner, d.Family, d.Class, d.Share, d.Way, d.Cycle, d.Version, d.Key)
	for _, f := range d.Fields {
		required := ""
		if f.Required {
			required = "required"
		}
		t.printf("  %-18s %-9s %-9s %-9s %s\n", f.Name, f.Type, required, f.Sensitivity, f.Title.ZH)
	}
	return nil
}

func (t *terminal) checkCatalog(o *options) func(*cobra.Command, []string) error {
	return func(*cobra.Command, []string) error {
		c, err := o.load()
		if err != nil {
			return err
		}
		cat, _ := loadCatalog(c)
		report := cat.Check()
		for _, ds := range cat.Datasets { // what the files alone do not show: whether staging can read by them
			if err := stage.Check(ds, cat); err != nil {
				report.Faults = append(report.Faults, catalog.Fault{File: ds.File, Message: err.Error()})
			}
		}
		if t.json {
			err = t.printJSON(report)
		} else {
			for _, f := range report.Faults {
				t.printf("%s\n", f)
			}
			n := report.Totals
			t.printf("%d platforms, %d departments, %d families, %d datasets, %d policies, %d code lists, %d rule sets, %d calendars\n", n.Platforms, n.Departments, n.Families, n.Datasets, n.Policies, n.CodeLists, n.Rules, n.Calendars)
		}
		if err == nil && len(report.Faults) > 0 {
			err = &fault.Error{Op: "check the catalogue", Code: fault.Invalid, Err: fmt.Errorf("%d faults; the files named are left out, the others load", len(report.Faults)), Hint: "mend the lines named"}
		}
		return err
	}
}
