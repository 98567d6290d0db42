package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"xinshu/internal/audit"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/internal/verify"
	"xinshu/sql"
)

// verified is what `verify --json` prints when everything matches.
type verified struct {
	lake.Report
	Checks int          `json:"checks"` // rules of sql/checks that ran over the newest results
	Audit  audit.Report `json:"audit"`
	Sealed []string     `json:"sealed"` // policies whose newest result hashes to its seal; only with --read-data
}

func verifyCommand(t *terminal, o *options) *cobra.Command {
	var (
		readData bool
		noted    string
	)
	cmd := t.jsonFlag(&cobra.Command{Use: "verify", Short: "check log entries, objects, seals and the rules of results; names the first thing that does not match", Args: usage(cobra.NoArgs)})
	cmd.Flags().BoolVar(&readData, "read-data", false, "read every object's bytes instead of comparing sizes, and hash each policy's newest result against its seal")
	cmd.Flags().StringVar(&noted, "audit-head", "", "NUMBER:HASH that an earlier verify printed: the audit trail must still hold that entry")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		v, err := a.verify(ctx, readData)
		if err != nil {
			return err
		}
		if err := anchored(ctx, a, noted); err != nil {
			return err
		}
		if t.json {
			return t.printJSON(v)
		}
		how := "sizes compared"
		if readData {
			how = fmt.Sprintf("every byte read, %d newest results hash to their seals", len(v.Sealed))
		}
		if v.Audit.Entries > 0 {
			t.printf("audit trail: %d entries follow one another; head %d:%s\n", v.Audit.Entries, v.Audit.Last, v.Audit.Head)
		}
		t.printf("all of it matches: %d chains, %d log entries, %d objects of %d bytes, %d seals, %d checks of results; %s\n", v.Chains, v.Entries, v.Objects, v.Bytes, v.Seals, v.Checks, how)
		return nil
	})
	return cmd
}

func (a *app) verify(ctx context.Context, readData bool) (v verified, err error) {
	if v.Report, err = a.lake.Verify(ctx, readData); err != nil {
		return v, err
	}
	if v.Audit, err = a.trail.Verify(ctx); err != nil {
		return v, err
	}
	checker := verify.Verifier{Lake: a.lake, SQL: sql.Files, Duck: a.duck, Policies: a.catalog.Policies}
	ran, found, err := checker.Check(ctx)
	if err != nil {
		return v, err
	}
	v.Checks = ran
	if len(found) > 0 {
		f := found[0]
		return v, &fault.Error{Op: "verify " + f.On, Code: fault.Invalid, Err: fmt.Errorf("check %s finds %d rows, %s", f.Check, f.Rows, f.First), Hint: f.Rule}
	}
	v.Sealed = []string{}
	if !readData {
		return v, nil
	}
	for _, p := range a.catalog.Policies {
		checked, err := a.pipeline.Scorer.Check(ctx, p)
		if err != nil {
			return v, err
		}
		if checked {
			v.Sealed = append(v.Sealed, p.ID)
		}
	}
	return v, nil
}
