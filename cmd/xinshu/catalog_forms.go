package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/internal/guideline"
	"xinshu/internal/release"
)

func catalogExport(t *terminal, o *options) *cobra.Command {
	var (
		form, out string
		datasets  []string
	)
	cmd := &cobra.Command{Use: "export", Short: "contracts as ODCS 3.1, or the catalogue as the government guideline's table", Args: usage(cobra.NoArgs),
		Long: "odcs: one contract to standard output or a file, several into a folder. guideline: a table of every information item, as CSV or, where --out ends\n" +
			"in .xlsx, as a workbook. Without --dataset it is the whole catalogue."}
	cmd.Flags().StringVar(&form, "form", "odcs", "odcs or guideline")
	cmd.Flags().StringSliceVar(&datasets, "dataset", nil, "dataset ids")
	cmd.Flags().StringVar(&out, "out", "", "a file, or for several ODCS contracts a folder; none: standard output")
	cmd.RunE = t.withCatalog(o, func(cat *catalog.Catalog, _ []string) error {
		chosen := cat.Datasets
		if len(datasets) > 0 {
			chosen = nil
		}
		for _, id := range datasets {
			ds, ok := cat.Dataset(id)
			if !ok {
				return usageError{&fault.Error{Op: "choose the dataset", Code: fault.NotFound, Err: fmt.Errorf("there is no dataset %q", id), Hint: "see xinshu catalog list dataset"}}
			}
			chosen = append(chosen, ds)
		}
		switch form {
		case "odcs":
			return t.exportODCS(chosen, out)
		case "guideline":
			return t.exportGuideline(cat, chosen, out)
		}
		return usageError{fmt.Errorf("--form is %q; odcs and guideline are known", form)}
	})
	return cmd
}

func (t *terminal) exportODCS(chosen []catalog.Dataset, out string) error {
	if len(chosen) != 1 && out == "" {
		return usageError{fmt.Errorf("%d contracts: give a folder with --out, or one --dataset", len(chosen))}
	}
	for _, ds := range chosen {
		body, err := ds.ODCS()
		if err != nil {
			return err
		}
		path := out
		switch {
		case out == "":
			t.printf("%s", body)
			continue
		case !strings.HasSuffix(out, ".yaml") && !strings.HasSuffix(out, ".yml"):
			if err := os.MkdirAll(out, 0o750); err != nil {
				return err
			}
			path = filepath.Join(out, ds.ID+".odcs.yaml")
		}
		if err := writeOnce(path, body); err != nil {
			return err
		}
	}
	if out != "" {
		t.say("%d contracts written to %s", len(chosen), out)
	}
	return nil
}

func (t *terminal) exportGuideline(cat *catalog.Catalog, chosen []catalog.Dataset, out string) error {
	rows, write := guideline.Rows(cat, chosen), guideline.CSV
	if strings.HasSuffix(out, ".xlsx") {
		write = guideline.XLSX
	}
	if out == "" {
		return write(t.out, rows)
	}
	var b bytes.Buffer
	if err := write(io.Writer(&b), rows); err != nil {
		return err
	}
	if err := writeOnce(out, b.Bytes()); err != nil {
		return err
	}
	t.say("%d information items of %d datasets written to %s", len(rows), len(chosen), out)
	return nil
}

func catalogImport(t *terminal, o *options) *cobra.Command {
	var (
		p   proposing
		out string
	)
	cmd := &cobra.Command{Use: "import FILE", Short: "a contract in ODCS 3 as a contract of this catalogue; nothing is in force by it", Args: usage(cobra.ExactArgs(1)),
		Long: "Reads a contract in the Open Data Contract Standard and writes it as a file of this catalogue: to standard output, into a folder with --out, or as a\n" +
			"proposal with --by and --note. What cannot be carried is refused with file and line; what is left out is told."}
	cmd.Flags().StringVar(&out, "out", "", "a catalogue folder to write it into")
	p.flags(cmd, "; makes it a proposal")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if p.by != "" && p.note == "" {
			return usageError{errNoNote}
		}
		body, err := readBounded(args[0], release.Most)
		if err != nil {
			return err
		}
		by := &p.by
		if p.by == "" {
			by = nil
		}
		return t.withDesk(o, by, func(ctx context.Context, d *desk.Desk) error {
			file, text, notes, err := d.ImportODCS(filepath.Base(args[0]), body)
			if err != nil {
				return err
			}
			for _, note := range notes {
				t.say("%s", note)
			}
			switch {
			case p.by != "":
				return t.propose(ctx, d, p, file, text)
			case out == "":
				t.printf("%s", text)
				return nil
			}
			return t.layDown(out, file, text)
		})(cmd, args)
	}
	return cmd
}

// layDown writes a file of the catalogue into a folder, where it is not yet.
func (t *terminal) layDown(folder, file string, text []byte) error {
	path := filepath.Join(folder, filepath.FromSlash(file))
	if _, err := os.Stat(path); err == nil {
		return &fault.Error{Op: "write " + file, Code: fault.Conflict, Err: fmt.Errorf("%s is there already", path), Hint: "review it first, or give another folder"}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	if err := writeOnce(path, text); err != nil {
		return err
	}
	t.say("written to %s", path)
	return nil
}
