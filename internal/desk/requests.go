package desk

import (
	"context"
	"time"

	"xinshu/internal/state"
)

// RequestAnswer is what a request with a name was answered with; Status 0: it is under way.
type RequestAnswer = state.Answer

// How long a named request is taken to be under way, and how long its answer is kept.
const (
	requestHold = time.Minute
	requestKeep = 24 * time.Hour
)

// BeginRequest notes that an actor's request of this name is under way; false, with what is known of
// it, where one of that name was made before. One whose process died is begun again only where it may
// be done twice.
func (d *Desk) BeginRequest(ctx context.Context, actor, name, digest string, repeatable bool) (RequestAnswer, bool, error) {
	return d.State.BeginRequest(ctx, actor, name, digest, repeatable, requestHold, requestKeep)
}

// EndRequest keeps a named request's answer. It is kept though the caller went away.
func (d *Desk) EndRequest(ctx context.Context, actor, name string, a RequestAnswer) error {
	return d.State.EndRequest(context.WithoutCancel(ctx), actor, name, a)
}

// LoseRequest notes that nobody knows whether a named request was done.
func (d *Desk) LoseRequest(ctx context.Context, actor, name string) error {
	return d.State.LoseRequest(context.WithoutCancel(ctx), actor, name)
}

// DropRequest forgets a named request that came to nothing.
func (d *Desk) DropRequest(ctx context.Context, actor, name string) error {
	return d.State.DropRequest(context.WithoutCancel(ctx), actor, name)
}
