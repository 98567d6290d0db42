package desk

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"xinshu/internal/auth"
	"xinshu/pipelines/schedule"
)

// Replay queues a task that makes what was published in a window due once more for one target; no
// policies: all. It is a task because a window may hold millions of rows.
func (d *Desk) Replay(ctx context.Context, target string, policies []string, r schedule.Replay) (t schedule.Task, err error) {
	if err := auth.Require(ctx, auth.DeliveriesChange); err != nil {
		return t, err
	}
	if err := d.hasTarget(ctx, target); err != nil {
		return t, err
	}
	w := schedule.Work{Do: schedule.DoReplay, Targets: []string{target}, Policies: policies, Replay: &r}
	if err := w.Check(); err != nil {
		return t, err
	}
	window := r.From.Format(time.RFC3339) + " to " + r.Until.Format(time.RFC3339)
	if r.First > 0 {
		window = "releases " + strconv.FormatInt(r.First, 10) + " to " + strconv.FormatInt(r.Last, 10)
	}
	act := auth.Act{Action: "deliveries.replay", Kind: "target", ID: target,
		Detail: map[string]string{"reason": r.Reason, "window": window, "policies": fmt.Sprint(policies)}}
	return noting(ctx, d, act, func() (schedule.Task, error) { return d.Book.Start(ctx, w, decider(ctx)) })
}
