package pipelines

import (
	"maps"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/pipelines/stage"
)

// The feed guard holds each pull against what is usual for its source and dataset. A pull that brings
// nothing, or far too little, puts the feed on hold: its rows count, and what is missing from it does
// not, until a later pull is as usual or a named person releases it (decision 0023).

// usualShare is the least part of a usual whole pull, in percent, that raises no alarm.
const usualShare = 50

// cycleDays is how long a dataset's promise may leave a feed without a row; a dataset that delivers as
// things happen promises nothing.
var cycleDays = map[string]int64{"realtime": 1, "daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "half-yearly": 184, "yearly": 366}

// guarded is one pull as the guard sees it.
type guarded struct {
	dataset catalog.Dataset
	run     string
	today   catalog.Date
	first   bool // it began at the beginning, so what is new in it is the whole stock
}

// judge gives the feed as it stands after a pull. It is pure: what is usual is what the log says.
func (g guarded) judge(feed chain.Feed, came stage.Came) chain.Feed {
	rows := came.Ledger.Read
	alarm := g.alarm(feed, came)
	if alarm != nil {
		if feed.Hold != nil {
			alarm.Since, alarm.Run = feed.Hold.Since, feed.Hold.Run
		}
		feed.Hold = alarm
	} else if feed.Hold != nil && ends(*feed.Hold, came) {
		feed.Ended = &chain.Ended{Hold: *feed.Hold, On: g.today.String()}
		feed.Hold = nil
	}
	if rows == 0 {
		return feed
	}
	if gap, known := g.gap(feed); known && feed.Hold == nil && feed.RowsOn != "" {
		feed.LongestGap = max(feed.LongestGap, gap)
	}
	feed.RowsOn = g.today.String()
	switch {
	case alarm != nil:
	case came.Whole:
		feed.UsualWhole = usual(feed.UsualWhole, rows)
	case !g.first:
		feed.UsualNew = usual(feed.UsualNew, rows)
	}
	return feed
}

// usual follows the pulls slowly, so that one odd pull does not become the measure of the next.
func usual(before, rows int64) int64 {
	if before == 0 {
		return rows
	}
	return (3*before + rows + 2) / 4
}

// alarm is what a pull gives rise to; nil: it is as usual.
func (g guarded) alarm(feed chain.Feed, came stage.Came) *chain.Hold {
	rows := came.Ledger.Read
	hold := &chain.Hold{Since: g.today.String(), Run: g.run, Rows: rows}
	switch {
	case came.Whole:
		hold.Usual = feed.UsualWhole
		switch {
		case hold.Usual > 0 && rows == 0:
			hold.Alarm = chain.FeedEmpty
		case rows*100 < hold.Usual*share(g.dataset.Guard.Least, usualShare):
			hold.Alarm = chain.FeedFew
		default:
			return nil
		}
	case rows > 0:
		hold.Alarm, hold.Usual = chain.FeedFewNew, feed.UsualNew
		if g.first || rows*100 >= hold.Usual*share(g.dataset.Guard.LeastNew, 0) {
			return nil
		}
	default:
		gap, known := g.gap(feed)
		promised, promises := cycleDays[g.dataset.Cycle]
		if !known || !promises || feed.LongestGap == 0 || gap <= max(promised, 2*feed.LongestGap) {
			return nil
		}
		hold.Alarm, hold.Rows, hold.Usual = chain.FeedLate, gap, feed.LongestGap
	}
	return hold
}

func share(declared *int, otherwise int64) int64 {
	if declared == nil {
		return otherwise
	}
	return int64(*declared)
}

// gap is how many days the feed has brought nothing.
func (g guarded) gap(feed chain.Feed) (days int64, known bool) {
	last, err := catalog.ParseDate(feed.RowsOn)
	if err != nil {
		return 0, false
	}
	return int64(g.today - last), true
}

// ends says whether a pull that raised no alarm ends a hold by itself. News end a hold on news; what
// is missing from the stock only a pull of the stock can show to be there.
func ends(h chain.Hold, came stage.Came) bool {
	if came.Whole {
		return true
	}
	return came.Ledger.Read > 0 && (h.Alarm == chain.FeedLate || h.Alarm == chain.FeedFewNew)
}

// judgement turns a feed after a pull into what the commit shall hold.
func judgement(source string, came stage.Came, after chain.Feed) stage.Judgement {
	before := came.Head.Feeds[source]
	feeds := map[string]chain.Feed{}
	maps.Copy(feeds, came.Head.Feeds)
	feeds[source] = after
	return stage.Judgement{Feeds: feeds, Held: after.Hold != nil, Commit: alarmOf(before) != alarmOf(after) || reach(before) != reach(after)}
}

func alarmOf(f chain.Feed) string {
	if f.Hold == nil {
		return ""
	}
	return f.Hold.Alarm
}
