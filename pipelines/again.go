package pipelines

import (
	"context"
	"fmt"
	"slices"

	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/pipelines/stage"
)

// slice is the part of a stretch that one commit reads again.
type slice struct {
	window   connectors.Window
	line     line
	stretch  stretch
	finished bool // it lies in the past: nothing will be added to it by itself
}

// done is the feed that remembers the slice as read.
func (s *slice) done(f chain.Feed) chain.Feed {
	if s.finished {
		f.Done = s.line.with(f.Done, s.stretch)
	}
	return f
}

// again reads a stretch slice by slice, each one commit that names it as done; so a stretch that was
// broken off goes on where it was, and one that was read is not read again, unless a reload is asked
// for. A slice that is not over yet is read and not remembered.
func (u *pull) again(ctx context.Context, a Again, pulled *Pulled) error {
	l, whole, err := a.measure()
	if err != nil {
		return err
	}
	head, err := u.pipeline.Heads.Head(ctx, chain.Stage(u.job.Dataset.ID))
	if err != nil {
		return err
	}
	pulled.Feed = head.Feeds[u.source.Name]
	open := []stretch{whole}
	if !u.reload {
		open = gaps(whole, l.read(pulled.Feed.Done))
	}
	now := u.pipeline.Now().UnixMicro()
	for s := range l.slices(open) {
		one := &slice{line: l, stretch: s, finished: l.layout == "" || s.until <= now, window: connectors.Window{From: l.write(s.from), Until: l.write(s.until)}}
		result, err := u.once(ctx, one)
		if err != nil {
			return fmt.Errorf("from %s until %s: %w", one.window.From, one.window.Until, err)
		}
		pulled.Slices++
		pulled.Feed = u.feed
		sum(&pulled.Result, result)
	}
	return nil
}

// sum adds the result of a slice to those before it.
func sum(all *stage.Result, r stage.Result) {
	if all.Entry.N == 0 && all.Reasons == nil {
		*all = r
		return
	}
	ledger := all.Ledger.Add(r.Ledger)
	if r.Entry.N > 0 {
		all.Entry = r.Entry
	}
	all.Ledger, all.Files = ledger, append(all.Files, r.Files...)
	for _, c := range []struct{ into, from map[string]int64 }{{all.Reasons, r.Reasons}, {all.Warnings, r.Warnings}} {
		for k, n := range c.from {
			if c.into != nil {
				c.into[k] += n
			}
		}
	}
	for _, name := range r.Unknown {
		if !slices.Contains(all.Unknown, name) {
			all.Unknown = append(all.Unknown, name)
		}
	}
}
