package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/internal/audit"
	"xinshu/internal/fault"
)

func auditCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "audit", Short: "who did or looked at what, of which entity, for what purpose"})
	cmd.AddCommand(auditList(t, o), auditExport(t, o))
	return cmd
}

// chosen are the flags that choose entries of the trail.
type chosen struct {
	audit.Filter
	term grant
}

func (c *chosen) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.term.from, "from", "", "first day (2006-01-02)")
	f.StringVar(&c.term.until, "until", "", "last day (2006-01-02)")
	f.StringVar(&c.Actor, "actor", "", "by whom: user:NAME, client:NAME or shell:NAME")
	f.StringVar(&c.Action, "action", "", "what, such as grade.view; key. for everything about keys")
	f.StringVar(&c.USCC, "uscc", "", "the entity whose data it touches")
	f.StringVar(&c.Purpose, "purpose", "", "what for")
	f.StringVar(&c.Outcome, "outcome", "", "done, refused or failed")
}

func (c *chosen) filter() (audit.Filter, error) {
	var err error
	c.From, c.Until, err = c.term.term()
	return c.Filter, err
}

func auditList(t *terminal, o *options) *cobra.Command {
	var c chosen
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "entries of the trail, the newest first", Args: usage(cobra.NoArgs)})
	c.flags(cmd)
	cmd.Flags().IntVar(&c.Limit, "limit", 50, "entries, at most 500")
	cmd.Flags().Int64Var(&c.After, "after", 0, "only those below this number")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		f, err := c.filter()
		if err != nil {
			return err
		}
		page, next, err := a.trail.List(ctx, f)
		if err != nil {
			return err
		}
		if t.json {
			if page == nil {
				page = []audit.Entry{}
			}
			return t.printJSON(map[string]any{"entries": page, "next": next})
		}
		for _, e := range page {
			t.printf("%6d %s %-7s %-16s %s %s %s %s %s\n", e.Seq, e.At.In(shanghai).Format("2006-01-02 15:04:05"), e.Outcome, e.Action, e.Actor, e.Kind, e.ID, e.USCC, e.Purpose)
		}
		if next > 0 {
			t.say("more: --after %d", next)
		}
		return nil
	})
	return cmd
}

func auditExport(t *terminal, o *options) *cobra.Command {
	var (
		c        chosen
		form, to string
	)
	cmd := &cobra.Command{Use: "export", Short: "entries of the trail, the oldest first, as JSON lines with their hashes or as CSV", Args: usage(cobra.NoArgs)}
	c.flags(cmd)
	cmd.Flags().StringVar(&form, "form", audit.JSONLines, audit.JSONLines+" or "+audit.CSV)
	cmd.Flags().StringVar(&to, "to", "", "a file that is not there yet; none: standard output")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) (err error) {
		f, err := c.filter()
		if err != nil {
			return err
		}
		var out io.Writer = t.out
		if to != "" {
			file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return &fault.Error{Op: "write the export", Code: fault.Invalid, Err: err, Hint: "name a file that is not there yet"}
			}
			defer func() {
				if err = errors.Join(err, file.Close()); err != nil {
					_ = os.Remove(to) // half an export passes for a whole one
				}
			}()
			out = file
		}
		n, err := a.trail.Export(ctx, out, form, f)
		if err != nil {
			return err
		}
		t.say("%d entries", n)
		return nil
	})
	return cmd
}

// anchored holds the trail against a head that somebody noted outside of the hub: SEQ:HASH, as `verify`
// prints it. It finds what the chain alone cannot: that the newest entries were taken away, or all rewritten.
func anchored(ctx context.Context, a *app, noted string) error {
	if noted == "" {
		return nil
	}
	var seq int64
	number, hash, cut := strings.Cut(noted, ":")
	if _, err := fmt.Sscan(number, &seq); err != nil || !cut || seq < 1 || len(hash) != 64 {
		return usageError{fmt.Errorf("--audit-head is %q; it is NUMBER:HASH, as an earlier verify printed it", noted)}
	}
	page, _, err := a.trail.List(ctx, audit.Filter{After: seq + 1, Limit: 1})
	if err != nil {
		return err
	}
	if len(page) == 1 && page[0].Seq == seq && page[0].Hash == hash {
		return nil
	}
	return &fault.Error{Op: fmt.Sprintf("verify audit entry %d", seq), Code: fault.Invalid, Err: errors.New("it is not the entry that was noted"), Hint: "the trail was cut at its end or written anew; compare with the last export and with backups"}
}
