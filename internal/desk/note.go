package desk

import (
	"context"
	"errors"

	"xinshu/internal/auth"
)

// record writes down that the actor does something. What cannot be written down is not done: call it first.
func (d *Desk) record(ctx context.Context, a auth.Act) error {
	if d.Trail == nil {
		return nil
	}
	return d.Trail.Record(ctx, a)
}

// note is record for an act that needs no more words.
func (d *Desk) note(ctx context.Context, action, kind, subject string, detail map[string]string) error {
	return d.record(ctx, auth.Act{Action: action, Kind: kind, ID: subject, Detail: detail})
}

// noted does something that is written down first; that it failed is written down too.
func (d *Desk) noted(ctx context.Context, a auth.Act, do func() error) error {
	if err := d.record(ctx, a); err != nil {
		return err
	}
	err := do()
	if err != nil {
		a.Outcome = auth.Failed
		err = errors.Join(err, d.record(context.WithoutCancel(ctx), a))
	}
	return err
}

// decider is by what name a decision of the context's actor is kept in the lake: the account, or whom
// the command line named.
func decider(ctx context.Context) string {
	a := auth.From(ctx)
	if a.Way == "shell" {
		return a.Name
	}
	return a.ID
}

// noting is noted for an act that gives something back.
func noting[T any](ctx context.Context, d *Desk, a auth.Act, do func() (T, error)) (given T, err error) {
	err = d.noted(ctx, a, func() (err error) {
		given, err = do()
		return err
	})
	return given, err
}
