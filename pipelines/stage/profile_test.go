package stage

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"
)

func profileOf(t *testing.T, s *Stager, lake *folder) map[string]FieldProfile {
	t.Helper()
	head, err := lake.Head(t.Context(), "")
	if err != nil || len(head.Table(ProfileTable)) == 0 {
		t.Fatalf("no profile stands: %v", err)
	}
	fields, err := s.Profile(t.Context(), head.Table(ProfileTable)[0])
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]FieldProfile{}
	for _, f := range fields {
		named[f.Field] = f
	}
	return named
}

func TestAPullIsProfiledFieldByField(t *testing.T) {
	s, lake := newStager(t)
	page := pageOf("a.csv",
		clean("1", "CF_JDRQ", "2025-01-05", "staff", "7", "CF_CFLB", "警告"),
		clean("2", "CF_JDRQ", "2025年3月1日", "staff", "-", "CF_CFJGDM", organCode),
		clean("3", "CF_JDRQ", "早上", "staff", "12", "uscc", "91410481MA44K7X22B"),
		clean("3", "CF_JDRQ", "2025-01-05", "uscc", residentID),
		clean("4", "XDR_LB", "自然人", "CF_JDRQ", "2024-01-01"))
	if _, err := s.Run(t.Context(), penalties(), pages(page), Pull{Run: "r1"}); err != nil {
		t.Fatal(err)
	}
	p := profileOf(t, s, lake)
	date := p["CF_JDRQ"]
	if date.Rows != 4 || date.Nulls != 0 || date.Unread != 1 || date.Min != "2025-01-05" || date.Max != "2025-03-01" || date.Distinct != 3 || !date.Exact {
		t.Errorf("the date's profile is %+v: a natural person's row must not count, an unreadable value must", date)
	}
	if len(date.Top) != 3 || date.Top[0] != (TopValue{"2025-01-05", 2}) || date.TopRows != 4 {
		t.Errorf("the date's top values are %+v among %d rows", date.Top, date.TopRows)
	}
	if code := p["uscc"]; code.Valid == nil || *code.Valid != 0.5 || code.Unread != 2 || code.Min != goodCode || code.Max != goodCode {
		t.Errorf("the code's profile is %+v", code)
	}
	for _, top := range p["uscc"].Top {
		if top.Value == residentID {
			t.Error("a resident id stands in the profile")
		}
	}
	if person := p["CF_FRDB"]; person.Min != "" || person.Max != "" || len(person.Top) != 0 || person.Rows != 4 {
		t.Errorf("a person field's profile holds values: %+v", person)
	}
	if list := p["CF_CFLB"]; list.Valid == nil || *list.Valid != 1 {
		t.Errorf("the code list's profile is %+v", list)
	}
}

// Which goroutine saw which block must not show.
func TestAProfileIsTheSameWithAnyNumberOfCores(t *testing.T) {
	var want map[string]FieldProfile
	for _, cores := range []int{1, 4} {
		before := runtime.GOMAXPROCS(cores)
		s, lake := newStager(t)
		_, err := s.Run(t.Context(), penalties(), mixed(30_000), Pull{Run: "r1"})
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		got := profileOf(t, s, lake)
		if want != nil && !reflect.DeepEqual(got, want) {
			t.Errorf("with %d cores\n%+v, with one\n%+v", cores, got, want)
		}
		want = got
	}
	if n := want["source_record_id"]; n.Exact || n.Distinct < 28_000 || n.Distinct > 31_000 {
		t.Errorf("of about 29,400 different numbers the estimate is %d (exact %v)", n.Distinct, n.Exact)
	}
	if top := want["CF_CFLB"].Top; len(top) != 2 || top[0].Rows+top[1].Rows != want["CF_CFLB"].Rows {
		t.Errorf("the categories' top values are %+v", top)
	}
}

func TestDifferentValuesAreCountedExactlyThenEstimated(t *testing.T) {
	for _, n := range []int{0, 1, exactDistinct, exactDistinct + 1, 20_000, 300_000} {
		whole, parts := newDistinct(), []*distinct{newDistinct(), newDistinct(), newDistinct()}
		for i := range n {
			h := hash(fmt.Sprintf("舞市监罚〔2025〕%d号", i))
			whole.add(h)
			whole.add(h)
			parts[i%3].add(h)
		}
		merged := newDistinct()
		for _, p := range parts {
			merged.merge(p)
		}
		got, exact := whole.count()
		if again, also := merged.count(); again != got || also != exact {
			t.Errorf("%d values: %d in one count, %d merged", n, got, again)
		}
		if off := float64(got-int64(n)) / float64(max(n, 1)); exact != (n <= exactDistinct) || exact && off != 0 || off > 0.05 || off < -0.05 {
			t.Errorf("%d values are counted as %d (exact %v)", n, got, exact)
		}
	}
}
