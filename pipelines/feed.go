package pipelines

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Alarm says in words why a feed is on hold.
func Alarm(h chain.Hold) string {
	switch h.Alarm {
	case chain.FeedEmpty:
		return chain.Notef("no row came, %d are usual", h.Usual)
	case chain.FeedLate:
		return chain.Notef("nothing new for %d days, never more than %d before", h.Rows, h.Usual)
	}
	return chain.Notef("%d rows came, %d are usual", h.Rows, h.Usual)
}

// Feed is one source's delivery of one dataset, as the log knows it.
type Feed struct {
	Source, Dataset string
	chain.Feed
}

// Feeds lists every feed of the configured sources, in their order, with what the log knows of it.
func (p *Pipeline) Feeds(ctx context.Context) ([]Feed, error) {
	var feeds []Feed
	sources, err := p.AllSources(ctx)
	if err != nil {
		return nil, err
	}
	for _, source := range sources {
		for _, id := range slices.Sorted(maps.Keys(source.Datasets)) {
			head, err := p.Heads.Head(ctx, chain.Stage(id))
			if err != nil {
				return nil, err
			}
			feeds = append(feeds, Feed{Source: source.Name, Dataset: id, Feed: head.Feeds[source.Name]})
		}
	}
	return feeds, nil
}

// Release ends a feed's hold in the name of a person who answers for it: what the feed left out is
// gone from this day on, and what it brought is what is usual from now on. It is a commit of the
// dataset's chain, so that it is true before anything else knows. Repeating it changes nothing.
func (p *Pipeline) Release(ctx context.Context, source, id, by, reason string) (ended chain.Ended, err error) {
	op := "release " + source + " " + id
	if by == "" || reason == "" {
		return ended, &fault.Error{Op: op, Code: fault.Invalid, Err: errors.New("a release needs a name and a reason"), Hint: "give --by and --reason; both are kept in the log"}
	}
	if _, ok := p.Catalog.Dataset(id); !ok {
		return ended, &fault.Error{Op: op, Code: fault.NotFound, Err: fmt.Errorf("there is no dataset %q", id), Hint: "see xinshu feed list"}
	}
	err = p.recorded(ctx, "release", id, func(run string) (chain.Run, string, error) {
		for attempt := 1; ; attempt++ {
			e, again, err := p.release(ctx, run, source, id, by, reason)
			if fault.Is(err, fault.Conflict) && again && attempt < attempts {
				continue // a pull committed meanwhile: look at the feed again
			}
			if err != nil {
				return chain.Run{}, "", err
			}
			ended = *e.Feeds[source].Ended
			return chain.Run{Chain: e.Chain, N: e.N}, chain.Notef("released by %s", by), nil
		}
	})
	return ended, err
}

// attempts is how often a release is tried while pulls of the dataset commit.
const attempts = 5

// release makes the commit on the head as it stands. again says that another attempt may succeed.
func (p *Pipeline) release(ctx context.Context, run, source, id, by, reason string) (e chain.Entry, again bool, err error) {
	head, err := p.Heads.Head(ctx, chain.Stage(id))
	if err != nil {
		return e, false, err
	}
	feed, known := head.Feeds[source]
	if feed.Hold == nil {
		if feed.Ended != nil && feed.Ended.By == by && feed.Ended.Reason == reason { // a repetition after a kill
			return head, false, nil
		}
		err := &fault.Error{Op: "release " + source + " " + id, Code: fault.Conflict, Err: errors.New("the feed is not on hold"), Hint: "see xinshu feed list"}
		if !known {
			err.Code, err.Err = fault.NotFound, errors.New("this source never delivered this dataset")
		}
		return e, false, err
	}
	today := catalog.DateOf(p.Now().In(connectors.Shanghai))
	feeds := map[string]chain.Feed{}
	maps.Copy(feeds, head.Feeds)
	feeds[source] = released(feed, chain.Ended{Hold: *feed.Hold, On: today.String(), By: by, Reason: reason})
	e, err = p.Stager.Release(ctx, head, source, run, feeds)
	return e, true, err
}

// released is the feed after a person took what came for what is.
func released(f chain.Feed, ended chain.Ended) chain.Feed {
	switch h := ended.Hold; h.Alarm {
	case chain.FeedEmpty, chain.FeedFew:
		f.UsualWhole = h.Rows
	case chain.FeedFewNew:
		f.UsualNew = h.Rows
	case chain.FeedLate:
		f.LongestGap = h.Rows
	}
	f.Hold, f.Ended = nil, &ended
	return f
}
