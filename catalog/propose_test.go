package catalog

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestAProposalTakesInWhatWasSeen(t *testing.T) {
	fsys := small()
	cat, faults := Load(fsys)
	ds, ok := cat.Dataset("amr.good")
	if !ok || len(faults) > 0 {
		t.Fatal(faults)
	}
	text, notes, err := Propose(append([]byte("# kept\n"), fsys["datasets/amr/good.yaml"].Data...), ds, []Sighting{
		{Kind: UnknownColumn, Column: "LIST-DATES", Guess: "date"},
		{Kind: MissingColumn, Field: "list_date"},
		{Kind: UnknownColumn, Column: "经办人证件号", Guess: "personal", Longest: 18},
		{Kind: UnknownColumn, Column: "备注", Guess: "text", Longest: 30},
		{Kind: UnknownColumn, Column: "数量", Guess: "integer"},
		{Kind: MissingColumn, Field: "reason"},
		{Kind: ChangedType, Field: "source_record_id", Guess: "date"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "# kept\n") || len(notes) != 6 {
		t.Errorf("%s\n%v", text, notes)
	}
	fsys["datasets/amr/good.yaml"] = &fstest.MapFile{Data: text}
	cat, faults = Load(fsys)
	next, _ := cat.Dataset("amr.good")
	if len(faults) > 0 {
		t.Fatalf("the proposal is no good contract: %v\n%s", faults, text)
	}
	var got []string
	for _, c := range Diff(ds, next) {
		got = append(got, c.String())
	}
	want := []string{"  + field 经办人证件号: text, personal, max 50, 经办人证件号", "  + field 备注: text, max 100, 备注", "  + field 数量: integer, 数量",
		"  + alias LIST-DATES: list_date", "  ~ version : 1 -> 2"}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

func TestANameThatResemblesNoMissingFieldIsNoAlias(t *testing.T) {
	ds := Dataset{Fields: []Field{{Name: "list_date", Type: "date", Title: Text{ZH: "列入日期"}}}}
	missing := Sighting{Kind: MissingColumn, Field: "list_date"}
	for _, c := range []struct {
		column, guess, want string
	}{{"list_dt", "date", "list_date"}, {"列入时间", "date", ""}, {"列入的日期", "date", "list_date"}, {"list_date_", "text", ""}, {"amount", "date", ""}} {
		s := Sighting{Kind: UnknownColumn, Column: c.column, Guess: c.guess}
		if got := likeliest(s, []Sighting{s, missing}, ds); got != c.want {
			t.Errorf("%s (%s): %q, want %q", c.column, c.guess, got, c.want)
		}
	}
}
