package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/cases"
	"xinshu/internal/desk"
)

func caseCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "case", Short: "objections, repairs and completions of entities"})
	cmd.AddCommand(caseOpen(t, o), caseDecide(t, o), caseList(t, o), caseShow(t, o))
	for _, s := range []struct{ do, short, reason string }{
		{"accept", "take an application up; the record of an objection is disputed from then on", ""},
		{"refuse", "send an application back", "why it is sent back"},
		{"ask", "have the applicant bring papers", "what is missing, all of it"},
		{"supply", "take in what the applicant brought", "what was brought"},
		{"confirm", "confirm a proposed decision as a second person", ""},
		{"return", "give a proposed decision back", "why it is given back"},
		{"withdraw", "end a case because the applicant asks for it", "what the applicant said"},
		{"close", "end an upheld case once every receiver has answered for the corrected results", ""},
	} {
		cmd.AddCommand(caseStep(t, o, s.do, s.short, s.reason))
	}
	return cmd
}

// withDesk opens the hub with a person at its desk, cases brought up to what the lake says.
func (t *terminal) withDesk(o *options, by *string, do func(ctx context.Context, d *desk.Desk) error) func(*cobra.Command, []string) error {
	return t.withApp(o, func(ctx context.Context, a *app) error {
		d, name := a.desk, os.Getenv("USER")
		if by != nil {
			if name = strings.TrimSpace(*by); name == "" {
				return usageError{errors.New("name who does it with --by")}
			}
		}
		ctx = auth.With(ctx, auth.Shell(name))
		if _, err := d.CatchCases(ctx, ""); err != nil {
			return err
		}
		return do(ctx, d)
	})
}

func caseOpen(t *terminal, o *options) *cobra.Command {
	var (
		c                  cases.Case
		by, kind, received string
		evidence           []string
		untaken            bool
	)
	cmd := t.jsonFlag(&cobra.Command{Use: "open USCC --kind KIND --claim TEXT --by NAME", Args: usage(cobra.ExactArgs(1)),
		Short: "register an application and take it up",
		Long: "Registers an application about one record, named by --record (its id, from xinshu explain --json), by --doc-no, or by --dataset and --key.\n" +
			"An objection makes the record disputed. A repair may be told before its record has come; a completion is about one that is missing.\n" +
			"The clock starts on the day of receipt."})
	f := cmd.Flags()
	f.StringVar(&kind, "kind", "", "objection, repair or completion")
	f.StringVar(&c.Claim, "claim", "", "what is asked for and why")
	f.StringVar(&c.Target.Record, "record", "", "id of the record")
	f.StringVar(&c.Target.DocNo, "doc-no", "", "document number of the record")
	f.StringVar(&c.Target.Dataset, "dataset", "", "dataset of the record")
	f.StringVar(&c.Target.Key, "key", "", "record key within the dataset, fields joined by |")
	f.StringVar(&c.Target.Authority, "authority", "", "code of the body that made the record, where no row has brought it yet")
	f.StringVar(&c.Policy, "policy", "", "the evaluation whose result is contested; it gives the time limit")
	f.StringVar(&c.Way, "way", "platform", "where it came in: platform, department, site, province")
	f.StringVar(&received, "received", "", "day the formal application was received, 2006-01-02; none: today")
	f.StringArrayVar(&evidence, "evidence", nil, "KIND=TITLE or KIND=FILE, of which the digest is kept; kinds: "+strings.Join(cases.EvidenceKinds, ", "))
	f.BoolVar(&untaken, "receive-only", false, "do not take it up yet: somebody else accepts or refuses it")
	f.StringVar(&by, "by", "", "who registers it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withDesk(o, &by, func(ctx context.Context, d *desk.Desk) (err error) {
			c.USCC, c.Kind, c.ReceivedOn, c.WaitingSince = args[0], cases.Kind(kind), catalog.NoDate, catalog.NoDate
			if received != "" {
				if c.ReceivedOn, err = catalog.ParseDate(received); err != nil {
					return usageError{fmt.Errorf("--received: %w", err)}
				}
			}
			if c.Evidence, err = items(evidence); err != nil {
				return err
			}
			v, err := d.OpenCase(ctx, c, !untaken)
			return t.showCase(v, err)
		})(cmd, args)
	}
	return cmd
}

// items reads pieces of evidence. Of a file the digest is kept, never the file.
func items(texts []string) ([]cases.Item, error) {
	list := []cases.Item{}
	for _, text := range texts {
		kind, title, cut := strings.Cut(text, "=")
		if !cut {
			kind, title = "document", text
		}
		item := cases.Item{Kind: kind, Title: title}
		if info, err := os.Stat(title); err == nil && info.Mode().IsRegular() {
			sum, err := digestOf(title)
			if err != nil {
				return nil, err
			}
			item.Title, item.SHA256 = filepath.Base(title), sum
		}
		list = append(list, item)
	}
	return list, nil
}

func digestOf(path string) (string, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was read
	return cases.Digest(f)
}

func caseDecide(t *terminal, o *options) *cobra.Command {
	var (
		s                      desk.CaseStep
		by, on                 string
		upheld, rejected, push bool
	)
	cmd := t.jsonFlag(&cobra.Command{Use: "decide CASE (--upheld|--rejected) --reason TEXT --by NAME", Args: usage(cobra.ExactArgs(1)),
		Short: "decide a case; the decision is a mark in the lake, and the results it reaches are named",
		Long: "Decides a case, or proposes the decision where the config wants a second person. A repair is decided by who made the record: name that body with\n" +
			"--authority and its decision with --doc-no. The same decision again changes nothing. With --correct the results it reaches are scored, published\n" +
			"and pushed at once."})
	f := cmd.Flags()
	f.BoolVar(&upheld, "upheld", false, "the applicant is right: the record stops counting, or comes in")
	f.BoolVar(&rejected, "rejected", false, "the applicant is not right")
	f.StringVar(&s.Decision.Reason, "reason", "", "why")
	f.StringVar(&s.Decision.Authority, "authority", "", "code of the body that decided")
	f.StringVar(&s.Decision.DocNo, "doc-no", "", "number of its decision")
	f.StringVar(&on, "on", "", "day of the decision, 2006-01-02; none: today")
	f.BoolVar(&push, "correct", false, "score, publish and push the results that the decision reaches")
	f.BoolVar(&s.Queue, "queue", false, "queue that for the hub that serves")
	f.StringVar(&by, "by", "", "who enters it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if upheld == rejected || push && s.Queue {
			return usageError{errors.New("say --upheld or --rejected, and at most one of --correct and --queue")}
		}
		return t.withDesk(o, &by, func(ctx context.Context, d *desk.Desk) (err error) {
			s.Do, s.Decision.Upheld, s.Decision.DecidedOn = "decide", upheld, catalog.NoDate
			if on != "" {
				if s.Decision.DecidedOn, err = catalog.ParseDate(on); err != nil {
					return usageError{fmt.Errorf("--on: %w", err)}
				}
			}
			v, err := d.WorkCase(ctx, args[0], s)
			if err == nil && push {
				v, err = t.correct(ctx, d, v)
			}
			return t.showCase(v, err)
		})(cmd, args)
	}
	return cmd
}

// correct brings the results that a case reaches up to it and out to the receivers.
func (t *terminal) correct(ctx context.Context, d *desk.Desk, v desk.CaseView) (desk.CaseView, error) {
	if _, err := d.Correct(ctx, v.No); err != nil {
		return v, err
	}
	if _, err := d.Pipeline.Push(ctx); err != nil {
		return v, err
	}
	return d.Case(ctx, v.No)
}

func caseStep(t *terminal, o *options, do, short, reason string) *cobra.Command {
	var (
		by, text string
		evidence []string
	)
	cmd := t.jsonFlag(&cobra.Command{Use: do + " CASE --by NAME", Short: short, Args: usage(cobra.ExactArgs(1))})
	cmd.Flags().StringVar(&by, "by", "", "who does it")
	if reason != "" {
		cmd.Flags().StringVar(&text, "reason", "", reason)
	}
	if do == "supply" {
		cmd.Flags().StringArrayVar(&evidence, "evidence", nil, "as of case open")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withDesk(o, &by, func(ctx context.Context, d *desk.Desk) error {
			brought, err := items(evidence)
			if err != nil {
				return err
			}
			v, err := d.WorkCase(ctx, args[0], desk.CaseStep{Do: do, Reason: text, Evidence: brought})
			return t.showCase(v, err)
		})(cmd, args)
	}
	return cmd
}
