package stage

import (
	"errors"
	"strings"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

func TestABrokenContractIsRefusedWithAllItsFaults(t *testing.T) {
	ds := penalties()
	ds.Key = []string{"source_record_id", "CF_FRDB"}
	ds.Kind = catalog.Mapping{Field: "nowhere"}
	ds.Map["fine_fen"] = catalog.Mapping{Field: "score"}
	ds.Map["decided_on"] = catalog.Mapping{Const: "some day"}
	ds.Map["quantity"] = catalog.Mapping{Field: "severity", Values: map[string]string{"轻微": "few"}}
	ds.Map["colour"] = catalog.Mapping{Field: "CF_WSH"}
	ds.Fields = append(ds.Fields, catalog.Field{Name: "stars", Type: "float"}, catalog.Field{Name: "listed", Type: "text", Codes: "nowhere"})
	ds.Aliases["CF_X"] = "nowhere"
	ds.Checks = append(ds.Checks, catalog.Check{Code: "A", Rule: "not_after", Fields: []string{"CF_WSH", "CF_JDRQ"}},
		catalog.Check{Code: "B", Rule: "sometimes"}, catalog.Check{Code: "C", Rule: "not_future"}, catalog.Check{Code: "D", Rule: "uscc", Fields: []string{"nowhere"}})
	err := Check(ds, words{})
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Invalid || !strings.Contains(f.Hint, ds.File) {
		t.Fatalf("error %v, want one that says invalid and names the file", err)
	}
	for _, want := range []string{
		"key: field CF_FRDB is personal", `kind: field "nowhere" is unknown`, "field score of type decimal cannot become fen",
		`value "some day" is no date`, `value "few" is no integer`, "has no such column", `type "float" is unknown`,
		`code list "nowhere" is unknown`, `alias CF_X: field "nowhere" is unknown`, "check A: field CF_WSH is no date",
		`check B: rule "sometimes" is unknown`, "check C: rule not_future takes 1 fields", `check D: field "nowhere" is unknown`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	ds = penalties()
	ds.Family = "nowhere"
	if err := Check(ds, words{}); err == nil || !strings.Contains(err.Error(), `family "nowhere" is unknown`) {
		t.Errorf("an unknown family: %v", err)
	}
}

func TestEveryReasonHasASentenceInBothLanguages(t *testing.T) {
	for reason, s := range sentences {
		if s.ZH == "" || s.EN == "" {
			t.Errorf("%s: %+v", reason, s)
		}
	}
	ds := penalties()
	ds.Checks[0].Message = catalog.Text{ZH: "决定日期不得晚于接收日", EN: "the decision may not lie after the day of receipt"}
	if got := Sentence("DATE_FUTURE", ds); got != ds.Checks[0].Message {
		t.Errorf("a check's own message is not used: %+v", got)
	}
	if got := Sentence(TypeDate, ds); got.ZH != "日期无法识别" {
		t.Errorf("%+v", got)
	}
	if got := Sentence("NEVER_HEARD_OF", ds); got.EN != "NEVER_HEARD_OF" {
		t.Errorf("%+v", got)
	}
}

func TestAKindReadFromAFieldMustBeKnown(t *testing.T) {
	ds := penalties()
	ds.Fields = append(ds.Fields, catalog.Field{Name: "list_kind", Type: "text"})
	ds.Kind = catalog.Mapping{Field: "list_kind", Values: map[string]string{"处罚": "penalty", "评价": "public_grade"}}
	ds.Map["level"] = catalog.Mapping{Field: "CF_WSH"}
	for _, c := range []struct {
		name, kind, level string
		verdict           verdict
		reason            string
	}{
		{"listed", "处罚", "minor", accepted, ""},
		{"not listed", "表扬", "minor", quarantined, KindUnknown},
		{"empty", "", "minor", quarantined, KindUnknown},
		{"a level of another kind", "处罚", "AAA", quarantined, LevelUnknown},
		{"a kind with a scale of its own takes any level", "评价", "AAA", accepted, ""},
	} {
		s, _ := newStager(t)
		var told []Reject
		result, err := s.Run(t.Context(), ds, pages(pageOf("a.csv", clean("1", "list_kind", c.kind, "CF_WSH", c.level))),
			Pull{Run: "r1", OnReject: func(r Reject) { told = append(told, r) }})
		if err != nil {
			t.Fatal(err)
		}
		if (result.Ledger.Accepted == 1) != (c.verdict == accepted) || c.reason != "" && told[0].Reason != c.reason {
			t.Errorf("%s: %+v %+v", c.name, result.Ledger, told)
		}
	}
}
