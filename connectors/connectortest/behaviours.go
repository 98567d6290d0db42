package connectortest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// Feed is a source with a watermark that a test writes to. Open gives the dataset with some settings
// beside its own, and a window or none.
type Feed struct {
	Open   func(t *testing.T, settings connectors.Values, window *connectors.Window) Source
	Put    func(t *testing.T, rows ...FeedRow)
	Column string // the setting that names the watermark's column
}

// FeedRow is a row with its watermark; one without is null.
type FeedRow struct{ ID, At string }

// Behaviours are what users of other tools met with an incremental pull, in the numbering of the
// project's list of such cases. What they say of rows "loaded twice" is kept by staging, which drops a
// row that is equal to the last byte; here it is kept that nothing else comes twice.
var Behaviours = map[string]func(t *testing.T, feed Feed){
	"01 a row equal to the last watermark comes again unchanged and alone": behaviour01,
	"02 rows that share the last watermark and came later are found":       behaviour02,
	"03 identical rows without a key are all there":                        behaviour03,
	"04 rows in any order leave the greatest watermark":                    behaviour04,
	"05 a failed pull leaves the last watermark good":                      behaviour05,
	"06 a window does not move the cursor":                                 behaviour06,
	"07 windows that touch neither overlap nor leave a gap":                behaviour07,
	"08 a missing watermark column is named":                               behaviour08,
	"09 rows without watermark follow the declared rule":                   behaviour09,
	"10 a full reload begins anew":                                         behaviour10,
	"11 a lookback reads again and brings the cursor back nowhere":         behaviour11,
	"13 a bound with a zone is the instant it means":                       behaviour13,
	"14 a gap between windows is read by itself":                           behaviour14,
	"15 no rows leave the cursor where it was":                             behaviour15,
	"16 two reads of what did not change are the same":                     behaviour16,
	"17 a second read gives nothing before the watermark":                  behaviour17,
}

const day = "2025-10-28 "

// pull reads everything after a cursor and gives the rows, joined, and the last cursor.
func pull(t *testing.T, s Source, after connectors.Cursor) (string, connectors.Cursor) {
	t.Helper()
	all := collect(t, s, after)
	if len(all.pages) == 0 {
		return "", after
	}
	return strings.Join(all.rows, " "), all.pages[len(all.pages)-1].Next
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %q, want %q", what, got, want)
	}
}

// minutes are rows a minute apart: a at 09:00, b at 09:01 and so on.
func minutes(ids string) []FeedRow {
	var rows []FeedRow
	for i, id := range strings.Fields(ids) {
		rows = append(rows, FeedRow{id, day + "09:0" + string(rune('0'+i)) + ":00"})
	}
	return rows
}

func behaviour01(t *testing.T, feed Feed) {
	feed.Put(t, minutes("a b c")...)
	s := feed.Open(t, nil, nil)
	first, next := pull(t, s, "")
	expect(t, "the first pull", first, "a b c")
	again, same := pull(t, s, next)
	if again != "" && again != "c" || same != next {
		t.Fatalf("%q came again, to %s", again, same)
	}
}

func behaviour02(t *testing.T, feed Feed) {
	feed.Put(t, minutes("a b")...)
	s := feed.Open(t, nil, nil)
	_, next := pull(t, s, "")
	feed.Put(t, FeedRow{"c", day + "09:01:00"}, FeedRow{"d", day + "09:01:00"})
	rows, _ := pull(t, s, next)
	expect(t, "rows of the last watermark", strings.TrimPrefix(rows, "b "), "c d")
}

func behaviour03(t *testing.T, feed Feed) {
	feed.Put(t, FeedRow{"a", day + "09:00:00"}, FeedRow{"same", day + "09:01:00"}, FeedRow{"same", day + "09:01:00"})
	s := feed.Open(t, nil, nil)
	rows, next := pull(t, s, "")
	expect(t, "the first pull", rows, "a same same")
	feed.Put(t, FeedRow{"same", day + "09:01:00"}, FeedRow{"other", day + "09:01:00"})
	rows, _ = pull(t, s, next)
	expect(t, "the second pull", rows, "other same same same")
}

func behaviour04(t *testing.T, feed Feed) {
	feed.Put(t, FeedRow{"b", day + "09:01:00"}, FeedRow{"d", day + "09:03:00"}, FeedRow{"a", day + "09:00:00"}, FeedRow{"c", day + "09:02:00"})
	s := feed.Open(t, connectors.Values{"page_rows": "2"}, nil)
	rows, next := pull(t, s, "")
	if fields := strings.Fields(rows); len(fields) != 4 {
		t.Fatalf("got %s", rows)
	}
	rows, _ = pull(t, s, next)
	expect(t, "after the greatest", rows, "d")
}

func behaviour05(t *testing.T, feed Feed) {
	feed.Put(t, minutes("a b c d e f")...)
	s := feed.Open(t, connectors.Values{"page_rows": "1"}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := false
	for page, err := range puller(t, s).Pull(ctx, s.Job, "") {
		if err != nil {
			failed = true
			break
		}
		page.Batch.Release()
		cancel()
	}
	rows, _ := pull(t, s, "")
	expect(t, "after a pull that failed", rows, "a b c d e f")
	if !failed {
		t.Fatal("the pull did not fail when it was cancelled; the source must bring its rows one by one")
	}
}

func behaviour06(t *testing.T, feed Feed) {
	feed.Put(t, minutes("a b c d")...)
	_, next := pull(t, feed.Open(t, nil, nil), "")
	window := feed.Open(t, nil, &connectors.Window{From: day + "09:01:00", Until: day + "09:03:00"})
	for _, after := range []connectors.Cursor{"", next} { // it neither reads nor moves the cursor
		rows, same := pull(t, window, after)
		expect(t, "the window", rows, "b c")
		expect(t, "the cursor", string(same), string(after))
	}
}

func behaviour07(t *testing.T, feed Feed) {
	feed.Put(t, minutes("a b c d e f g h")...)
	ends := []string{"", day + "09:02:00", day + "09:03:00", day + "09:06:30", ""}
	var all []string
	for i := range len(ends) - 1 {
		rows, _ := pull(t, feed.Open(t, nil, &connectors.Window{From: ends[i], Until: ends[i+1]}), "")
		all = append(all, strings.Fields(rows)...)
	}
	expect(t, "four windows", strings.Join(all, " "), "a b c d e f g h")
}

func behaviour08(t *testing.T, feed Feed) {
	feed.Put(t, minutes("a")...)
	s := feed.Open(t, connectors.Values{feed.Column: "no_such_column"}, nil)
	for _, err := range puller(t, s).Pull(t.Context(), s.Job, "") {
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "no_such_column") {
			t.Fatalf("got %v", err)
		}
		return
	}
	t.Fatal("a missing column is no error")
}

func behaviour09(t *testing.T, feed Feed) {
	feed.Put(t, append(minutes("a b"), FeedRow{ID: "n"})...)
	for rule, want := range map[string][2]string{"take": {"a b n", "b n"}, "leave": {"a b", "b"}} {
		s := feed.Open(t, connectors.Values{"null_cursor": rule}, nil)
		rows, next := pull(t, s, "")
		expect(t, rule+", the first pull", inOrder(rows), want[0])
		rows, _ = pull(t, s, next)
		expect(t, rule+", the second pull", inOrder(rows), want[1])
	}
	s := feed.Open(t, connectors.Values{"null_cursor": "refuse"}, nil)
	for page, err := range puller(t, s).Pull(t.Context(), s.Job, "") {
		if !fault.Is(err, fault.Invalid) {
			t.Fatalf("refuse gave a page %v and %v", page.Batch, err)
		}
	}
}

func inOrder(rows string) string {
	fields := strings.Fields(rows)
	slices.Sort(fields)
	return strings.Join(fields, " ")
}

func behaviour10(t *testing.T, feed Feed) {
	feed.Put(t, minutes("a b c")...)
	s := feed.Open(t, nil, nil)
	_, next := pull(t, s, "")
	rows, again := pull(t, s, "")
	expect(t, "a full reload", rows, "a b c")
	expect(t, "its cursor", string(again), string(next))
}

func behaviour11(t *testing.T, feed Feed) {
	feed.Put(t, minutes("a b c d")...)
	_, next := pull(t, feed.Open(t, nil, nil), "")
	feed.Put(t, FeedRow{"late", day + "09:02:30"}, FeedRow{"older", day + "08:00:00"})
	rows, same := pull(t, feed.Open(t, connectors.Values{"lookback": "60s"}, nil), next)
	expect(t, "a lookback of a minute", rows, "c late d")
	expect(t, "the cursor", string(same), string(next))
}

// Behaviour12 wants a feed whose watermarks are whole numbers.
func Behaviour12(t *testing.T, feed Feed) {
	t.Helper()
	feed.Put(t, FeedRow{"a", "0"}, FeedRow{"b", "0"}, FeedRow{"before", "-1"})
	s := feed.Open(t, nil, nil)
	rows, next := pull(t, s, "")
	expect(t, "the first pull", rows, "before a b")
	feed.Put(t, FeedRow{"c", "0"}, FeedRow{"d", "10"}, FeedRow{"e", "9"})
	rows, _ = pull(t, s, next)
	expect(t, "after 0", rows, "a b c e d")
}

// behaviour13: rows are at Shanghai wall times, 09:00 being 01:00 of Z.
func behaviour13(t *testing.T, feed Feed) {
	feed.Put(t, minutes("a b c d")...)
	for _, w := range []connectors.Window{
		{From: "2025-10-28T01:01:00Z", Until: "2025-10-28T01:03:00Z"},
		{From: "2025-10-28T09:01:00+08:00", Until: "2025-10-28T10:03:00+09:00"},
		{From: day + "09:01:00", Until: day + "09:03:00"},
	} {
		rows, _ := pull(t, feed.Open(t, nil, &w), "")
		expect(t, w.From+" to "+w.Until, rows, "b c")
	}
}

func behaviour14(t *testing.T, feed Feed) {
	feed.Put(t, minutes("a b c d e f")...)
	read := func(from, until string) string {
		rows, _ := pull(t, feed.Open(t, nil, &connectors.Window{From: from, Until: until}), "")
		return rows
	}
	expect(t, "the first slice", read("", day+"09:02:00"), "a b")
	expect(t, "the third slice", read(day+"09:04:00", ""), "e f")
	feed.Put(t, FeedRow{"late", day + "09:00:30"})
	expect(t, "the gap", read(day+"09:02:00", day+"09:04:00"), "c d")
}

func behaviour15(t *testing.T, feed Feed) {
	s := feed.Open(t, nil, nil)
	rows, next := pull(t, s, "")
	expect(t, "an empty source", rows+string(next), "")
	feed.Put(t, minutes("a b")...)
	_, next = pull(t, s, "")
	rows, same := pull(t, feed.Open(t, nil, &connectors.Window{From: "2031-01-01 00:00:00"}), next)
	expect(t, "a window without rows", rows, "")
	expect(t, "the cursor", string(same), string(next))
}

func behaviour16(t *testing.T, feed Feed) {
	feed.Put(t, minutes("a b c d e")...)
	s := feed.Open(t, connectors.Values{"page_rows": "2"}, nil)
	one, first := pull(t, s, "")
	two, second := pull(t, s, "")
	expect(t, "the second read", two+string(second), one+string(first))
	expect(t, "the first read", one, "a b c d e")
}

func behaviour17(t *testing.T, feed Feed) {
	feed.Put(t, minutes("a b c d e")...)
	s := feed.Open(t, nil, nil)
	_, next := pull(t, s, "")
	rows, _ := pull(t, s, next)
	if rows != "" && rows != "e" {
		t.Fatalf("came again: %s", rows)
	}
}
