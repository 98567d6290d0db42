package state

import (
	"slices"
	"testing"

	"xinshu/internal/chain"
)

func TestTheHoldsOfFeedsFollowTheLog(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		first := chain.Hold{Alarm: chain.FeedFew, Since: "2025-11-03", Rows: 4, Usual: 40, Run: "r2"}
		next := chain.Hold{Alarm: chain.FeedEmpty, Since: "2025-11-20", Usual: 38, Run: "r4"}
		say := func(run string, feed chain.Feed) {
			e := staged("court.debtor", run, "", 5, nil)
			e.Feeds = map[string]chain.Feed{"court": feed}
			f.log.append(e)
		}
		want := []FeedHold{
			{Dataset: "court.debtor", Source: "court", Hold: next},
			{Dataset: "court.debtor", Source: "court", Hold: first, EndedOn: "2025-11-05", EndedBy: "王五", Reason: "已核对"},
		}
		say("r1", chain.Feed{UsualWhole: 40})
		say("r2", chain.Feed{Hold: &first})
		ended := &chain.Ended{Hold: first, On: "2025-11-05", By: "王五", Reason: "已核对"}
		say("r3", chain.Feed{Ended: ended})
		say("r4", chain.Feed{Ended: ended, Hold: &next})
		for _, how := range []string{"followed", "followed again", "rebuilt"} {
			if how == "rebuilt" {
				f.rebuild()
			} else {
				_, err := f.Follow(t.Context())
				f.ok(err)
			}
			got, err := f.Holds(t.Context())
			f.ok(err)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %+v", how, got)
			}
		}
	})
}
