package restapi

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

var errDrip = errors.New("the answer comes too slowly")

// drip ends an answer that comes slower than least bytes in every stretch of time: a platform that
// sends a byte a minute would otherwise hold a pull until total_timeout.
type drip struct {
	came  atomic.Int64
	least int64
	every time.Duration
	stop  context.CancelCauseFunc

	mu    sync.Mutex
	last  int64
	ended bool
	timer *time.Timer
}

func watchDrip(every time.Duration, least int64, stop context.CancelCauseFunc) *drip {
	d := &drip{least: least, every: every, stop: stop}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.timer = time.AfterFunc(every, d.look)
	return d
}

func (d *drip) look() {
	d.mu.Lock()
	defer d.mu.Unlock()
	came := d.came.Load()
	if d.ended {
		return
	}
	if came-d.last < d.least {
		d.stop(errDrip)
		return
	}
	d.last = came
	d.timer.Reset(d.every)
}

func (d *drip) count(n int) { d.came.Add(int64(n)) }

func (d *drip) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.timer.Stop()
	d.ended = true
}
