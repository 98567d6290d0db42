package stage

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

func TestARepeatedRowIsADuplicate(t *testing.T) {
	timed := func(id, day string) []string { return clean(id, "op_time", day) }
	a, b := clean("1"), clean("1", "CF_SY", "另一事实")
	for _, c := range []struct {
		name                string
		first, second       [][]string
		accepted, duplicate int64 // of the second run
	}{
		{"the same row again, without a source time", [][]string{a}, [][]string{a}, 0, 1},
		{"a value that comes back after another is a third row", [][]string{a}, [][]string{b, a}, 2, 0},
		{"the same row twice in one pull", nil, [][]string{a, a, clean("2")}, 2, 1},
		{"the same row with the same source time", [][]string{timed("1", "2025-09-01")}, [][]string{timed("1", "2025-09-01")}, 0, 1},
		{"the same row with a later source time", [][]string{timed("1", "2025-09-01")}, [][]string{timed("1", "2025-09-02")}, 1, 0},
		{"an older version sent again after a newer one", [][]string{timed("1", "2025-09-01"), timed("1", "2025-09-02")}, [][]string{timed("1", "2025-09-01")}, 0, 1},
		{"the same content under another key", [][]string{a}, [][]string{clean("2", "CF_WSH", "舞文罚〔2025〕1号")}, 1, 0},
		{"a change in a column that nothing is made of", [][]string{a}, [][]string{clean("1", "remark", "x", "CF_FRDB", "王五")}, 0, 1},
		{"another way of writing the same values", [][]string{a}, [][]string{clean("1", "CF_JDRQ", "2025年9月1日", "uscc", strings.ToLower(goodCode))}, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newStager(t)
			before := connectors.Cursor("")
			if c.first != nil {
				first, err := s.Run(t.Context(), penalties(), pages(pageOf("a.csv", c.first...)), Pull{Run: "r1"})
				if err != nil {
					t.Fatal(err)
				}
				before = connectors.Cursor(first.Entry.Cursor.After)
			}
			second, err := s.Run(t.Context(), penalties(), pages(pageOf("b.csv", c.second...)), Pull{Run: "r2", Before: before})
			if err != nil {
				t.Fatal(err)
			}
			if l := second.Ledger; l.Accepted != c.accepted || l.Duplicate != c.duplicate {
				t.Errorf("accepted %d, duplicate %d; want %d and %d", l.Accepted, l.Duplicate, c.accepted, c.duplicate)
			}
		})
	}
}

func TestAPullWithoutARowCommitsNothing(t *testing.T) {
	s, lake := newStager(t)
	before := connectors.Cursor("")
	for _, state := range []string{"an empty chain", "a chain with rows"} {
		had := len(lake.entries)
		for _, list := range [][]connectors.Page{nil, {{Next: "moved on"}}, {pageOf("empty.csv")}, {headerOnly("empty.csv")}} {
			result, err := s.Run(t.Context(), penalties(), pages(list...), Pull{Run: "empty", Before: before})
			if err != nil || result.Entry.N != 0 || len(lake.entries) != had {
				t.Errorf("%s: %v: %+v, %d entries", state, err, result, len(lake.entries))
			}
		}
		first, err := s.Run(t.Context(), penalties(), pages(pageOf("a.csv", clean("1"))), Pull{Run: "r1", Before: before})
		if err != nil {
			t.Fatal(err)
		}
		before = connectors.Cursor(first.Entry.Cursor.After)
	}
}

// headerOnly is a page of a file that has columns and no row.
func headerOnly(file string) connectors.Page {
	page := pageOf(file, clean("1"))
	b := array.NewRecordBuilder(memory.DefaultAllocator, page.Batch.Schema())
	defer b.Release()
	page.Batch.Release()
	page.Batch = b.NewRecord()
	return page
}

func TestTheSameWorkIsCommittedOnce(t *testing.T) {
	s, lake := newStager(t)
	pull := Pull{Run: "r1"}
	first, err := s.Run(t.Context(), penalties(), pages(pageOf("a.csv", clean("1"))), pull)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context(), penalties(), pages(pageOf("b.csv", clean("2"))), Pull{Run: "r2", Before: "after a.csv"}); err != nil {
		t.Fatal(err)
	}
	again, err := s.Run(t.Context(), penalties(), func(func(connectors.Page, error) bool) { t.Error("work that is done was pulled again") }, pull)
	if err != nil || !again.Done || again.Entry.N != first.Entry.N || again.Ledger != first.Ledger {
		t.Errorf("%v: %+v", err, again)
	}
	if len(lake.entries) != 2 {
		t.Errorf("%d entries, want 2", len(lake.entries))
	}
}

func TestAPullFromAnotherPlaceIsDropped(t *testing.T) {
	s, lake := newStager(t)
	if _, err := s.Run(t.Context(), penalties(), pages(pageOf("a.csv", clean("1"))), Pull{Run: "r1"}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Run(t.Context(), penalties(), pages(pageOf("b.csv", clean("2"))), Pull{Run: "r2"})
	if !fault.Is(err, fault.Conflict) || len(lake.entries) != 1 {
		t.Errorf("error %v, %d entries; want a conflict and one entry", err, len(lake.entries))
	}
	// Another node commits while this one is at work.
	race := func(yield func(connectors.Page, error) bool) {
		if !yield(pageOf("c.csv", clean("3")), nil) {
			return
		}
		other := &Stager{Lake: lake, Words: words{}, Now: noon}
		if _, err := other.Run(t.Context(), penalties(), pages(pageOf("d.csv", clean("4"))), Pull{Run: "r4", Before: "after a.csv"}); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Run(t.Context(), penalties(), race, Pull{Run: "r3", Before: "after a.csv"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("error %v, want a conflict", err)
	}
}

func TestAPullThatBreaksLeavesNothingVisible(t *testing.T) {
	broken := errors.New("the line went dead")
	count := int64(3)
	short := pageOf("a.csv", clean("1"), clean("2"))
	short.Declared = &count
	for name, list := range map[string]func(func(connectors.Page, error) bool){
		"the source stops answering": func(yield func(connectors.Page, error) bool) {
			_ = yield(pageOf("a.csv", clean("1")), nil) && yield(connectors.Page{}, broken)
		},
		"the source declared more than came": pages(short),
	} {
		t.Run(name, func(t *testing.T) {
			s, lake := newStager(t)
			if _, err := s.Run(t.Context(), penalties(), list, Pull{Run: "r1"}); err == nil {
				t.Fatal("no error")
			}
			if len(lake.entries) != 0 {
				t.Errorf("%d entries", len(lake.entries))
			}
			left, err := os.ReadDir(lake.dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range left {
				if strings.HasPrefix(f.Name(), "stage-") {
					t.Errorf("%s is left behind", f.Name())
				}
			}
		})
	}
}

func TestADeclaredCountThatIsMetStandsInTheLedger(t *testing.T) {
	s, _ := newStager(t)
	count := int64(4)
	page := pageOf("a.csv", clean("1"), clean("2", "uscc", "bad"), clean("3", "XDR_LB", "自然人"))
	page.Declared, page.Rejects = &count, []connectors.Reject{{Line: 5, Reason: CSVFields, Value: "1,2"}}
	result, err := s.Run(t.Context(), penalties(), pages(page), Pull{Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	l := *result.Entry.Ledger
	if *l.Declared != 4 || l.Read != 4 || l.Accepted != 1 || l.Quarantined != 2 || l.Skipped != 1 {
		t.Errorf("%+v", l)
	}
}

func TestTheReportNamesEachFileAndEachRefusedRow(t *testing.T) {
	s, _ := newStager(t)
	first := pageOf("a.csv", clean("1"), clean("2", "CF_JDRQ", "soon"), clean("1"))
	first.Origin.Lines = []int64{2, 7, 9}
	first.Rejects = []connectors.Reject{{Line: 11, Reason: CSVFields, Value: "李四,1,2"}}
	first.Taken = []string{"a.csv"}
	second := pageOf("b.csv", clean("3", "XDR_LB", "自然人"))
	report := NewReport()
	result, err := s.Run(t.Context(), penalties(), pages(first, second), Pull{Run: "r1", ByHand: true, OnReject: report.Refused})
	if err != nil {
		t.Fatal(err)
	}
	report.Add(result)
	got, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"read":5,"accepted":1,"duplicate":1,"quarantined":2,"skipped":1,"files":[` +
		`{"file":"a.csv","read":4,"accepted":1,"duplicate":1,"quarantined":2,"skipped":0},` +
		`{"file":"b.csv","read":1,"accepted":0,"duplicate":0,"quarantined":0,"skipped":1}],"rejects":[` +
		`{"file":"a.csv","line":7,"column":"CF_JDRQ","reason":"TYPE_DATE","value":"soon"},` +
		`{"file":"a.csv","line":11,"column":"","reason":"CSV_FIELDS","value":"(6 characters withheld: the row may name persons)"}]}`
	if string(got) != want {
		t.Errorf("report\n%s, want\n%s", got, want)
	}
	if c := result.Entry.Cursor; c.Before != "" || c.After != "" {
		t.Errorf("a file by hand moved the source's cursor: %+v", c)
	}
	if taken := result.Entry.Table(TakenTable); taken != nil {
		t.Errorf("the source would be told of a file by hand: %+v", taken)
	}
}

func TestTheReportLeavesOutWhatFailedAndKeepsEmptyFiles(t *testing.T) {
	s, _ := newStager(t)
	report := NewReport()
	count := int64(9)
	short := pageOf("short.csv", clean("1", "uscc", "bad"))
	short.Declared = &count
	if _, err := s.Run(t.Context(), penalties(), pages(short), Pull{Run: "r1", ByHand: true, OnReject: report.Refused}); err == nil {
		t.Fatal("a short file was taken")
	}
	whole := pageOf("whole.csv", clean("1", "uscc", strings.ToLower(goodCode)), clean("2", "uscc", "bad"))
	result, err := s.Run(t.Context(), penalties(), pages(headerOnly("empty.csv"), whole), Pull{Run: "r2", ByHand: true, OnReject: report.Refused})
	if err != nil {
		t.Fatal(err)
	}
	report.Add(result)
	if len(report.Rejects) != 1 || report.Rejects[0].File != "whole.csv" || report.Quarantined != 1 {
		t.Errorf("rejects %+v", report.Rejects)
	}
	if want := []FileLedger{{File: "empty.csv"}, {File: "whole.csv", Read: 2, Accepted: 1, Quarantined: 1}}; !slices.Equal(report.Files, want) {
		t.Errorf("files %+v, want %+v", report.Files, want)
	}
	if result.Warnings[catalog.USCCNormalised] != 1 || result.Reasons[USCCLength] != 1 {
		t.Errorf("warnings %v, reasons %v", result.Warnings, result.Reasons)
	}
}

func TestHandlesAreGivenBackFromTheCommit(t *testing.T) {
	s, _ := newStager(t)
	first, second := pageOf("a.csv", clean("1")), pageOf("b.csv", clean("2"))
	first.Taken, second.Taken = []string{"h1", "h2"}, []string{"h3"}
	one, err := s.Run(t.Context(), penalties(), pages(first), Pull{Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.Run(t.Context(), penalties(), pages(second), Pull{Run: "r2", Before: "after a.csv"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		entry chain.Entry
		want  []string
	}{{one.Entry, []string{"h1", "h2"}}, {two.Entry, []string{"h3"}}} {
		var got []string
		for h, err := range s.Taken(t.Context(), NewestTaken(c.entry, c.entry.Files[0].Source)) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, h)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("commit %d gives back %v, want %v", c.entry.N, got, c.want)
		}
	}
}

func TestStockKeepsTheDayItsPlatformCollectedIt(t *testing.T) {
	s, lake := newStager(t)
	day, err := catalog.ParseDate("2025-09-10")
	if err != nil {
		t.Fatal(err)
	}
	later := clean("2", "CF_JDRQ", "2025-09-11") // it cannot have been collected the day before it was decided
	if _, err := s.Run(t.Context(), penalties(), pages(pageOf("a.csv", clean("1"), later)), Pull{Run: "r1", CollectedOn: day}); err != nil {
		t.Fatal(err)
	}
	rows := readTable(t, lake, RowsTable)
	if got := rows[0]["received_on"]; got != "2025-09-10" {
		t.Errorf("stock was received on %s, want 2025-09-10", got)
	}
	if got, today := rows[1]["received_on"], catalog.DateOf(s.Now()).String(); got != today {
		t.Errorf("what was decided after the collection was received on %s, want today, %s", got, today)
	}
}
