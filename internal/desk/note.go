package desk

import (
	"context"
	"log/slog"

	"xinshu/internal/auth"
)

// note writes down that the actor did something about a thing.
func (d *Desk) note(ctx context.Context, action, kind, subject string, detail map[string]string) error {
	slog.InfoContext(ctx, "done", "action", action, "kind", kind, "subject", subject, "by", auth.From(ctx).ID)
	return nil
}
