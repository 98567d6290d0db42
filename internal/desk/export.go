package desk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/pipelines/push"
)

// The forms of an export.
const (
	Parquet = "parquet"
	CSV     = "csv"
)

// ExportAsked is what somebody asks to have whole.
type ExportAsked struct {
	Policy  string
	Form    string // Parquet or CSV
	Purpose string
}

// Exported is a file with everything that stands published under a policy, as the actor may see it.
type Exported struct {
	*os.File
	Rows  int64
	N     int64 // release of the policy that it shows
	Bytes int64
}

// Close deletes the file.
func (e *Exported) Close() error { return errors.Join(e.File.Close(), os.Remove(e.Name())) }

// exported are the columns of an export, by the names that changes have.
var exported = []duck.Column{
	{Name: "uscc", Type: "VARCHAR"}, {Name: "name", Type: "VARCHAR"}, {Name: "category", Type: "VARCHAR"}, {Name: "division", Type: "VARCHAR"},
	{Name: "industry", Type: "VARCHAR"}, {Name: "policy", Type: "VARCHAR"}, {Name: "title", Type: "VARCHAR"}, {Name: "evaluation", Type: "VARCHAR"},
	{Name: "maker", Type: "VARCHAR"}, {Name: "version", Type: "BIGINT"}, {Name: "as_of", Type: "DATE"}, {Name: "corrected_to", Type: "DATE"},
	{Name: "score", Type: "BIGINT"}, {Name: "grade", Type: "VARCHAR"}, {Name: "rank", Type: "INTEGER"}, {Name: "class", Type: "VARCHAR"},
	{Name: "trial", Type: "BOOLEAN"}, {Name: "wording", Type: "VARCHAR"}, {Name: "seal", Type: "VARCHAR"}, {Name: "retracted", Type: "BOOLEAN"},
}

// Export writes what stands published under a policy to a file, which the caller closes. The engine
// writes it in bounded memory; what is withdrawn is not in it.
func (d *Desk) Export(ctx context.Context, in ExportAsked) (out *Exported, err error) {
	const op = "export grades"
	if in.Form != Parquet && in.Form != CSV {
		return nil, fault.Newf(fault.Invalid, op, "the form is %s or %s", Parquet, CSV)
	}
	policies, err := d.readable(ctx, op, in.Policy)
	if err != nil {
		return nil, err
	}
	if in.Policy == "" || len(policies) == 0 {
		return nil, &fault.Error{Op: op, Code: fault.NotFound, Hint: "name a policy under which something is published"}
	}
	if err := d.fetched(ctx, "grade.export", in.Policy, in.Purpose); err != nil {
		return nil, err
	}
	head, err := d.Lake.Head(ctx, chain.Published(in.Policy))
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, f := range head.Table("grade") {
		path, err := d.Lake.Local(ctx, f)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	file, err := os.CreateTemp(d.Lake.TempDir(), "export-*."+in.Form)
	if err != nil {
		return nil, fault.Newf(fault.Unavailable, op, "%w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if err := file.Close(); err != nil {
		return nil, fault.Newf(fault.Unavailable, op, "%w", err)
	}
	out = &Exported{N: head.N}
	if out.Rows, err = d.write(ctx, paths, auth.From(ctx).Scope, in.Form, file.Name()); err != nil {
		return nil, err
	}
	// The engine lays another file under the name.
	if out.File, err = os.Open(file.Name()); err != nil {
		return nil, fault.Newf(fault.Internal, op, "%w", err)
	}
	info, err := out.Stat()
	if err != nil {
		return nil, fault.Newf(fault.Internal, op, "%w", errors.Join(err, out.File.Close()))
	}
	out.Bytes = info.Size()
	return out, nil
}

// write has the engine write the rows of a scope to a file.
func (d *Desk) write(ctx context.Context, paths []string, scope auth.Scope, form, to string) (int64, error) {
	db, err := duck.Open(d.Duck)
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }() // nothing was written to it
	if err := db.OlderView(ctx, "grade", paths, exported); err != nil {
		return 0, err
	}
	query := "select " + strings.Join(columnsFor(push.NewTailor(scope.Fields)), ", ") + " from grade where " + within(scope)
	if form == Parquet {
		return db.Copy(ctx, query, to)
	}
	var rows int64
	if err := db.One(ctx, "select count(*) from grade where "+within(scope), nil, &rows); err != nil {
		return 0, err
	}
	return rows, db.Exec(ctx, fmt.Sprintf("copy (%s) to %s (format csv, header true)", query, duck.Text(filepath.ToSlash(to))))
}

// columnsFor gives the columns that a reader gets.
func columnsFor(t push.Tailor) []string {
	var columns []string
	for _, c := range exported {
		switch {
		case c.Name == "retracted":
		case c.Name == "trial": // travels as the status, as it does in a change
			columns = append(columns, "case when coalesce(trial, true) then 'trial' else 'official' end as status")
		case !t.Gets(c.Name):
		case c.Name == "score":
			columns = append(columns, "cast(score as decimal(18, 2)) / 100 as score")
		default:
			columns = append(columns, c.Name)
		}
	}
	return columns
}

// within is the condition that a row stands and lies in a scope.
func within(s auth.Scope) string {
	conditions := []string{"not coalesce(retracted, false)"}
	oneOf := func(of []string, condition func(string) string) {
		if len(of) == 0 {
			return
		}
		parts := make([]string, len(of))
		for i, v := range of {
			parts[i] = condition(duck.Text(v))
		}
		conditions = append(conditions, "("+strings.Join(parts, " or ")+")")
	}
	oneOf(s.Areas, func(v string) string { return "starts_with(coalesce(division, ''), " + v + ")" })
	oneOf(s.Industries, func(v string) string { return "starts_with(coalesce(industry, ''), " + v + ")" })
	oneOf(s.Entities, func(v string) string { return "uscc = " + v })
	return strings.Join(conditions, " and ")
}
