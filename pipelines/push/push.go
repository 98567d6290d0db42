// Package push owns the way of published changes to the targets: what of a row a target gets, when a
// delivery is tried again, and what a receipt means. It refuses to decide who gets what (run state
// fills the outbox by the targets' limits) and to speak any protocol. Deliveries come from the
// outbox, go to a connectors.Pusher, and their receipts go back to the outbox.
//
// Delivery is at least once with an idempotent id: after a crash a row may be sent again, always
// under the same row id, and the receiver keeps one record per id. Per entity and policy a target
// is sent versions in growing order, and of several that wait only the newest.
package push

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// Outbox is the part of run state that pushing needs.
type Outbox interface {
	// Claim gives the next delivery due, with how often it was tried, or false. Its rows are
	// remembered as possibly received before it returns.
	Claim(ctx context.Context, target string, most int) (d connectors.Delivery, attempts int, found bool, err error)
	// Failed records an attempt without an answer; with open the delivery waits for a person.
	Failed(ctx context.Context, delivery string, cause error, again time.Time, open bool) error
	// Answered records the answer to an attempt. Rows not named wait for their answer until again;
	// with no again they wait for a person.
	Answered(ctx context.Context, d connectors.Delivery, r connectors.Receipt, rows []connectors.RowReceipt, again time.Time) error
	// AnsweredLater records a receipt that came after its attempt, also the second time.
	AnsweredLater(ctx context.Context, target, delivery string, r connectors.Receipt, rows []connectors.RowReceipt) error
	// Members gives the ids of a delivery's rows; none when it is unknown.
	Members(ctx context.Context, delivery string) ([]string, error)
	// Totals counts a target's rows, over all time.
	Totals(ctx context.Context, target string) (sent, acknowledged, rejected, open int64, err error)
}

// Target is one receiver.
type Target struct {
	ID     string
	Fields []string // of a result, beside those that always travel; empty: all
	Batch  int      // most rows in one delivery; 0: 500
	Pusher connectors.Pusher
}

// Sender pushes what is due.
type Sender struct {
	Outbox Outbox
	Retry  Retry
	Now    func() time.Time
}

// Report says how far a target is. The counts are rows over all time.
type Report struct {
	Target       string `json:"target"`
	Deliveries   int    `json:"deliveries"` // attempts in this run
	Sent         int64  `json:"sent"`
	Acknowledged int64  `json:"acknowledged"`
	Rejected     int64  `json:"rejected"`
	Open         int64  `json:"open"`
	Failure      string `json:"failure,omitempty"` // why this target got no further in this run
}

// Push brings every target everything that is due now, the targets side by side, and takes in what
// they have answered since. A target that fails does not hold up the others: its delivery waits, and
// the report says why. The error is one of run state, or the end of ctx.
func (s *Sender) Push(ctx context.Context, targets []Target) ([]Report, error) {
	reports := make([]Report, len(targets))
	errs := make([]error, len(targets))
	var wg sync.WaitGroup
	for i, t := range targets {
		wg.Go(func() { reports[i], errs[i] = s.pushTo(ctx, t) })
	}
	wg.Wait()
	return reports, errors.Join(errs...)
}

func (s *Sender) pushTo(ctx context.Context, t Target) (Report, error) {
	r := Report{Target: t.ID}
	failure, err := s.deliver(ctx, t, &r)
	if err != nil {
		return r, fmt.Errorf("push to %s: %w", t.ID, err)
	}
	if failure != nil {
		r.Failure = failure.Error()
	}
	r.Sent, r.Acknowledged, r.Rejected, r.Open, err = s.Outbox.Totals(ctx, t.ID)
	return r, err
}

// deliver takes in answers, sends until nothing is due, and takes in answers again, because a quick
// platform has answered by then. It gives the platform's failure apart from an error of ours.
func (s *Sender) deliver(ctx context.Context, t Target, r *Report) (failure, err error) {
	if failure, err = s.takeAnswers(ctx, t); err != nil {
		return failure, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return failure, err
		}
		d, attempts, found, err := s.Outbox.Claim(ctx, t.ID, t.batch())
		if err != nil {
			return failure, err
		}
		if !found {
			break
		}
		r.Deliveries++
		refused, err := s.send(ctx, t, d, attempts+1)
		if err != nil {
			return failure, err
		}
		if refused != nil {
			failure = refused
		}
	}
	if r.Deliveries == 0 {
		return failure, nil
	}
	later, err := s.takeAnswers(ctx, t)
	return errors.Join(failure, later), err
}

// send makes one attempt and records what came of it.
func (s *Sender) send(ctx context.Context, t Target, d connectors.Delivery, attempt int) (refused, err error) {
	if err := tailor(&d, t.Fields); err != nil {
		return nil, err
	}
	fault.At(fault.BeforeSend)
	receipt, refused := t.Pusher.Push(ctx, d)
	fault.At(fault.AfterSend)
	if refused != nil {
		if err := ctx.Err(); err != nil {
			return nil, err // we were stopped, the platform is not to blame: the delivery is still due
		}
		again, open := s.Retry.after(d.ID, attempt, refused, s.Now())
		return refused, s.Outbox.Failed(ctx, d.ID, refused, again, open)
	}
	rows := Judge(rowIDs(d), receipt)
	again := time.Time{}
	if receipt.Pending && attempt < s.Retry.attempts() {
		again = s.Now().Add(s.Retry.answerWithin())
	}
	fault.At(fault.BeforeReceipt)
	return nil, s.Outbox.Answered(ctx, d, receipt, rows, again)
}

// takeAnswers stores the receipts that a platform gave later, each before the platform may forget it.
// One that cannot be read does not hold up those behind it.
func (s *Sender) takeAnswers(ctx context.Context, t Target) (failure, err error) {
	answerer, ok := t.Pusher.(connectors.Answerer)
	if !ok {
		return nil, nil
	}
	var failures []error
	for answer, failure := range answerer.Answers(ctx) {
		if failure == nil {
			if err := s.takeAnswer(ctx, t, answer); err != nil {
				return nil, err
			}
			failure = answerer.Taken(ctx, answer) // not taken, it comes again and changes nothing
		}
		failures = append(failures, failure)
	}
	return errors.Join(failures...), ctx.Err()
}

func (s *Sender) takeAnswer(ctx context.Context, t Target, answer connectors.Answer) error {
	ids, err := s.Outbox.Members(ctx, answer.DeliveryID)
	if err != nil {
		return err
	}
	fault.At(fault.BeforeReceipt)
	return s.Outbox.AnsweredLater(ctx, t.ID, answer.DeliveryID, answer.Receipt, Judge(ids, answer.Receipt))
}

func (t Target) batch() int {
	if t.Batch > 0 {
		return t.Batch
	}
	return 500
}

func rowIDs(d connectors.Delivery) []string {
	ids := make([]string, len(d.Rows))
	for i, r := range d.Rows {
		ids[i] = r.ID
	}
	return ids
}
