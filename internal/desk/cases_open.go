package desk

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/cases"
	"xinshu/internal/explain"
	"xinshu/internal/fault"
)

// OpenCase registers an application and, where accept says so, takes it up at once.
func (d *Desk) OpenCase(ctx context.Context, c cases.Case, accept bool) (CaseView, error) {
	if v := d.Catalog.CheckUSCC(c.USCC); v.Valid {
		c.USCC = v.Normalized
	}
	if err := d.contested(ctx, &c); err != nil {
		return CaseView{}, err
	}
	if err := d.ofDepartment(ctx, "open a case", c.Target.Dataset); err != nil {
		return CaseView{}, err
	}
	if accept {
		if err := auth.Require(ctx, auth.CasesDecide); err != nil {
			return CaseView{}, err
		}
	}
	by := decider(ctx)
	act := auth.Act{Action: "case.open", Kind: "case", USCC: c.USCC, Detail: map[string]string{"kind": string(c.Kind), "record": cmp.Or(c.Target.Record, c.Target.DocNo, c.Target.Key)}}
	err := d.noted(ctx, act, func() (err error) {
		if c, err = d.office().Open(ctx, c, by); err == nil && accept {
			c, err = d.office().Accept(ctx, c.No, by)
		}
		return err
	})
	if err != nil {
		return CaseView{}, err
	}
	return d.caseView(ctx, c.No)
}

// Contestable lists the records of an entity that an application may be about, and its name, for the
// form in which one is chosen.
func (d *Desk) Contestable(ctx context.Context, uscc string, kind cases.Kind) (name string, records []explain.Record, err error) {
	code, err := d.CheckCode(uscc)
	if err != nil {
		return "", nil, err
	}
	if err := d.look(ctx, auth.Act{Action: "case.records", Kind: "entity", ID: code, USCC: code}, purposeOf(kind)); err != nil {
		return "", nil, err
	}
	name, records, err = d.recordsOf(ctx, code)
	if own := auth.From(ctx).Scope; len(own.Departments) > 0 {
		records = slices.DeleteFunc(records, func(r explain.Record) bool {
			ds, _ := d.Catalog.Dataset(r.Dataset)
			return !own.HasDepartment(ds.Owner)
		})
	}
	return name, records, err
}

// contested completes what an application says about its record by what the lake knows. An objection
// is against a record that is there; a repair may be told before its record, and a completion is about
// one that is missing.
func (d *Desk) contested(ctx context.Context, c *cases.Case) error {
	c.Target.DecidedOn = cmp.Or(c.Target.DecidedOn, catalog.NoDate)
	name, records, err := d.recordsOf(ctx, c.USCC)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	c.Name = cmp.Or(name, c.Name)
	var meant []explain.Record
	for _, r := range records {
		t := c.Target
		if t.Record != "" && r.ID == t.Record || t.Record == "" && t.DocNo != "" && r.DocNo == t.DocNo && (t.Dataset == "" || r.Dataset == t.Dataset) {
			meant = append(meant, r)
		}
	}
	if len(meant) == 0 {
		if c.Target.Record != "" || c.Kind == cases.Objection && c.Target.Key == "" {
			return &fault.Error{Op: "open a case", Code: fault.NotFound, Err: fmt.Errorf("no record of %s is meant by %q", c.USCC, cmp.Or(c.Target.Record, c.Target.DocNo)),
				Hint: "xinshu explain --json and the entity's page name its records; data that are missing are a completion"}
		}
		return nil
	}
	r := meant[0] // the same act reported twice: a department's row stands first in rank, the mark means both
	for _, other := range meant[1:] {
		if other.Authority != r.Authority || other.Kind != r.Kind {
			return &fault.Error{Op: "open a case", Code: fault.Invalid, Err: fmt.Errorf("%q means several records", c.Target.DocNo), Hint: "name the record by its id: " + r.ID + ", " + other.ID}
		}
		if other.Status == "in_force" && r.Status != "in_force" {
			r = other
		}
	}
	c.Target = cases.Target{Record: r.ID, Dataset: r.Dataset, Key: c.Target.Key, DocNo: r.DocNo, Authority: r.Authority, Kind: r.Kind, Level: r.Level, DecidedOn: catalog.NoDate}
	if r.DecidedOn != nil {
		c.Target.DecidedOn = *r.DecidedOn
	}
	return nil
}
