package lake

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"
)

// Probed is what a trial write told about a store.
type Probed struct {
	Refuses bool          // a second write under one name is refused, which is what every commit stands on
	Took    time.Duration // of one small write
	Skew    time.Duration // how far the store's clock is ahead of this machine's
}

// Probe writes a small object under a name of its own twice and takes it away again.
func (l *Lake) Probe(ctx context.Context) (p Probed, err error) {
	const op = "try the store"
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, says its documentation
	key := "probe/" + hex.EncodeToString(b[:])
	began := time.Now()
	if err := l.store.Put(ctx, key, []byte("first")); err != nil {
		return p, failed(op, err)
	}
	defer func() { err = errors.Join(err, failed(op, l.store.Delete(context.WithoutCancel(ctx), key))) }()
	p.Took = time.Since(began)
	info, err := l.store.Stat(ctx, key)
	if err != nil {
		return p, failed(op, err)
	}
	p.Skew = info.Modified.Sub(began.Add(p.Took))
	again := l.store.Put(ctx, key, []byte("second"))
	p.Refuses = errors.Is(again, ErrExists)
	if again != nil && !p.Refuses {
		return p, failed(op, again)
	}
	return p, nil
}
