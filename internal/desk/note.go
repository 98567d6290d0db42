package desk

import (
	"context"
	"log/slog"

	"xinshu/internal/auth"
)

// note writes down in the trail that the actor does something about a thing. What cannot be kept is
// not done.
func (d *Desk) note(ctx context.Context, action, kind, subject string, detail map[string]string) error {
	slog.InfoContext(ctx, "done", "action", action, "kind", kind, "subject", subject, "by", auth.From(ctx).ID)
	if d.Trail == nil {
		return nil
	}
	return d.Trail.Record(ctx, auth.Act{Action: action, Kind: kind, ID: subject, Detail: detail})
}
