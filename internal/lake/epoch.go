package lake

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"xinshu/internal/fault"
)

const epochPrefix = "epoch/"

// maxEpoch keeps epoch << 40 inside a BIGINT.
const maxEpoch = 1<<23 - 1

// epochMark is the object that begins an epoch.
type epochMark struct {
	Format    int    `json:"format"`
	Epoch     int64  `json:"epoch"`
	Reason    string `json:"reason"`
	WrittenAt string `json:"written_at"`
}

// Epoch gives the epoch that versions of grades are counted in: 0 until a restore begins another.
func (l *Lake) Epoch(ctx context.Context) (int64, error) {
	var newest int64
	for info, err := range l.store.List(ctx, epochPrefix, "") {
		if err != nil {
			return 0, failed("read epoch", err)
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(info.Key, epochPrefix), ".json"), 10, 64)
		if err != nil {
			return 0, fault.Newf(fault.Invalid, "read epoch", "%s is no epoch", info.Key)
		}
		newest = n
	}
	return newest, nil
}

// NewEpoch begins an epoch above the lake's own and above any that a receiver has seen, and gives its
// number. A restore calls it before anything else: versions counted after it are greater than those
// the lost store may have given out. A caller that knows of none passes 0.
func (l *Lake) NewEpoch(ctx context.Context, seen int64, reason string) (int64, error) {
	const op = "begin epoch"
	for {
		own, err := l.Epoch(ctx)
		if err != nil {
			return 0, err
		}
		next := max(own, seen) + 1
		if next > maxEpoch || seen < 0 {
			return 0, fault.Newf(fault.Invalid, op, "epoch %d is out of range", next)
		}
		body, err := canonical(epochMark{Format: entryFormat, Epoch: next, Reason: reason,
			WrittenAt: l.now().UTC().Format(time.RFC3339)})
		if err != nil {
			return 0, failed(op, err)
		}
		// After ErrUnsure the number may be ours or another's: it is spent, and numbers are plenty.
		err = l.store.Put(ctx, fmt.Sprintf("%s%07d.json", epochPrefix, next), body)
		if !errors.Is(err, ErrExists) {
			return next, failed(op, err)
		}
	}
}
