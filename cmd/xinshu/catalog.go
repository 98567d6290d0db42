package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

func catalogCommand(t *terminal, o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "catalog", Short: "platforms, departments, families and datasets", Args: usage(cobra.NoArgs)}
	cmd.AddCommand(
		t.jsonFlag(&cobra.Command{Use: "list", Short: "every dataset with its owner, family and way", Args: usage(cobra.NoArgs), RunE: t.withCatalog(o, t.listCatalog)}),
		t.jsonFlag(&cobra.Command{Use: "show ID", Short: "one dataset, department, platform or family", Args: usage(cobra.ExactArgs(1)), RunE: t.withCatalog(o, t.showCatalog)}),
		&cobra.Command{Use: "check", Short: "every fault of the catalogue at once, with file and line", Args: usage(cobra.NoArgs), RunE: t.checkCatalog(o)},
	)
	return cmd
}

func (t *terminal) listCatalog(cat *catalog.Catalog, _ []string) error {
	if t.json {
		return t.printJSON(cat.Datasets)
	}
	for _, d := range cat.Datasets {
		t.printf("%-26s %-12s %-9s %-11s %s  %s\n", d.ID, d.Family, d.Way, d.Cycle, d.Class, d.Title.ZH)
	}
	t.printf("%d platforms, %d departments, %d families, %d datasets, %d policies\n", len(cat.Platforms), len(cat.Departments), len(cat.Families), len(cat.Datasets), len(cat.Policies))
	return nil
}

func (t *terminal) showCatalog(cat *catalog.Catalog, args []string) error {
	id := args[0]
	if d, ok := cat.Dataset(id); ok {
		if t.json {
			return t.printJSON(d)
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
	var found any
	if d, ok := cat.Department(id); ok {
		found = d
	} else if p, ok := cat.Platform(id); ok {
		found = p
	} else if f, ok := cat.Family(id); ok {
		found = f
	} else {
		return usageError{&fault.Error{Op: "show " + id, Code: fault.NotFound, Err: fmt.Errorf("the catalogue has nothing of this id"), Hint: "see xinshu catalog list"}}
	}
	return t.printJSON(found)
}

func (t *terminal) checkCatalog(o *options) func(*cobra.Command, []string) error {
	return func(*cobra.Command, []string) error {
		c, err := o.load()
		if err != nil {
			return err
		}
		cat, faults := loadCatalog(c)
		for _, f := range faults {
			t.printf("%s\n", f)
		}
		if len(faults) > 0 {
			return &fault.Error{Op: "check the catalogue", Code: fault.Invalid, Err: fmt.Errorf("%d faults; the files named are left out, the others load", len(faults)), Hint: "mend the lines named"}
		}
		t.printf("ok: %d platforms, %d departments, %d families, %d datasets, %d policies\n", len(cat.Platforms), len(cat.Departments), len(cat.Families), len(cat.Datasets), len(cat.Policies))
		return nil
	}
}
