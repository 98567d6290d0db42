package push

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

	"xinshu/internal/fault"
)

// Retry says when a delivery that failed is tried again. Its zero value: waits of up to 1, 2, 4 ...
// minutes, never more than an hour, a person's attention after 8 attempts, a day for late answers.
type Retry struct {
	Base         time.Duration // longest wait after the first failure; doubles with each; 0: a minute
	Cap          time.Duration // longest wait of all; 0: an hour
	Attempts     int           // attempts without an answer before a delivery is open for a person; 0: 8
	AnswerWithin time.Duration // how long an answer promised for later is waited for; 0: 24 hours
}

// after gives the time of the next attempt and whether a person must look. Only what is unavailable
// is retried by itself; anything else the target refused would be refused again. A target that stays
// out of reach is open for a person and is still tried at the longest wait, so that it catches up
// by itself when it is back.
func (r Retry) after(delivery string, attempt int, cause error, now time.Time) (again time.Time, open bool) {
	if !fault.Is(cause, fault.Unavailable) {
		return time.Time{}, true
	}
	return now.Add(r.wait(delivery, attempt)), attempt >= r.attempts()
}

// wait is a full jitter: anything from 0 to the longest wait of this attempt, drawn from the
// delivery's id and the attempt, so that many deliveries spread and one delivery repeats.
func (r Retry) wait(delivery string, attempt int) time.Duration {
	longest, limit := or(r.Base, time.Minute), or(r.Cap, time.Hour)
	for range attempt - 1 {
		if longest *= 2; longest >= limit {
			break
		}
	}
	longest = min(longest, limit)
	draw := sha256.Sum256([]byte(delivery + "\x1f" + strconv.Itoa(attempt)))
	return time.Duration(binary.BigEndian.Uint64(draw[:8]) % uint64(longest))
}

func (r Retry) attempts() int { return or(r.Attempts, 8) }

func (r Retry) answerWithin() time.Duration { return or(r.AnswerWithin, 24*time.Hour) }

func or[T int | time.Duration](value, standard T) T {
	if value > 0 {
		return value
	}
	return standard
}
