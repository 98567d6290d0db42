package desk

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// ReleaseFeed ends a feed's hold in the name of the actor: what the feed left out counts as gone from
// today. The reason is kept in the log and in the trail.
func (d *Desk) ReleaseFeed(ctx context.Context, source, dataset, reason string) (ended chain.Ended, err error) {
	reason = strings.TrimSpace(reason)
	if n := len([]rune(reason)); n < 2 || n > longestReason {
		return ended, &fault.Error{Op: "release " + source + " " + dataset, Code: fault.Invalid, Err: errors.New("a reason of 2 to 500 characters is missing"), Hint: "say why the missing records are believed to be gone"}
	}
	if ds, known := d.Catalog.Dataset(dataset); known && !auth.From(ctx).Scope.HasDepartment(ds.Owner) {
		return ended, &fault.Error{Op: "release " + source + " " + dataset, Code: fault.Forbidden, Err: errors.New("this dataset belongs to another department")}
	}
	act := auth.Act{Action: "feed.release", Kind: "feed", ID: source + "/" + dataset, Detail: map[string]string{"reason": reason}}
	return noting(ctx, d, act, func() (chain.Ended, error) {
		return d.Pipeline.Release(ctx, source, dataset, decider(ctx), reason)
	})
}

// HoldWords says in words why a feed is on hold.
func HoldWords(h *chain.Hold) catalog.Text {
	switch h.Alarm {
	case chain.FeedEmpty:
		return catalog.Text{ZH: fmt.Sprintf("一行也没有，通常 %d 行", h.Usual), EN: fmt.Sprintf("no row came, %d are usual", h.Usual)}
	case chain.FeedLate:
		return catalog.Text{ZH: fmt.Sprintf("已 %d 天没有新数据，以往最长 %d 天", h.Rows, h.Usual), EN: fmt.Sprintf("nothing new for %d days, never more than %d before", h.Rows, h.Usual)}
	case chain.FeedFewNew:
		return catalog.Text{ZH: fmt.Sprintf("只来了 %d 行新数据，通常 %d 行", h.Rows, h.Usual), EN: fmt.Sprintf("%d new rows came, %d are usual", h.Rows, h.Usual)}
	}
	return catalog.Text{ZH: fmt.Sprintf("只来了 %d 行，通常 %d 行", h.Rows, h.Usual), EN: fmt.Sprintf("%d rows came, %d are usual", h.Rows, h.Usual)}
}
