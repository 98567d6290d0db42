package pipelines

import (
	"fmt"
	"strings"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/pipelines/stage"
)

func TestWhatIsUsualAndWhatRaisesAnAlarm(t *testing.T) {
	percent := func(n int) *int { return &n }
	for _, c := range []struct {
		name   string
		cycle  string
		guard  catalog.Guard
		pulls  string // a pull a word: days passed, w (whole) or n (news), rows
		alarms string // after each pull: the alarm, or -
	}{
		{"a whole list that is as long as usual", "daily", catalog.Guard{}, "1w100 1w90 1w110 1w60", "- - - -"},
		{"an empty list where none was ever longer", "daily", catalog.Guard{}, "1w0 1w0", "- -"},
		{"an empty list where rows are usual", "daily", catalog.Guard{}, "1w100 1w0 1w0", "- empty empty"},
		{"half exactly is enough, one less is not", "daily", catalog.Guard{}, "1w100 1w50", "- -"},
		{"fewer than half", "daily", catalog.Guard{}, "1w100 1w49 1w0 1w20", "- few empty few"},
		{"what is few does not become usual", "daily", catalog.Guard{}, "1w100 1w10 1w20 1w40", "- few few few"},
		{"a list that recovers", "daily", catalog.Guard{}, "1w100 1w10 1w95", "- few -"},
		{"a share of its own", "daily", catalog.Guard{Least: percent(90)}, "1w100 1w89", "- few"},
		{"no share at all still knows an empty list", "daily", catalog.Guard{Least: percent(0)}, "1w100 1w1 1w0", "- - empty"},
		{"a list that grows slowly may fall slowly", "daily", catalog.Guard{}, "1w100 1w60 1w46", "- - -"},
		{"news that come and go", "daily", catalog.Guard{}, "1n900 1n5 1n0 1n1 1n0", "- - - - -"},
		{"news that stay away longer than ever", "daily", catalog.Guard{}, "1n900 3n5 6n0 1n0", "- - - late"},
		{"news that are back", "daily", catalog.Guard{}, "1n900 3n5 7n0 1n1 6n0", "- - late - -"},
		{"a yearly cycle is patient", "yearly", catalog.Guard{}, "1n900 3n5 360n0 7n0", "- - - late"},
		{"a dataset that delivers as it happens promises nothing", "as-it-happens", catalog.Guard{}, "1n900 3n5 999n0", "- - -"},
		{"one delivery is no habit", "daily", catalog.Guard{}, "1n900 99n0", "- -"},
		{"few news, where the contract minds", "daily", catalog.Guard{LeastNew: percent(20)}, "1n900 1n100 1n19 1n20", "- - few_new -"},
		{"the first load is no measure of news", "daily", catalog.Guard{LeastNew: percent(20)}, "1n900 1n1", "- -"},
		{"news do not show that a stock is whole", "daily", catalog.Guard{}, "1w100 1w10 1n50 1w70", "- few few -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := guarded{dataset: catalog.Dataset{Cycle: c.cycle, Guard: c.guard}, today: 20000, first: true}
			var feed chain.Feed
			var alarms []string
			for word := range strings.FieldsSeq(c.pulls) {
				var days, rows int64
				var kind string
				if _, err := fmt.Sscanf(strings.NewReplacer("w", " w ", "n", " n ").Replace(word), "%d %s %d", &days, &kind, &rows); err != nil {
					t.Fatal(err)
				}
				g.today += catalog.Date(days)
				feed = g.judge(feed, stage.Came{Ledger: chain.Ledger{Read: rows}, Whole: kind == "w"})
				g.first = false
				if alarm := alarmOf(feed); alarm != "" {
					alarms = append(alarms, alarm)
				} else {
					alarms = append(alarms, "-")
				}
			}
			if got := strings.Join(alarms, " "); got != c.alarms {
				t.Errorf("alarms %s, want %s", got, c.alarms)
			}
		})
	}
}

// many are so many debtors of one day.
func many(n int) []debtor {
	var rows []debtor
	for i := range n {
		rows = append(rows, debtor{at: "2025-09-01", code: i % len(codes), no: fmt.Sprintf("（2025）执%d号", i)})
	}
	return rows
}

func TestAHoldIsInTheLogAndEndsByItselfOrByAName(t *testing.T) {
	c := &court{rows: many(10), whole: true}
	h := newHub(t, c)
	h.pull(Choice{})
	c.rows = nil
	p := h.pull(Choice{})
	h.wants("alarm", fmt.Sprintf("%s %d %d", p.Feed.Hold.Alarm, p.Result.Gone, p.Result.Absent), "empty 0 10")
	h.wants("in the log", h.head().Feeds["court"].Hold.Since, "2025-11-05")
	p = h.pull(Choice{})
	h.wants("an empty pull once more keeps the first day", p.Feed.Hold.Since, "2025-11-05")
	h.wants("absent of the newest entry", len(h.head().Table(stage.AbsentTable)), 1)

	c.rows = many(9)
	p = h.pull(Choice{})
	h.wants("recovered", p.Feed.Hold == nil && p.Feed.Ended.By == "" && p.Result.Gone == 1, true)
	h.wants("recorded", h.head().Feeds["court"].Ended.Hold.Alarm, "empty")
	h.wants("no list of the absent is left", len(h.head().Table(stage.AbsentTable)), 0)

	c.rows = many(2)
	h.wants("few", h.pull(Choice{}).Feed.Hold.Alarm, "few")
	for _, by := range []string{"王五", "王五"} { // the second time as after a kill: nothing changes
		ended, err := h.Release(t.Context(), "court", h.ds, by, "名单已核对")
		if err != nil {
			t.Fatal(err)
		}
		h.wants("released", ended.By+" "+ended.Reason+" "+ended.Hold.Alarm, "王五 名单已核对 few")
	}
	h.wants("gone", len(h.head().Table(stage.GoneTable)), 2)
	if _, err := h.Release(t.Context(), "court", h.ds, "赵六", "名单已核对"); !fault.Is(err, fault.Conflict) {
		t.Errorf("another name releases what is not held: %v", err)
	}
	h.wants("what came is usual now", h.pull(Choice{}).Feed.Hold == nil, true)
	for what, err := range map[string]error{
		"no name":        second(h.Release(t.Context(), "court", h.ds, "", "x")),
		"no reason":      second(h.Release(t.Context(), "court", h.ds, "x", "")),
		"no such feed":   second(h.Release(t.Context(), "tax", h.ds, "x", "x")),
		"no such source": second(h.Release(t.Context(), "court", "no.such", "x", "x")),
	} {
		if err == nil {
			t.Errorf("%s: released", what)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAWindowAndAFileByHandSayNothingAboutWhatIsUsual(t *testing.T) {
	c := &court{rows: many(10), whole: true}
	h := newHub(t, c)
	h.pull(Choice{})
	usual := h.head().Feeds["court"].UsualWhole
	p := h.pull(Choice{Again: &Again{From: "2024-01-01", Until: "2024-01-03"}})
	h.wants("alarm of an empty stretch", p.Feed.Hold == nil, true)
	h.wants("usual", h.head().Feeds["court"].UsualWhole, usual)
	h.wants("done", len(h.head().Feeds["court"].Done), 1)
}
