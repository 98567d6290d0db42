package settle

import (
	"testing"

	"xinshu/catalog"
)

func TestAnOverrideIsStatedReplacedAndEnded(t *testing.T) {
	l := openLake(t, t.TempDir())
	s := settler(t, l)
	day := func(text string) catalog.Date {
		d, err := catalog.ParseDate(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if all, err := s.Overrides(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("%v: %v in a lake without any", err, all)
	}
	const code = "12100000400000624X"
	o := Override{Code: code, From: day("2025-10-28"), Until: catalog.NoDate, DecidedBy: "李四", Reason: "登记机关公示"}
	say := func(o Override) Result {
		r, err := s.AddMarks(t.Context(), "run", []Statement{o.Statement(day("2025-10-28"))})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if !say(o).Committed || say(o).Committed {
		t.Error("a statement is news once")
	}
	limited := o
	limited.Until = day("2025-12-31")
	say(limited)
	all, err := s.Overrides(t.Context())
	if err != nil || len(all) != 1 || all[0].Until != limited.Until || all[0].DecidedBy != "李四" {
		t.Fatalf("%v: %+v", err, all)
	}
	for text, want := range map[string]bool{"2025-10-27": false, "2025-10-28": true, "2025-12-31": true, "2026-01-01": false} {
		if all[0].InForce(day(text)) != want {
			t.Errorf("in force on %s: %t", text, !want)
		}
	}
	ended := limited
	ended.Until, ended.DecidedBy, ended.Reason = day("2025-10-27"), "王五", "误认"
	say(ended)
	if all, err = s.Overrides(t.Context()); err != nil || all[0].InForce(day("2025-10-28")) || all[0].DecidedBy != "王五" {
		t.Errorf("%v: %+v", err, all)
	}
	// Who said what before stays on record, and an override means no record.
	wants(t, l, "select decided_by, evidence, target_key, target_record_id from mark order by known_from",
		"李四 登记机关公示 "+code+"| -", "李四 登记机关公示 "+code+"|2025-12-31 -", "王五 误认 "+code+"|2025-10-27 -")
}
