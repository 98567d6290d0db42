package stage

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
)

// listed is the contract of a list that is handed over whole, told apart by source id and code.
func listed() catalog.Dataset {
	ds := penalties()
	ds.Stock, ds.Key = "whole", []string{"source_record_id", "uscc"}
	return ds
}

// list pulls a whole list, page by page, from where the chain stands.
type list struct {
	*Stager
	t    *testing.T
	lake *folder
	runs int
	held bool
}

func newList(t *testing.T) *list {
	s, lake := newStager(t)
	return &list{Stager: s, t: t, lake: lake}
}

func (l *list) pull(p Pull, pages ...connectors.Page) Result {
	l.t.Helper()
	head, err := l.lake.Head(l.t.Context(), "")
	if err != nil {
		l.t.Fatal(err)
	}
	if head.Cursor != nil {
		p.Before = connectors.Cursor(head.Cursor.After)
	}
	l.runs++
	p.Run = fmt.Sprint("r", l.runs)
	p.Judge = func(Came) Judgement { return Judgement{Held: l.held} }
	result, err := l.Run(l.t.Context(), listed(), func(yield func(connectors.Page, error) bool) {
		for _, page := range pages {
			if !yield(page, nil) {
				return
			}
		}
	}, p)
	if err != nil {
		l.t.Fatal(err)
	}
	return result
}

// whole is a pull of everything by the source "a".
func (l *list) whole(rows ...[]string) Result {
	l.t.Helper()
	page := connectors.Page{}
	if len(rows) > 0 {
		page = pageOf("list.csv", rows...)
	}
	page.Whole = true
	return l.pull(Pull{Source: "a"}, page)
}

func (l *list) gone(table string) string {
	l.t.Helper()
	var keys []string
	for _, row := range readTable(l.t, l.lake, table) {
		keys = append(keys, strings.SplitN(row["record_key"], "|", 2)[0])
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

func TestWhatAWholePullLeavesOutHasLeft(t *testing.T) {
	badCode := clean("2", "uscc", "91350100M000100Y40")
	noDate := clean("2", "CF_JDRQ", "never")
	nothing := []string{"uscc", "x", "source_record_id", ""}
	for _, c := range []struct {
		name     string
		second   func(l *list) Result
		gone     string
		unjudged int64
	}{
		{"a record that is not in it is gone", func(l *list) Result { return l.whole(clean("1"), clean("3")) }, "2", 0},
		{"an empty list has lost everything", func(l *list) Result { return l.whole() }, "1 2 3", 0},
		{"a row that is refused is there", func(l *list) Result { return l.whole(clean("1"), noDate, clean("3")) }, "", 0},
		{"a row whose code cannot be read speaks for the record of its id", func(l *list) Result { return l.whole(badCode, clean("3")) }, "1", 1},
		{"a row of which nothing can be read speaks for all", func(l *list) Result { return l.whole(clean("1"), nothing) }, "", 1},
		{"a line that is no row speaks for all", func(l *list) Result {
			page := pageOf("list.csv", clean("1"))
			page.Whole, page.Rejects = true, []connectors.Reject{{Line: 3, Reason: "CSV_FIELDS", Value: "x"}}
			return l.pull(Pull{Source: "a"}, page)
		}, "", 1},
		{"a pull that is not whole says nothing", func(l *list) Result {
			return l.pull(Pull{Source: "a"}, pageOf("list.csv", clean("1", "CF_SY", "另一")))
		}, "", 0},
		{"another source has nothing to take away", func(l *list) Result {
			page := pageOf("list.csv", clean("9"))
			page.Whole = true
			return l.pull(Pull{Source: "b"}, page)
		}, "", 0},
		{"nor has a person", func(l *list) Result {
			page := pageOf("list.csv", clean("9"))
			page.Whole = true
			return l.pull(Pull{ByHand: true}, page)
		}, "", 0},
		{"nor a stretch that is read again", func(l *list) Result {
			page := pageOf("list.csv", clean("9"))
			page.Whole = true
			return l.pull(Pull{Source: "a", Window: &connectors.Window{From: "1", Until: "2"}}, page)
		}, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newList(t)
			l.whole(clean("1"), clean("2"), clean("3"))
			r := c.second(l)
			if got := l.gone(GoneTable); got != c.gone || r.Unjudged != c.unjudged || r.Gone != int64(len(strings.Fields(c.gone))) {
				t.Errorf("gone %q (%d), unjudged %d; want %q and %d", got, r.Gone, r.Unjudged, c.gone, c.unjudged)
			}
		})
	}
}

func TestARecordThatComesBackIsNewsWhateverItSays(t *testing.T) {
	timed := clean("2", "op_time", "2025-09-01")
	for name, row := range map[string][]string{"without a time of its own": clean("2"), "with the time it always had": timed} {
		t.Run(name, func(t *testing.T) {
			l := newList(t)
			l.whole(clean("1"), row)
			l.whole(clean("1"))
			if r := l.whole(clean("1"), row); r.Ledger.Accepted != 1 || r.Ledger.Duplicate != 1 || r.Gone != 0 {
				t.Fatalf("back: %+v", r.Ledger)
			}
			rows := readTable(t, l.lake, RowsTable)
			first, last := rows[1], rows[len(rows)-1]
			if last["record_id"] != first["record_id"] || last["row_sha"] != first["row_sha"] || strings.TrimSuffix(last["source_time"], "Z") <= strings.TrimSuffix(first["source_time"], "Z") {
				t.Errorf("first %v, back %v", first["source_time"], last["source_time"])
			}
			if r := l.whole(clean("1"), row); r.Ledger.Accepted != 0 || r.Gone != 0 {
				t.Errorf("and once more: %+v, gone %d", r.Ledger, r.Gone)
			}
			if r := l.whole(clean("1")); r.Gone != 1 {
				t.Errorf("it left a second time: gone %d", r.Gone)
			}
		})
	}
}

func TestWhatAHeldFeedLeavesOutWaits(t *testing.T) {
	l := newList(t)
	l.whole(clean("1"), clean("2"), clean("3"))
	l.held = true
	if r := l.whole(clean("1")); r.Absent != 2 || r.Gone != 0 || l.gone(AbsentTable) != "2 3" || l.gone(GoneTable) != "" {
		t.Fatalf("absent %d (%s), gone %d", r.Absent, l.gone(AbsentTable), r.Gone)
	}
	if l.whole(clean("1"), clean("2")); l.gone(AbsentTable) != "3" {
		t.Errorf("the newer list does not replace the older: %s", l.gone(AbsentTable))
	}
	head, err := l.lake.Head(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	feeds := map[string]chain.Feed{"a": {UsualWhole: 2}}
	if _, err := l.Release(t.Context(), head, "a", "released", feeds); err != nil {
		t.Fatal(err)
	}
	if l.gone(AbsentTable) != "" || l.gone(GoneTable) != "3" {
		t.Errorf("released: absent %q, gone %q", l.gone(AbsentTable), l.gone(GoneTable))
	}
	l.held = false
	if r := l.whole(clean("1"), clean("2"), clean("3")); r.Ledger.Accepted != 1 {
		t.Errorf("the released one is back: %+v", r.Ledger)
	}
}
