package desk

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"xinshu/connectors"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/state"
	"xinshu/pipelines/push"
)

// Sent is a delivery as run state keeps it, for who may not ask it.
type Sent = state.Delivery

// ReceiptIn is a receipt that a platform brings by itself, after its delivery.
type ReceiptIn struct {
	Target   string // empty: the one that the client is named after
	Delivery string
	Receipt  connectors.Receipt
}

// Receipt takes a receipt. The same one may come twice, and receipts in any order: an acceptance
// stands. A client answers for the target of its own name and for no other.
func (d *Desk) Receipt(ctx context.Context, in ReceiptIn) error {
	const op = "take a receipt"
	target, err := answersFor(ctx, op, in.Target)
	if err != nil {
		return err
	}
	// A delivery's name begins with its target's, also one that a rebuilt database does not know.
	unknown := &fault.Error{Op: op, Code: fault.NotFound, Hint: "there is no such delivery to this target; name it as it came"}
	if !strings.HasPrefix(in.Delivery, target+"-") {
		return unknown
	}
	switch known, err := d.State.Delivery(ctx, in.Delivery); {
	case err == nil && known.Target != target:
		return unknown
	case err != nil && !fault.Is(err, fault.NotFound):
		return err
	}
	ids, err := d.State.Members(ctx, in.Delivery)
	if err != nil {
		return err
	}
	rows := push.Judge(ids, in.Receipt)
	if err := d.note(ctx, "receipt.post", "delivery", in.Delivery, map[string]string{
		"target": target, "code": in.Receipt.Code, "accepted": strconv.FormatInt(in.Receipt.Accepted, 10), "rejected": strconv.FormatInt(in.Receipt.Rejected, 10)}); err != nil {
		return err
	}
	return d.State.AnsweredLater(ctx, target, in.Delivery, in.Receipt, rows)
}

// answersFor gives the target that the actor may answer for.
func answersFor(ctx context.Context, op, named string) (string, error) {
	actor := auth.From(ctx)
	own, client := strings.CutPrefix(actor.ID, auth.ClientID(""))
	switch {
	case client && (named == "" || named == own):
		return own, nil
	case strings.HasPrefix(actor.ID, auth.Shell("").ID) && named != "":
		return named, nil
	}
	return "", &fault.Error{Op: op, Code: fault.Forbidden, Err: errors.New("this account does not answer for the target"),
		Hint: "a receipt comes with a key whose owner is the client of the target's own name"}
}
