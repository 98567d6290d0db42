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
	"xinshu/pipelines/settle"
)

// office is where cases are worked on. Its marks go through the pipeline, as runs.
func (d *Desk) office() *cases.Office {
	return &cases.Office{Catalog: d.Catalog, Rows: d.State, Lake: markLake{d}, Now: d.Now, Review: d.Review}
}

type markLake struct{ *Desk }

// State puts a case's mark into the lake. A record that is known is named by its id, and by document
// number and authority too, so that the same act reported by another source is meant as well.
func (l markLake) State(ctx context.Context, m cases.Mark) error {
	s := settle.Statement{ID: m.ID, Kind: m.Kind, USCC: m.USCC, TargetDataset: m.Target.Dataset, TargetKey: m.Target.Key, TargetRecordID: m.Target.Record,
		DocNo: m.Target.DocNo, AuthorityUSCC: m.Target.Authority, EffectiveOn: m.EffectiveOn, DecidedBy: m.DecidedBy, Evidence: m.Evidence, ReceivedOn: l.Today()}
	if s.DocNo != "" && s.AuthorityUSCC != "" {
		s.TargetDataset = ""
	}
	_, err := l.Pipeline.Mark(ctx, cases.CaseOf(m.ID), s)
	return err
}

// CaseStep is what somebody does with a case.
type CaseStep struct {
	Do       string         // accept, refuse, ask, supply, decide, confirm, return, withdraw, correct, close
	Reason   string         // of refuse, ask, supply, return, withdraw
	Evidence []cases.Item   // of supply
	Decision cases.Decision // of decide
	Queue    bool           // queue what a decision makes necessary
}

// WorkCase does one step and gives the case afterwards.
func (d *Desk) WorkCase(ctx context.Context, no string, s CaseStep) (CaseView, error) {
	right := auth.CasesDecide
	if s.Do == "supply" || s.Do == "withdraw" { // what the side of the applicant does
		right = auth.CasesOpen
	}
	if err := auth.Require(ctx, right); err != nil {
		return CaseView{}, err
	}
	before, err := d.caseView(ctx, no)
	if err != nil {
		return before, err
	}
	act := auth.Act{Action: "case." + s.Do, Kind: "case", ID: no, USCC: before.USCC, Detail: map[string]string{"reason": cmp.Or(s.Reason, s.Decision.Reason)}}
	err = d.noted(ctx, act, func() error {
		if _, err := d.CatchCases(ctx, no); err != nil {
			return err
		}
		return d.stepCase(ctx, before, s)
	})
	if err != nil {
		return before, err
	}
	after, err := d.caseView(ctx, no)
	if err == nil && s.Queue && after.State == cases.Upheld && before.State != cases.Upheld {
		err = d.QueueCorrections(ctx, no)
	}
	return after, err
}

func (d *Desk) stepCase(ctx context.Context, v CaseView, s CaseStep) (err error) {
	o, by, no := d.office(), decider(ctx), v.No
	switch s.Do {
	case "accept":
		_, err = o.Accept(ctx, no, by)
	case "refuse":
		_, err = o.Refuse(ctx, no, by, s.Reason)
	case "ask":
		_, err = o.Ask(ctx, no, by, s.Reason)
	case "supply":
		_, err = o.Supply(ctx, no, by, s.Evidence, s.Reason)
	case "decide":
		_, err = o.Decide(ctx, no, by, s.Decision)
	case "confirm":
		_, err = o.Confirm(ctx, no, by)
	case "return":
		_, err = o.Return(ctx, no, by, s.Reason)
	case "withdraw":
		_, err = o.Withdraw(ctx, no, by, s.Reason)
	case "correct":
		err = d.QueueCorrections(ctx, no)
	case "close":
		if err = d.answered(v); err == nil {
			_, err = o.Close(ctx, no, by)
		}
	default:
		err = fault.Newf(fault.Invalid, "work on case "+no, "%q is no step", s.Do)
	}
	return err
}

// answered refuses to close a case that somebody still holds an old result of (Jiangyin, three (six)).
func (d *Desk) answered(v CaseView) error {
	for _, r := range v.Results {
		if !r.Done {
			return &fault.Error{Op: "close case " + v.No, Code: fault.Conflict, Err: fmt.Errorf("the result of %s as of %s is not corrected yet", r.Policy, r.AsOf), Hint: "run " + r.Command()}
		}
	}
	if len(v.Waits) > 0 {
		return &fault.Error{Op: "close case " + v.No, Code: fault.Conflict, Err: fmt.Errorf("%v have not answered for what they were sent", v.Waits), Hint: "push again, or look at the deliveries"}
	}
	return nil
}

// CatchCases brings cases up to the marks in the lake; one case, or all where none is named.
func (d *Desk) CatchCases(ctx context.Context, no string) (int, error) {
	marks, err := d.caseMarks(ctx, no)
	if err != nil {
		return 0, err
	}
	said := make([]cases.Said, 0, len(marks))
	for _, m := range slices.Backward(marks) { // as they were said
		if m.EffectiveOn == nil || m.ReceivedOn == nil {
			continue
		}
		said = append(said, cases.Said{ReceivedOn: *m.ReceivedOn, Mark: cases.Mark{ID: m.ID, Kind: m.Kind, USCC: m.USCC, EffectiveOn: *m.EffectiveOn,
			DecidedBy: m.DecidedBy, Evidence: m.Evidence, Target: cases.Target{Record: m.Record, Dataset: m.Dataset, Key: m.Key, DocNo: m.DocNo, Authority: m.Authority, DecidedOn: catalog.NoDate}}})
	}
	return d.office().Catch(ctx, said)
}

// caseMarks gives what one case said in the lake, or what all of them did.
func (d *Desk) caseMarks(ctx context.Context, no string) ([]explain.Mark, error) {
	if no == "" {
		return explain.Marks(ctx, d.explainOptions(), explain.ByCases)
	}
	return explain.Marks(ctx, d.explainOptions(), explain.OfCase, no)
}
