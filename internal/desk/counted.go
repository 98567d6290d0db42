package desk

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"xinshu/internal/state"
)

// counted is the count of every target's rows and of what waits for it, which is a look at all of them:
// seconds, where millions wait or were answered. It is made anew when it is older than a while and than twenty times the time
// it took; meanwhile the last one is given, with the moment it was made.
type counted struct {
	mu      sync.Mutex
	rows    []state.Count
	waiting []state.Lag
	at      time.Time // by the hub's clock, for people
	made    time.Time // by the machine's, zero: to be made anew
	took    time.Duration
	running bool
}

const countAnew = 20 * time.Second

func (d *Desk) counts(ctx context.Context) ([]state.Count, time.Time, error) {
	rows, _, at, err := d.standOfTargets(ctx)
	return rows, at, err
}

// standOfTargets gives the counts with what waits, and the moment of both.
func (d *Desk) standOfTargets(ctx context.Context) ([]state.Count, []state.Lag, time.Time, error) {
	c := &d.kept.counted
	c.mu.Lock()
	defer c.mu.Unlock()
	age := time.Since(c.made)
	switch {
	case c.rows == nil || c.made.IsZero() && c.took < 200*time.Millisecond:
		if err := c.count(ctx, d); err != nil {
			return nil, nil, time.Time{}, err
		}
	case age > max(countAnew, 20*c.took) && !c.running:
		c.running = true
		go d.recount(context.WithoutCancel(ctx))
	}
	return c.rows, c.waiting, c.at, nil
}

// recount counts beside whoever asks; they get the last count until it is done.
func (d *Desk) recount(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	fresh := counted{}
	err := fresh.count(ctx, d)
	c := &d.kept.counted
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = false
	if err != nil {
		slog.WarnContext(ctx, "count deliveries", "error", err)
		return
	}
	c.rows, c.waiting, c.at, c.made, c.took = fresh.rows, fresh.waiting, fresh.at, fresh.made, fresh.took
}

func (c *counted) count(ctx context.Context, d *Desk) error {
	began := time.Now()
	rows, err := d.State.Counts(ctx)
	if err != nil {
		return err
	}
	waiting, err := d.State.Lags(ctx)
	if err != nil {
		return err
	}
	if rows == nil {
		rows = []state.Count{}
	}
	c.waiting = waiting
	c.rows, c.at, c.made, c.took = rows, d.Now(), time.Now(), time.Since(began)
	return nil
}

// forgetCounts has them made anew, after something was changed.
func (d *Desk) forgetCounts() {
	d.kept.counted.mu.Lock()
	defer d.kept.counted.mu.Unlock()
	d.kept.counted.made = time.Time{}
}
