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
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/internal/release"
)

func releaseCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "release", Short: "changes of contracts and policies: proposed by one person, approved by another, in force from a day"})
	cmd.AddCommand(releasePropose(t, o), releaseList(t, o), releaseShow(t, o),
		releaseAnswer(t, o, "approve", release.Approved, "let a proposal come into force; not one's own"),
		releaseAnswer(t, o, "refuse", release.Refused, "refuse a proposal, with a reason; not one's own"),
		releaseAnswer(t, o, "withdraw", release.Withdrawn, "take one's own proposal back"))
	return cmd
}

// proposing are the flags of whatever ends in a proposal.
type proposing struct{ by, note, from string }

func (p *proposing) flags(cmd *cobra.Command, needed string) {
	cmd.Flags().StringVar(&p.by, "by", "", "who proposes it"+needed)
	cmd.Flags().StringVar(&p.note, "note", "", "why")
	cmd.Flags().StringVar(&p.from, "from", "", "day from which it is in force, 2006-01-02; none: the day it is approved")
}

// propose stores a proposal and shows it.
func (t *terminal) propose(ctx context.Context, d *desk.Desk, p proposing, file string, text []byte) error {
	from := catalog.NoDate
	if p.from != "" {
		var err error
		if from, err = catalog.ParseDate(p.from); err != nil {
			return usageError{fmt.Errorf("--from: %w", err)}
		}
	}
	v, err := d.ProposeRelease(ctx, "", file, text, p.note, from)
	return t.showRelease(v, err)
}

func releasePropose(t *terminal, o *options) *cobra.Command {
	var p proposing
	cmd := t.jsonFlag(&cobra.Command{Use: "propose FILE --by NAME --note TEXT", Args: usage(cobra.ExactArgs(1)),
		Short: "propose the next text of a contract (.../datasets/<owner>/<name>.yaml) or a policy (.../policies/<id>.yaml)"})
	p.flags(cmd, "")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withDesk(o, &p.by, func(ctx context.Context, d *desk.Desk) error {
			text, err := readBounded(args[0], release.Most)
			if err != nil {
				return err
			}
			return t.propose(ctx, d, p, catalogueFile(args[0]), text)
		})(cmd, args)
	}
	return cmd
}

// catalogueFile is where a file lies in the catalogue: what follows datasets/ or policies/ in its path.
func catalogueFile(path string) string {
	slashed := filepath.ToSlash(path)
	for _, part := range []string{"datasets/", "policies/"} {
		if at := strings.LastIndex(slashed, part); at >= 0 {
			return slashed[at:]
		}
	}
	return filepath.Base(path)
}

// readBounded reads a small file whole.
func readBounded(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > most {
		err = fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	if err != nil {
		return nil, usageError{&fault.Error{Op: "read " + path, Code: fault.Invalid, Err: err}}
	}
	return os.ReadFile(filepath.Clean(path))
}

func releaseList(t *terminal, o *options) *cobra.Command {
	var part, state string
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "proposals, the newest first", Args: usage(cobra.NoArgs)})
	cmd.Flags().StringVar(&part, "part", "", "dataset or policy")
	cmd.Flags().StringVar(&state, "state", "", "proposed, approved, refused or withdrawn")
	cmd.RunE = t.withDesk(o, nil, func(ctx context.Context, d *desk.Desk) error {
		all, err := d.Releases(ctx, release.Filter{Part: release.Part(part), State: release.State(state), Most: 1000})
		if err != nil {
			return err
		}
		if t.json {
			return t.printJSON(all)
		}
		for _, p := range all {
			t.printf("%s\n", releaseLine(p))
		}
		t.say("%d proposals", len(all))
		return nil
	})
	return cmd
}

func releaseLine(p release.Proposal) string {
	answer := ""
	if p.AnsweredBy != "" {
		answer = fmt.Sprintf(", %s by %s %s", p.State, p.AnsweredBy, p.Reason)
	}
	return fmt.Sprintf("%s  %-9s %-8s %-24s from %s  proposed by %s: %s%s", p.ID, p.State, p.Part, p.Subject, p.InForce, p.By, p.Note, answer)
}

func releaseShow(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "show PROPOSAL", Short: "a proposal with what it changes", Args: usage(cobra.ExactArgs(1))})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withDesk(o, nil, func(ctx context.Context, d *desk.Desk) error {
			v, err := d.Release(ctx, args[0])
			return t.showRelease(v, err)
		})(cmd, args)
	}
	return cmd
}

func releaseAnswer(t *terminal, o *options, use string, answer release.State, short string) *cobra.Command {
	var by, reason string
	cmd := t.jsonFlag(&cobra.Command{Use: use + " PROPOSAL --by NAME", Short: short, Args: usage(cobra.ExactArgs(1))})
	cmd.Flags().StringVar(&by, "by", "", "who answers")
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withDesk(o, &by, func(ctx context.Context, d *desk.Desk) error {
			v, err := d.AnswerRelease(ctx, "", args[0], answer, reason)
			return t.showRelease(v, err)
		})(cmd, args)
	}
	return cmd
}

func (t *terminal) showRelease(v desk.ReleaseView, err error) error {
	if err != nil {
		return err
	}
	if t.json {
		return t.printJSON(v)
	}
	t.printf("%s\n", releaseLine(v.Proposal))
	for _, c := range v.Changes {
		t.printf("  %s\n", c)
	}
	for _, l := range v.Lines {
		t.printf("%s%s\n", l.Sign, l.Text)
	}
	if v.Stale {
		t.say("the file changed since this was proposed: it can no longer be approved")
	}
	return nil
}

// errNoNote says what a proposal made on the way is lacking.
var errNoNote = errors.New("with --by goes --note: the second person wants to know why")
