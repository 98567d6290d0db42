package stage

import (
	"strings"
	"testing"
	"unicode/utf8"

	"xinshu/catalog"
)

// FuzzRow sends anything at all through the row checker. Whatever comes, the row has one fate with a
// reason, and what would be stored is text without a resident id in it.
func FuzzRow(f *testing.F) {
	f.Add(goodCode, "1", "警告", "2025-09-01", "0.2", "轻微", "未按规定", "I", "2025-09-01 08:00:00")
	f.Add(residentID, residentID, "其他-x", "2025年9月1日", "1e3", "", "见"+residentID, "D", "")
	f.Add("９１", " ", "罚款;警告", "20250901", "820(万元)", "9", "\xff", "update", "Z")
	f.Add(pilotCode, "无", ";;", "2025-9", "-", "1", strings.Repeat("甲", 40), "X", "2025-09-01T25:00:00")
	c, err := compile(penalties(), words{})
	if err != nil {
		f.Fatal(err)
	}
	checker := newRowChecker(c, 20390)
	place := func(name string) int { return c.names[fold(name)] }
	names := []string{"uscc", "source_record_id", "CF_CFLB", "CF_JDRQ", "CF_NR_FK", "severity", "CF_SY", "op", "op_time"}
	places := make([]int, len(names))
	for i, name := range names {
		places[i] = place(name)
	}
	f.Fuzz(func(t *testing.T, a, b, c1, d, e, g, h, i, j string) {
		raw := make([]string, len(c.fields))
		raw[place("entity_name")], raw[place("CF_FRDB")] = h, a
		for n, v := range []string{a, b, c1, d, e, g, h, i, j} {
			raw[places[n]] = v
		}
		switch checker.check(raw) {
		case accepted:
			var id identity
			id.of(checker)
			texts := []string{checker.entityName(), string(id.key)}
			for n := range checker.out {
				if c.columns[n].Type == "text" && c.columns[n].Name != "authority_uscc" {
					texts = append(texts, checker.out[n].text)
				}
			}
			for _, s := range texts {
				if _, found := catalog.MaskIDs(s); found || !utf8.ValidString(s) {
					t.Errorf("%q would be stored", s)
				}
			}
			if v := (words{}).CheckUSCC(checker.code); !v.Valid && !c.legacyNumber(v) || checker.kind != "penalty" {
				t.Errorf("accepted for %q as %q", checker.code, checker.kind)
			}
		case quarantined:
			if _, known := sentences[checker.reason]; !known && !strings.HasPrefix(checker.reason, "DATE_") && checker.reason != "FINE_NAMED" {
				t.Errorf("refused for %q, which nobody has described", checker.reason)
			}
			m := masker{contract: c}
			if checker.fault >= 0 {
				if _, found := catalog.MaskIDs(m.field(checker.fault, raw[checker.fault])); found {
					t.Errorf("%q would stand in quarantine", raw[checker.fault])
				}
			}
		case skipped:
			t.Error("no category was given, and the row was taken for a natural person's")
		}
	})
}
