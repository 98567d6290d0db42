// Package verify owns the question whether results keep the rules they promise to keep: it runs the
// checks of sql/checks over the newest settled and scored tables. It refuses to mend anything, and
// to look at bytes: objects, hashes and the log are the lake's own to verify. Tables come from the
// lake through DuckDB; a finding goes to the command and its screen.
package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
)

// Lake is the part of the lake that is read here.
type Lake interface {
	Head(ctx context.Context, chainName string) (chain.Entry, error)
	Local(ctx context.Context, f chain.File) (string, error)
}

// Verifier runs checks.
type Verifier struct {
	Lake     Lake
	SQL      fs.FS
	Duck     duck.Options
	Policies []catalog.Policy
}

// Finding is a rule that some rows break.
type Finding struct {
	Check string `json:"check"` // the model's name
	On    string `json:"on"`    // the chain it was found in
	Rule  string `json:"rule"`  // what the check's header says
	Rows  int64  `json:"rows"`
	First string `json:"first"` // one of them
}

// settled are the tables of the settled chain as checks call them.
var settled = map[string][]duck.Column{
	"settled_record": grading.RecordColumns, "settled_entity": grading.EntityColumns, "settled_mark": grading.MarkColumns,
}

// Check runs every check whose tables there are, and gives how many ran and what they found.
func (v *Verifier) Check(ctx context.Context) (ran int, found []Finding, err error) {
	checks, err := v.checks()
	if err != nil {
		return 0, nil, err
	}
	db, err := duck.Open(v.Duck)
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	r := &round{Verifier: v, db: db}
	if err := r.settled(ctx, checks); err != nil {
		return r.ran, r.found, err
	}
	for _, p := range v.Policies {
		if err := r.scored(ctx, checks, p); err != nil {
			return r.ran, r.found, err
		}
	}
	return r.ran, r.found, nil
}

// checks reads the models of sql/checks.
func (v *Verifier) checks() ([]duck.Model, error) {
	names, err := fs.Glob(v.SQL, "checks/*.sql")
	if err != nil || len(names) == 0 {
		return nil, &fault.Error{Op: "read checks", Code: fault.Internal, Err: err, Hint: "the folder sql is not whole"}
	}
	var models []duck.Model
	for _, name := range names {
		text, err := fs.ReadFile(v.SQL, name)
		if err != nil {
			return nil, fault.Newf(fault.Internal, "read "+name, "%w", err)
		}
		m, err := duck.ParseModel(name, string(text))
		if err != nil {
			return nil, err
		}
		models = append(models, m)
	}
	return models, nil
}

// round is one pass of checks over one database.
type round struct {
	*Verifier
	db    *duck.DB
	ran   int
	found []Finding
}

func (r *round) settled(ctx context.Context, checks []duck.Model) error {
	head, err := r.Lake.Head(ctx, chain.Settled)
	if err != nil || head.N == 0 {
		return err
	}
	for name, columns := range settled {
		if err := r.view(ctx, name, head.Table(strings.TrimPrefix(name, "settled_")), columns); err != nil {
			return err
		}
	}
	return r.run(ctx, checks, head, func(input string) bool { return settled[input] != nil })
}

// scored checks the newest result of one policy; a result of another version of the policy is left
// alone, because its numbers are no longer at hand.
func (r *round) scored(ctx context.Context, checks []duck.Model, p catalog.Policy) error {
	head, err := r.Lake.Head(ctx, chain.Scored(p.ID))
	if err != nil || head.N == 0 || head.PolicySHA256 != p.SHA256 {
		return err
	}
	models, err := grading.Load(r.SQL)
	if err != nil {
		return err
	}
	tables := map[string]bool{}
	for _, m := range models.Models {
		if m.Name == "grade" || m.Name == "points" {
			tables[m.Name] = true
			if err := r.view(ctx, m.Name, head.Table(m.Name), m.Columns); err != nil {
				return err
			}
		}
	}
	if err := grading.PolicyTables(ctx, r.db, p); err != nil {
		return err
	}
	return r.run(ctx, checks, head, func(input string) bool {
		return tables[input] || input == "policy" || strings.HasPrefix(input, "policy_")
	})
}

func (r *round) view(ctx context.Context, name string, files []chain.File, columns []duck.Column) error {
	var paths []string
	for _, f := range files {
		path, err := r.Lake.Local(ctx, f)
		if err != nil {
			return err
		}
		paths = append(paths, path)
	}
	return r.db.View(ctx, name, paths, columns)
}

// run runs the checks whose inputs are all among the tables at hand.
func (r *round) run(ctx context.Context, checks []duck.Model, on chain.Entry, have func(input string) bool) error {
	for _, m := range checks {
		if slices.ContainsFunc(m.Inputs, func(input string) bool { return !have(input) }) {
			continue
		}
		f := Finding{Check: m.Name, On: on.Chain, Rule: m.Doc}
		err := r.db.One(ctx, "select count(*), coalesce(max(cast(broken as varchar)), '') from (\n"+m.Query+"\n) as broken", nil, &f.Rows, &f.First)
		if err != nil {
			return fmt.Errorf("run check %s on %s: %w", m.Name, on.Chain, err)
		}
		if r.ran++; f.Rows > 0 {
			r.found = append(r.found, f)
		}
	}
	return nil
}
