package cases

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// Rows keeps cases.
type Rows interface {
	// AddCase gives a case its number and stores it with the first line of its history.
	AddCase(ctx context.Context, c Case, e Event) (Case, error)
	// RestoreCase stores a case under the number it has; one that is there already stays as it is.
	RestoreCase(ctx context.Context, c Case, e Event) (added bool, err error)
	// SaveCase stores a case read before with a line of history; conflict when it changed meanwhile.
	SaveCase(ctx context.Context, c Case, e Event) (Case, error)
	// Case gives one case with its history; not_found when there is none.
	Case(ctx context.Context, no string) (Case, []Event, error)
	// Cases gives cases, the newest first.
	Cases(ctx context.Context, f Filter) ([]Case, error)
}

// Lake takes marks. A mark that stands already with the same content changes nothing.
type Lake interface {
	State(ctx context.Context, m Mark) error
}

// Office does what people do with cases. Its fields are set once, before use. What changes a score is
// said in the lake before the row says so: a kill between the two leaves a row that is behind, and the
// same step done again, or Catch, brings it up.
type Office struct {
	Catalog *catalog.Catalog
	Rows    Rows
	Lake    Lake
	Now     func() time.Time
	Review  []Kind // kinds whose decision a second person confirms
}

func (o *Office) today() catalog.Date { return catalog.DateOf(o.Now()) }

// Open registers an application.
func (o *Office) Open(ctx context.Context, c Case, by string) (Case, error) {
	if c.ReceivedOn == catalog.NoDate {
		c.ReceivedOn = o.today()
	}
	if err := c.Check(o.Catalog, o.today()); err != nil {
		return c, err
	}
	c.State, c.WaitingSince = Open, catalog.NoDate
	c.Limit = LimitOf(c.Kind, c.Policy, o.Catalog.Policies)
	return o.Rows.AddCase(ctx, c, Event{By: by, What: Open, Note: c.Claim})
}

// Accept takes an application up. From then on the record of an objection is disputed.
func (o *Office) Accept(ctx context.Context, no, by string) (Case, error) {
	c, _, err := o.Rows.Case(ctx, no)
	if err != nil || c.State == Accepted {
		return c, err
	}
	if err := c.from("accept", Open); err != nil {
		return c, err
	}
	if m, says := c.opened(by); says {
		if err := o.Lake.State(ctx, m); err != nil {
			return c, err
		}
	}
	return o.move(ctx, c, Accepted, by, "")
}

// Refuse sends an application back with a reason: it is none, or not ours to decide.
func (o *Office) Refuse(ctx context.Context, no, by, reason string) (Case, error) {
	return o.step(ctx, no, "refuse", Refused, by, reason, Open)
}

// Ask has the applicant bring what is missing. Where the notice says so the clock stands meanwhile.
func (o *Office) Ask(ctx context.Context, no, by, what string) (Case, error) {
	c, _, err := o.Rows.Case(ctx, no)
	if err != nil {
		return c, err
	}
	if err := c.from("ask for papers in", Accepted); err != nil {
		return c, err
	}
	if what = clean(what); what == "" {
		return c, &fault.Error{Op: "ask for papers in " + no, Code: fault.Invalid, Err: errors.New("it is not said what is missing"), Hint: "the applicant is told everything that is missing at once"}
	}
	c.WaitingSince = o.today()
	return o.move(ctx, c, Waiting, by, what)
}

// Supply takes what the applicant brought; the case goes on.
func (o *Office) Supply(ctx context.Context, no, by string, items []Item, note string) (Case, error) {
	c, _, err := o.Rows.Case(ctx, no)
	if err != nil {
		return c, err
	}
	if err := c.from("take papers in", Waiting); err != nil {
		return c, err
	}
	c.Evidence = append(slices.Clone(c.Evidence), items...)
	state := c.State
	if err := c.Check(o.Catalog, o.today()); err != nil {
		return c, err
	}
	c.State = state
	if c.Limit.Pauses {
		n, err := o.Catalog.Calendars.Workdays(c.WaitingSince, o.today())
		if err != nil {
			return c, err
		}
		c.PausedDays += n
	}
	c.WaitingSince = catalog.NoDate
	return o.move(ctx, c, Accepted, by, clean(note))
}

// Decide decides a case, or proposes a decision where a second person has to confirm it. Deciding the
// same again changes nothing; deciding otherwise is refused, for a decision was told to somebody.
func (o *Office) Decide(ctx context.Context, no, by string, d Decision) (Case, error) {
	c, _, err := o.Rows.Case(ctx, no)
	if err != nil {
		return c, err
	}
	d.By, d.ReviewedBy = by, ""
	if d.DecidedOn == catalog.NoDate {
		d.DecidedOn = o.today()
	}
	review := slices.Contains(o.Review, c.Kind)
	if c.Decision != nil {
		switch {
		case !same(*c.Decision, d):
			return c, &fault.Error{Op: "decide " + no, Code: fault.Conflict, Err: fmt.Errorf("it is %s already, by %s on %s", c.State, c.Decision.By, c.Decision.DecidedOn),
				Hint: "a decision stays, and a proposed one is returned first; who disagrees with a decision opens a case anew"}
		case c.State != Proposed || review:
			return c, nil
		}
		return o.settle(ctx, c, by) // it was proposed by a process that died before it could say so in the lake
	}
	if err := c.from("decide", Open, Accepted, Waiting); err != nil {
		return c, err
	}
	if err := c.checkDecision(&d, o.Catalog, o.today()); err != nil {
		return c, err
	}
	if c.State == Open {
		if c, err = o.Accept(ctx, no, by); err != nil {
			return c, err
		}
	}
	if c, err = o.propose(ctx, c, d, by); err != nil || review {
		return c, err
	}
	return o.settle(ctx, c, by)
}

// propose writes a decision down before anything follows from it. Of two persons who decide at once
// one is refused here, so that the lake hears one decision.
func (o *Office) propose(ctx context.Context, c Case, d Decision, by string) (Case, error) {
	c.WaitingSince, c.Decision = catalog.NoDate, &d
	return o.move(ctx, c, Proposed, by, d.Reason)
}

// Confirm makes a proposed decision by a second person; Return gives it back to be decided anew.
func (o *Office) Confirm(ctx context.Context, no, by string) (Case, error) {
	c, _, err := o.Rows.Case(ctx, no)
	if err != nil {
		return c, err
	}
	if c.Decision != nil && c.State.Decided() && c.Decision.ReviewedBy == by {
		return c, nil
	}
	if err := c.from("confirm", Proposed); err != nil {
		return c, err
	}
	d := *c.Decision
	if slices.Contains(o.Review, c.Kind) && !d.Withdrawn {
		if err := another("confirm "+no, d.By, by); err != nil {
			return c, err
		}
		d.ReviewedBy = by
	}
	c.Decision = &d
	return o.settle(ctx, c, by)
}

// Return gives a proposed decision back.
func (o *Office) Return(ctx context.Context, no, by, reason string) (Case, error) {
	c, _, err := o.Rows.Case(ctx, no)
	if err != nil {
		return c, err
	}
	if err := c.from("return", Proposed); err != nil {
		return c, err
	}
	c.Decision = nil
	return o.move(ctx, c, Accepted, by, clean(reason))
}

// Withdraw ends a case because the applicant asks for it. A disputed record is in force again.
func (o *Office) Withdraw(ctx context.Context, no, by, reason string) (Case, error) {
	c, _, err := o.Rows.Case(ctx, no)
	if err != nil || c.State == Withdrawn {
		return c, err
	}
	if c.State == Open {
		return o.move(ctx, c, Withdrawn, by, clean(reason))
	}
	if c.State == Proposed && c.Decision.Withdrawn {
		return o.settle(ctx, c, by)
	}
	if err := c.from("withdraw", Accepted, Waiting); err != nil {
		return c, err
	}
	d := Decision{Withdrawn: true, DecidedOn: o.today(), Reason: strings.TrimSpace(withdrawnWords + clean(reason)), By: by}
	if c, err = o.propose(ctx, c, d, by); err != nil {
		return c, err
	}
	return o.settle(ctx, c, by)
}

// withdrawnWords begin the evidence of a mark that ends a dispute because nobody disputes any more.
const withdrawnWords = "withdrawn by the applicant: "

// Close ends an upheld case once everybody who holds the old result has answered for the new one.
func (o *Office) Close(ctx context.Context, no, by string) (Case, error) {
	c, _, err := o.Rows.Case(ctx, no)
	if err != nil || c.State == Closed {
		return c, err
	}
	if err := c.from("close", Upheld, Rejected); err != nil {
		return c, err
	}
	return o.move(ctx, c, Closed, by, "")
}

// settle says the decision in the lake and then in the row.
func (o *Office) settle(ctx context.Context, c Case, by string) (Case, error) {
	if m, says := c.settled(*c.Decision); says {
		if err := o.Lake.State(ctx, m); err != nil {
			return c, err
		}
	}
	return o.move(ctx, c, outcome(*c.Decision), by, c.Decision.Reason)
}

func outcome(d Decision) State {
	switch {
	case d.Withdrawn:
		return Withdrawn
	case d.Upheld:
		return Upheld
	}
	return Rejected
}

func (o *Office) step(ctx context.Context, no, what string, to State, by, reason string, from ...State) (Case, error) {
	c, _, err := o.Rows.Case(ctx, no)
	if err != nil || c.State == to {
		return c, err
	}
	if err := c.from(what, from...); err != nil {
		return c, err
	}
	if reason = clean(reason); reason == "" {
		return c, &fault.Error{Op: what + " " + no, Code: fault.Invalid, Err: errors.New("no reason is given"), Hint: "the entity is told why"}
	}
	return o.move(ctx, c, to, by, reason)
}

func (o *Office) move(ctx context.Context, c Case, to State, by, note string) (Case, error) {
	c.State = to
	return o.Rows.SaveCase(ctx, c, Event{By: by, What: to, Note: note})
}

// from refuses a step that the case's state does not lead to.
func (c Case) from(what string, states ...State) error {
	if slices.Contains(states, c.State) {
		return nil
	}
	return &fault.Error{Op: what + " " + c.No, Code: fault.Conflict, Err: fmt.Errorf("the case is %s", c.State), Hint: "look at its history: somebody may have been faster"}
}

// another demands a second person.
func another(op, first, second string) error {
	if first != second {
		return nil
	}
	return &fault.Error{Op: op, Code: fault.Forbidden, Err: errors.New("who proposed it cannot confirm it"), Hint: "a second person with the right does"}
}

// same says whether two decisions say the same, whoever entered them.
func same(a, b Decision) bool {
	a.By, a.ReviewedBy, b.By, b.ReviewedBy = "", "", "", ""
	b.Reason, b.DocNo = clean(b.Reason), clean(b.DocNo)
	return a == b
}
