package auth

import (
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"xinshu/internal/fault"
)

// Limits bound how often one client and one address ask of this node: several nodes count apart. The table is bounded too: a flood from many
// addresses costs no memory, those that find no room in it share one bucket.
type Limits struct {
	client, address rate.Limit
	now             func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket
	rest    *bucket
	swept   time.Time
}

type bucket struct {
	*rate.Limiter
	used time.Time
}

const (
	mostBuckets = 20_000
	burstOver   = 4  // seconds of the rate that may come at once
	failureCost = 20 // a refused proof weighs as much as so many requests
)

// NewLimits bounds requests a second of a client (a user, or a program's key owner) and of an address.
// Zero takes the defaults: 50 and 200.
func NewLimits(client, address float64, now func() time.Time) *Limits {
	if client <= 0 {
		client = 50
	}
	if address <= 0 {
		address = 200
	}
	l := &Limits{client: rate.Limit(client), address: rate.Limit(address), now: now, buckets: map[string]*bucket{}}
	l.rest = l.bucket("at:")
	return l
}

func (l *Limits) bucket(who string) *bucket {
	limit := l.client
	if strings.HasPrefix(who, "at:") {
		limit = l.address
	}
	return &bucket{Limiter: rate.NewLimiter(limit, max(int(limit)*burstOver, failureCost))}
}

// Take lets one request pass, or says when the next may.
func (l *Limits) Take(who string) error { return l.take(who, 1) }

// Failed makes an address wait that shows proofs which do not hold.
func (l *Limits) Failed(who string) error { return l.take(who, failureCost) }

func (l *Limits) take(who string, n int) error {
	now := l.now()
	l.mu.Lock()
	b, ok := l.buckets[who]
	if !ok {
		if len(l.buckets) >= mostBuckets && now.Sub(l.swept) >= time.Second {
			l.sweep(now)
		}
		b = l.rest
		if len(l.buckets) < mostBuckets {
			b = l.bucket(who)
			l.buckets[who] = b
		}
	}
	b.used = now
	l.mu.Unlock()
	wait := b.ReserveN(now, n)
	if d := wait.DelayFrom(now); !wait.OK() || d > 0 {
		wait.CancelAt(now)
		return &fault.Error{Op: "take a request", Code: fault.TooMany, Err: &TooSoon{max(d, time.Second)}, Hint: "ask less often; changes can be read in larger pages; each node of the hub counts for itself"}
	}
	return nil
}

// sweep forgets buckets that are full again: a new one would be the same.
func (l *Limits) sweep(now time.Time) {
	l.swept = now
	for who, b := range l.buckets {
		if now.Sub(b.used) > burstOver*time.Second {
			delete(l.buckets, who)
		}
	}
}
