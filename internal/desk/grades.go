package desk

import (
	"context"
	"errors"
	"fmt"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/explain"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
	"xinshu/internal/results"
)

// Asked is a question about one entity's grade.
type Asked struct {
	USCC    string
	Policy  string
	AsOf    catalog.Date // NoDate: the newest result
	Purpose string
}

// Explained is an entity's grade, down to record and clause, with what it was before.
type Explained struct {
	explain.Explanation
	Entity  results.Entity      `json:"entity"`
	Reasons []string            `json:"trial_reasons,omitempty"` // why the result is a trial
	History []results.Statement `json:"history"`                 // everything published of it under the policy, newest first
	Sums    []Sum               `json:"sums"`                    // the lines under the policy's indicators
	Whole   []explain.Line      `json:"whole"`                   // the lines that belong to no indicator
	Grades  []Standing          `json:"grades"`                  // its newest grade under each policy that the actor may see
	Told    []Told              `json:"told,omitempty"`          // what targets were told of it under the policy, for who may see deliveries

	// Changed says that the policy's file is another one than that of the result: what is told here
	// is counted by the new one.
	Changed bool `json:"policy_changed,omitempty"`
}

// CheckCode normalises a code, or says what is wrong with it.
func (d *Desk) CheckCode(raw string) (string, error) {
	v := d.Catalog.CheckUSCC(raw)
	if !v.Valid {
		return "", &fault.Error{Op: "read the code", Code: fault.Invalid, Err: fmt.Errorf("%q is no valid code (%s)", v.Input, v.Reason), Hint: "see xinshu uscc check"}
	}
	return v.Normalized, nil
}

// Explain answers why an entity has its grade. The purpose is kept with the question. Of an entity that
// the policy does not grade the error says why, and what is told is what was published of it before.
func (d *Desk) Explain(ctx context.Context, a Asked) (Explained, error) {
	var out Explained
	if err := purposed(ctx, "explain a grade", a.Purpose); err != nil {
		return out, err
	}
	p, err := d.policyFor(ctx, a.Policy)
	if err != nil {
		return out, err
	}
	if a.USCC, err = d.CheckCode(a.USCC); err != nil {
		return out, err
	}
	if out.Entity, err = d.entityFor(ctx, a.USCC); err != nil {
		return out, err
	}
	if err := d.viewed(ctx, a); err != nil { // kept before it is shown: what cannot be kept is not shown
		return out, err
	}
	history := beside(func() (err error) { out.History, err = d.history(ctx, p.ID, a.USCC); return err })
	clocks, sealedBy, err := d.Clocks(ctx, p, a.AsOf)
	if err != nil {
		return out, errors.Join(err, history())
	}
	out.Changed = sealedBy != "" && sealedBy != p.SHA256
	out.Explanation, err = d.explanation(ctx, p, a.USCC, clocks)
	if missing := history(); missing != nil {
		return out, missing
	}
	if fault.Is(err, fault.NotFound) {
		return out, errors.Join(err, d.around(ctx, p, &out)) // not graded, but perhaps it was
	} else if err != nil {
		return out, err
	}
	_, out.Reasons = p.Trial(out.AsOf)
	out.Sums, out.Whole = sums(p, out.Lines)
	return out, d.around(ctx, p, &out)
}

// beside does something while the caller goes on; what it gives waits for the end of it and says what
// went wrong. The caller must wait.
func beside(do func() error) (wait func() error) {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil { // outside a request it would end the process
				done <- fault.Newf(fault.Internal, "explain a grade", "%v", p)
			}
		}()
		done <- do()
	}()
	return func() error { return <-done }
}

// around lays beside an explanation how the entity stands elsewhere.
func (d *Desk) around(ctx context.Context, p catalog.Policy, out *Explained) error {
	hits, err := d.graded(ctx, []results.Entity{out.Entity})
	if err != nil {
		return err
	}
	out.Grades = hits[0].Grades
	if auth.From(ctx).May(auth.DeliveriesSee) {
		out.Told, err = d.State.ToldOf(ctx, out.Entity.USCC, []string{p.ID}, mostTold)
	}
	return err
}

// explanation runs the explainer, and finds the next change.
func (d *Desk) explanation(ctx context.Context, p catalog.Policy, uscc string, c grading.Clocks) (e explain.Explanation, err error) {
	err = d.explainer(ctx, p, c, func(x *explain.Explainer) (err error) {
		if e, err = x.Entity(ctx, uscc, c); err != nil {
			return err
		}
		e.NextChange, err = x.NextChange(ctx, e)
		return err
	})
	return e, err
}

func (d *Desk) history(ctx context.Context, policy, uscc string) ([]results.Statement, error) {
	r, err := d.published()
	if err != nil {
		return nil, err
	}
	head, err := r.Head(ctx, policy)
	if err != nil || head.N == 0 {
		return nil, err
	}
	return r.History(ctx, head, uscc)
}

// Grades gives the newest published grades of one entity that the actor may see.
func (d *Desk) Grades(ctx context.Context, uscc, purpose string) (Hit, error) {
	if err := purposed(ctx, "look up an entity", purpose); err != nil {
		return Hit{}, err
	}
	uscc, err := d.CheckCode(uscc)
	if err != nil {
		return Hit{}, err
	}
	e, err := d.entityFor(ctx, uscc)
	if err != nil {
		return Hit{}, err
	}
	if err := d.viewed(ctx, Asked{USCC: uscc, Purpose: purpose}); err != nil {
		return Hit{}, err
	}
	hits, err := d.graded(ctx, []results.Entity{e})
	if err != nil {
		return Hit{}, err
	}
	return hits[0], nil
}
