package pipelines

import (
	"context"
	"fmt"
	"iter"
	"time"

	"xinshu/connectors"
	"xinshu/internal/chain"
)

// Told is the part of run state that knows what targets were told.
type Told interface {
	// ReleasedAt says when each release of a policy was published, as far as this database saw it.
	ReleasedAt(ctx context.Context, policy string) (map[int64]time.Time, error)
	// Replay makes due again what a target answered of the changes given, and gives how many rows that is.
	Replay(ctx context.Context, target, policy string, changes iter.Seq2[connectors.Row, error]) (due int64, err error)
}

// Window is a part of what was published under a policy.
type Window struct {
	From, Until time.Time // of publication, half open; or:
	First, Last int64     // releases, both included
}

// Replayed is what came of a replay.
type Replayed struct {
	Releases int   // that lie in the window
	Unknown  int   // releases whose time this database does not know: it was rebuilt after them
	Rows     int64 // that are due by it: answered before, and still the newest of their entity
}

func (r Replayed) note() string {
	note := chain.Notef("releases %d, rows due again %d", r.Releases, r.Rows)
	if r.Unknown > 0 {
		note += "; " + chain.Notef("the time of %d releases is not known: run state was rebuilt", r.Unknown)
	}
	return note
}

// Replay makes what was published in a window due once more for one target; the next push brings it.
// Rows keep their ids, so the target keeps one record of each; what a newer version has replaced does
// not go out again. The releases are found in the log, which keeps the changes of all time.
func (p *Pipeline) Replay(ctx context.Context, target, policy string, w Window) (out Replayed, err error) {
	return out, p.recorded(ctx, "replay", target, func(string) (chain.Run, string, error) {
		head, err := p.Heads.Head(ctx, chain.Published(policy))
		if err != nil || head.N == 0 {
			return chain.Run{}, policy + ": " + out.note(), err
		}
		times, err := p.Told.ReleasedAt(ctx, policy)
		if err != nil {
			return chain.Run{}, "", err
		}
		inside := out.choose(head, times, w)
		if len(inside.Files) > 0 {
			out.Rows, err = p.Told.Replay(ctx, target, policy, countedRows(ctx, p.Publisher.Changes(ctx, inside, 0)))
		}
		return chain.Run{}, policy + ": " + out.note(), err
	})
}

// choose gives a log entry with only the changes of the window, and counts its releases.
func (r *Replayed) choose(head chain.Entry, times map[int64]time.Time, w Window) chain.Entry {
	inside, unknown := map[int64]bool{}, map[int64]bool{}
	window := head
	window.Files = nil
	for _, f := range head.Table("change") {
		at, known := times[f.N]
		switch {
		case w.First > 0 && (f.N < w.First || f.N > w.Last):
		case w.First == 0 && !known:
			unknown[f.N] = true
		case w.First == 0 && (at.Before(w.From) || !at.Before(w.Until)):
		default:
			inside[f.N] = true
			window.Files = append(window.Files, f)
		}
	}
	r.Releases, r.Unknown = len(inside), len(unknown)
	return window
}

// countedRows passes rows on and tells the task, now and then, how many were read.
func countedRows(ctx context.Context, rows iter.Seq2[connectors.Row, error]) iter.Seq2[connectors.Row, error] {
	told := chain.HolderOf(ctx).Told
	if told == nil {
		return rows
	}
	return func(yield func(connectors.Row, error) bool) {
		n, last := 0, time.Now()
		for row, err := range rows {
			if n++; n%1000 == 0 {
				if now := time.Now(); now.Sub(last) >= tellEvery {
					last = now
					told(fmt.Sprintf("read %d results so far", n))
				}
			}
			if !yield(row, err) {
				return
			}
		}
	}
}
