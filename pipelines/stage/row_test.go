package stage

import (
	"strings"
	"testing"
	"unicode/utf8"

	"xinshu/catalog"
	"xinshu/connectors"
)

// stageOne stages one row and gives the result with what was written of it.
func stageOne(t *testing.T, row []string) (result Result, kept, refused map[string]string) {
	t.Helper()
	s, lake := newStager(t)
	result, err := s.Run(t.Context(), penalties(), pages(pageOf("a.csv", row)), Pull{Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	if rows := readTable(t, lake, RowsTable); len(rows) > 0 {
		kept = rows[0]
	}
	if rows := readTable(t, lake, QuarantineTable); len(rows) > 0 {
		refused = rows[0]
	}
	return result, kept, refused
}

func TestABadRowIsRefusedWithReasonAndColumn(t *testing.T) {
	for _, c := range []struct {
		name           string
		with           []string
		reason, column string
		value          string
	}{
		{"an empty required field", []string{"CF_JDRQ", ""}, Required, "CF_JDRQ", ""},
		{"blanks only are empty", []string{"CF_JDRQ", " 　"}, Required, "CF_JDRQ", " 　"},
		{"null is empty", []string{"CF_JDRQ", "<null>"}, Required, "CF_JDRQ", ""},
		{"a date placeholder is empty", []string{"CF_JDRQ", "无"}, Required, "CF_JDRQ", "无"},
		{"no such day", []string{"CF_JDRQ", "2025-02-30"}, TypeDate, "CF_JDRQ", "2025-02-30"},
		{"a word for a date", []string{"CF_YXQ", "长期"}, TypeDate, "CF_YXQ", "长期"},
		{"a word for a number", []string{"CF_NR_FK", "若干"}, TypeNumber, "CF_NR_FK", "若干"},
		{"an amount finer than a fen", []string{"CF_NR_FK", "0.0000001"}, TypeNumber, "CF_NR_FK", "0.0000001"},
		{"half a person", []string{"staff", "1.5"}, TypeNumber, "staff", "1.5"},
		{"neither yes nor no", []string{"simple", "也许"}, TypeBoolean, "simple", "也许"},
		{"outside the code list", []string{"CF_CFLB", "罚站"}, CodeList, "CF_CFLB", "罚站"},
		{"one of several codes outside the list", []string{"CF_CFLB", "警告;罚站"}, CodeList, "CF_CFLB", "警告;罚站"},
		{"a code that the level's mapping does not know", []string{"severity", "未定"}, LevelUnknown, "severity", "未定"},
		{"an unknown operation", []string{"op", "X"}, CodeList, "op", "X"},
		{"longer than the contract allows, in characters", []string{"entity_name", strings.Repeat("甲", 21)}, TooLong, "entity_name", strings.Repeat("甲", 21)},
		{"no record key", []string{"source_record_id", " "}, KeyEmpty, "source_record_id", " "},
		{"a placeholder for a key", []string{"source_record_id", "暂无"}, KeyEmpty, "source_record_id", "暂无"},
		{"a person's number for a key", []string{"source_record_id", residentID}, PersonalID, "source_record_id", "110*************15"},
		{"no code", []string{"uscc", "<null>"}, USCCPlaceholder, "uscc", ""},
		{"a code with a wrong check character", []string{"uscc", "91410481MA44K7X22B"}, USCCCheck, "uscc", "91410481MA44K7X22B"},
		{"a code with a letter outside its set", []string{"uscc", "91410481MA44K7X2OA"}, USCCCharset, "uscc", "91410481MA44K7X2OA"},
		{"a registration number with a wrong check digit", []string{"uscc", "410481100001239"}, LegacyReg, "uscc", "410481100001239"},
		{"a registration number of before 2007, which has no check digit", []string{"uscc", "3304811104905"}, LegacyReg, "uscc", "3304811104905"},
		{"a registration number that may be a person's", []string{"uscc", "410481600123458"}, LegacyReg, "uscc", "410**********58"},
		{"an organisation code with a wrong check character", []string{"uscc", "79965505-7"}, LegacyOrg, "uscc", "79965505-7"},
		{"a resident id for a code", []string{"uscc", residentID}, PersonalID, "uscc", "110*************15"},
		{"a resident id for an authority", []string{"CF_CFJGDM", residentID}, PersonalID, "CF_CFJGDM", "110*************15"},
		{"an authority's code with a wrong check character", []string{"CF_CFJGDM", "11410481005458125X"}, USCCCheck, "CF_CFJGDM", "11410481005458125X"},
		{"a decision of tomorrow", []string{"CF_JDRQ", "2025-10-29"}, "DATE_FUTURE", "CF_JDRQ", "2025-10-29"},
		{"an end before the decision", []string{"CF_YXQ", "2025-08-31"}, "DATE_ORDER", "CF_JDRQ", "2025-09-01"},
		{"a fine named without an amount", []string{"CF_CFLB", "罚款"}, "FINE_NAMED", "CF_NR_FK", ""},
		{"an amount without a fine named", []string{"CF_NR_FK", "0.2"}, "FINE_NAMED", "CF_NR_FK", "0.2"},
		{"bytes that are no text", []string{"CF_SY", "未\xff"}, Encoding, "CF_SY", "未\uFFFD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			result, kept, refused := stageOne(t, clean("1", c.with...))
			if kept != nil || result.Ledger.Quarantined != 1 {
				t.Fatalf("not refused: %+v", result.Ledger)
			}
			if refused["reason"] != c.reason || refused["column_name"] != c.column || refused["value"] != c.value {
				t.Errorf("refused for %s in %s with %q, want %s in %s with %q",
					refused["reason"], refused["column_name"], refused["value"], c.reason, c.column, c.value)
			}
		})
	}
}

func TestAWrittenFormIsBroughtToItsCanonicalOne(t *testing.T) {
	for _, c := range []struct {
		name         string
		with         []string
		column, want string
	}{
		{"a code in lower case and full width", []string{"uscc", "９１４１０４８１ma44k7x22a"}, "uscc", goodCode},
		{"a code under its 2018 name", []string{"uscc", "", "CF_XDR_SHXYM", otherCode}, "uscc", otherCode},
		{"a pilot code that a steward recorded", []string{"uscc", pilotCode}, "uscc", pilotCode},
		{"a heading in Chinese", []string{"CF_WSH", "", "决定书文号", "舞1号"}, "doc_no", "舞1号"},
		{"a date with slashes", []string{"CF_JDRQ", "2025/9/1"}, "decided_on", "2025-09-01"},
		{"a date in one piece", []string{"CF_JDRQ", "20250901"}, "decided_on", "2025-09-01"},
		{"a date in Chinese", []string{"CF_JDRQ", "2025年9月1日"}, "decided_on", "2025-09-01"},
		{"a date in full width", []string{"CF_JDRQ", "２０２５－０９－０１"}, "decided_on", "2025-09-01"},
		{"a date with a time", []string{"CF_JDRQ", "2025-09-01 08:00:00"}, "decided_on", "2025-09-01"},
		{"several codes, one by its alias, with other separators", []string{"CF_CFLB", "警告；没收违法所得"}, "penalty_category", "警告;没收违法所得"},
		{"other, specified", []string{"CF_CFLB", "其他-限制从业"}, "penalty_category", "其他-限制从业"},
		{"a level by its code", []string{"severity", "2"}, "level", "general"},
		{"no level", nil, "level", ""},
		{"an amount in wan", []string{"CF_CFLB", "FK", "CF_NR_FK", "１.２３４５６７"}, "fine_fen", "1234567"},
		{"an amount that names its unit", []string{"CF_CFLB", "罚款", "CF_NR_FK", "820(万元)"}, "fine_fen", "820000000"},
		{"an amount in yuan where wan are usual", []string{"CF_CFLB", "罚款", "CF_NR_FK", "2,000.50元"}, "fine_fen", "200050"},
		{"a document number keeps its brackets and width", []string{"CF_WSH", "（舞）罚〔２０２５〕１号"}, "doc_no", "（舞）罚〔２０２５〕１号"},
		{"a resident id in running text is masked, the row is kept", []string{"CF_SY", "张某（" + residentID + "）未戴手套"}, "title", "张某（110*************15）未戴手套"},
		{"a deletion", []string{"op", "d"}, "op", "D"},
		{"a deletion needs no more than key and subject", []string{"op", "D", "CF_JDRQ", "", "entity_name", ""}, "op", "D"},
		{"the time of the batch where the source gives none", nil, "source_time", "2025-10-28 12:00:00Z"},
		{"a time of the source with a zone, as wall time", []string{"op_time", "2025-09-01T00:30:00Z"}, "source_time", "2025-09-01 08:30:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, kept, refused := stageOne(t, clean("1", c.with...))
			if refused != nil {
				t.Fatalf("refused for %s in %s", refused["reason"], refused["column_name"])
			}
			if kept[c.column] != c.want {
				t.Errorf("%s = %q, want %q", c.column, kept[c.column], c.want)
			}
		})
	}
}

func TestARowAboutANaturalPersonIsCountedAndNotStored(t *testing.T) {
	for _, category := range []string{"自然人", "2"} {
		result, kept, refused := stageOne(t, clean("1", "XDR_LB", category, "uscc", residentID))
		if kept != nil || refused != nil || result.Ledger.Skipped != 1 {
			t.Errorf("%s: %+v, kept %v, refused %v", category, result.Ledger, kept, refused)
		}
	}
	if result, _, _ := stageOne(t, clean("1", "XDR_LB", "个体工商户")); result.Ledger.Accepted != 1 {
		t.Errorf("an individual business is no natural person: %+v", result.Ledger)
	}
}

func TestNothingPersonalReachesQuarantine(t *testing.T) {
	row := clean("1", "uscc", "1101--0119900307  8515", "CF_FRDB", "李四", "CF_FR_ZJHM", "G12345678", "note", "见"+residentID, "CF_YXQ", "<null>")
	s, lake := newStager(t)
	s.HashKey = []byte("installation")
	var told []Reject
	if _, err := s.Run(t.Context(), penalties(), pages(pageOf("a.csv", row)), Pull{Run: "r1", OnReject: func(r Reject) { told = append(told, r) }}); err != nil {
		t.Fatal(err)
	}
	refused := readTable(t, lake, QuarantineTable)[0]
	hash := catalog.KeyedHash([]byte("installation"), "李四")[:16]
	want := `{"uscc":"110*************15","entity_name":"舞钢市示例有限公司","source_record_id":"1","XDR_LB":"法人及非法人组织",` +
		`"CF_WSH":"舞文罚〔2025〕1号","CF_SY":"未按规定悬挂许可证","CF_CFLB":"警告","CF_JDRQ":"2025-09-01","CF_CFJG":"市文广旅局",` +
		`"CF_FRDB":"***#` + hash + `","CF_FR_ZJHM":"***#` + catalog.KeyedHash([]byte("installation"), "G12345678")[:16] + `","note":"见110*************15","CF_YXQ":null}`
	if refused["original"] != want {
		t.Errorf("original\n%s, want\n%s", refused["original"], want)
	}
	if refused["uscc"] != "110*************15" || told[0].Value != "110*************15" || refused["reason"] != PersonalID {
		t.Errorf("uscc %q, told %+v", refused["uscc"], told)
	}
	for column, v := range refused {
		for _, secret := range []string{"李四", "G12345678", "8515", "19900307"} {
			if strings.Contains(v, secret) {
				t.Errorf("%s holds %q: %s", column, secret, v)
			}
		}
	}
}

// DuckDB refuses a whole file for one value that is no UTF-8, and names of files come in any encoding.
func TestAFileNameInAnotherEncodingIsStoredAsText(t *testing.T) {
	s, lake := newStager(t)
	page := pageOf("\xb4\xa6\xb7\xa3.csv", clean("1"), clean("2", "uscc", "bad"))
	page.Rejects = []connectors.Reject{{Line: 4, Column: "\xff", Reason: Encoding, Value: "\xb4"}}
	if _, err := s.Run(t.Context(), penalties(), pages(page), Pull{Run: "r1"}); err != nil {
		t.Fatal(err)
	}
	for _, row := range append(readTable(t, lake, RowsTable), readTable(t, lake, QuarantineTable)...) {
		for column, v := range row {
			if !utf8.ValidString(v) {
				t.Errorf("%s holds %q", column, v)
			}
		}
	}
}

// A number from before 2015 is no code, but a registration can tie it to one: the row is kept under it.
func TestARowUnderANumberFromBefore2015IsKeptWithAWarning(t *testing.T) {
	for _, c := range []struct{ given, kept, warning string }{
		{"410481100001238", "410481100001238", LegacyReg},
		{" ４１０４８１１００００１２３８", "410481100001238", LegacyReg},
		{"79965505-8", "799655058", LegacyOrg},
	} {
		result, kept, _ := stageOne(t, clean("1", "uscc", c.given))
		if result.Ledger.Accepted != 1 || kept["uscc"] != c.kept || result.Warnings[c.warning] != 1 {
			t.Errorf("%q: %+v, kept as %q, warnings %v", c.given, result.Ledger, kept["uscc"], result.Warnings)
		}
	}
}
