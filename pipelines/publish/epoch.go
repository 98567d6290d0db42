package publish

import (
	"context"
	"strconv"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// epochChain has one entry without files for each epoch: the number of the newest is the epoch.
const epochChain = "epoch"

// epochBits is how far the epoch is shifted in a version: room for a million million statements
// about one entity in an epoch, and for eight million epochs.
const epochBits = 40

func firstVersion(epoch int64) int64 { return epoch<<epochBits + 1 }

// Chains reads and extends chains of the lake.
type Chains interface {
	Head(ctx context.Context, name string) (chain.Entry, error)
	Commit(ctx context.Context, d chain.Draft) (chain.Entry, error)
}

// Epoch is the present epoch; 0 before the first restore.
func Epoch(ctx context.Context, lake interface {
	Head(ctx context.Context, name string) (chain.Entry, error)
}) (int64, error) {
	head, err := lake.Head(ctx, epochChain)
	return head.N, err
}

// EpochOf gives the epoch of a version.
func EpochOf(version int64) int64 { return version >> epochBits }

// NewEpoch begins an epoch that is later than the present one and than above, and gives its number.
// A restore calls it before anything else, because the copy it came from may know neither the newest
// versions nor the epochs since: above is the greatest epoch it can learn of, from run state or from
// a receiver. Every version made afterwards is greater than any made before.
func NewEpoch(ctx context.Context, lake Chains, run string, above int64) (int64, error) {
	for began := false; ; {
		head, err := lake.Head(ctx, epochChain)
		if err != nil {
			return 0, err
		}
		if began && head.N > above {
			return head.N, nil
		}
		_, err = lake.Commit(ctx, chain.Draft{Base: head, Entry: chain.Entry{Chain: epochChain, Run: run,
			Intent: chain.Intent("epoch", run, strconv.FormatInt(head.N+1, 10))}})
		if err != nil && !fault.Is(err, fault.Conflict) {
			return 0, err
		}
		began = began || err == nil
	}
}
