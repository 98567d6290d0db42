package settle

import (
	"slices"
	"testing"

	"xinshu/catalog"
)

func TestRowsBecomeRecordsMarksAndEntities(t *testing.T) {
	l := openLake(t, t.TempDir())
	stageRows(t, l, "amr.reg",
		row{"record_key": codes[3], "uscc": codes[3], "entity_name": "丙公司", "established_on": "2015-03-01", "level": "active", "industry": "C", "received_on": "2025-10-28"},
		row{"record_key": codes[1], "uscc": codes[1], "entity_name": "甲公司", "established_on": "2012-05-06", "level": "cancelled", "status_on": "2025-06-30", "received_on": "2025-10-28"})
	stageRows(t, l, "cult.penalty",
		row{"record_key": "P1", "uscc": codes[3], "kind": "penalty", "penalty_category": "罚款", "decided_on": "2025-09-01", "doc_no": "文罚1号", "authority_uscc": codes[9], "fine_fen": "200000", "received_on": "2025-10-28"},
		row{"record_key": "P2", "uscc": codes[2], "kind": "penalty", "penalty_category": "警告", "decided_on": "2025-09-02", "doc_no": "文罚2号", "authority_uscc": codes[9], "received_on": "2025-10-28"})
	stageRows(t, l, "nat-credit.repair",
		row{"record_key": "R1", "uscc": codes[3], "kind": "repair", "doc_no": "文罚1号", "effective_on": "2025-10-20", "received_on": "2025-10-28"},
		row{"record_key": "R9", "uscc": codes[3], "kind": "repair", "doc_no": "文罚9号", "effective_on": "2025-10-21", "received_on": "2025-10-28"})

	r := settleNow(t, l)
	if r.N != 1 || !r.Committed || r.Rows != 6 || r.Records != 4 || r.Entities != 3 || r.Marks != 2 || r.Ranges != 1 {
		t.Errorf("%+v", r)
	}
	wants(t, l, "select entity_id, uscc, name, in_scope_from, in_scope_until, industry, known_from, known_to from entity order by entity_id",
		"1 "+codes[1]+" 甲公司 2012-05-06 2025-06-30 - 1 -",
		"2 "+codes[2]+" 某公司 - - - 1 -",
		"3 "+codes[3]+" 丙公司 2015-03-01 - C 1 -")
	wants(t, l, "select entity_id, kind, level, level_by, decided_on, amount_fen, version, known_from, known_to, status from record order by entity_id, kind",
		"1 registration cancelled source 2012-05-06 - 1 1 - in_force",
		"2 penalty minor severity-before-36 2025-09-02 - 1 1 - in_force",
		"3 penalty general severity-before-36 2025-09-01 200000 1 1 - in_force",
		"3 registration active source 2015-03-01 - 1 1 - in_force")
	wants(t, l, "select m.kind, m.effective_on, r.doc_no from mark as m left join record as r on r.record_id = m.target_record_id order by m.effective_on",
		"repair 2025-10-20 文罚1号",
		"repair 2025-10-21 -")
	wants(t, l, "select dataset, complete_to, rows_usual from coverage order by dataset",
		"amr.reg 2025-10-28 2", "cult.penalty 2025-10-28 2", "nat-credit.repair 2025-10-28 2")
}

func TestNothingNewIsNoCommit(t *testing.T) {
	l := openLake(t, t.TempDir())
	if r := settleNow(t, l); r.Committed || r.N != 0 {
		t.Errorf("an empty lake gave %+v", r)
	}
	stageRows(t, l, "cult.penalty", row{"uscc": codes[0], "decided_on": "2025-09-01", "received_on": "2025-10-28"})
	if r := settleNow(t, l); !r.Committed || r.N != 1 {
		t.Errorf("the first rows gave %+v", r)
	}
	if r := settleNow(t, l); r.Committed || r.N != 1 {
		t.Errorf("the same head gave %+v", r)
	}
}

func TestRowsOfAFamilyThatIsBrokenWaitAndTheOthersGoOn(t *testing.T) {
	l := openLake(t, t.TempDir())
	stageRows(t, l, "tax.arrears", row{"uscc": codes[0], "kind": "tax_arrears", "announced_on": "2025-04-01", "received_on": "2025-10-28"})
	stageRows(t, l, "tax.grade", row{"uscc": codes[0], "kind": "tax_grade", "rated_on": "2025-04-20", "received_on": "2025-10-28"})
	s := settler(t, l)
	broken := *s.Catalog
	broken.Families = slices.DeleteFunc(slices.Clone(broken.Families), func(f catalog.Family) bool { return f.ID == "rating" })
	s.Catalog = &broken
	if _, err := s.Run(t.Context(), "broken"); err != nil {
		t.Fatal(err)
	}
	wants(t, l, "select dataset from record order by dataset", "tax.arrears")
	settleNow(t, l)
	wants(t, l, "select dataset from record order by dataset", "tax.arrears", "tax.grade")
}

// A contract that grew a column reads files of before it: the column is null there.
func TestAFileOfAnOlderContractLacksAColumn(t *testing.T) {
	l := openLake(t, t.TempDir())
	stageRows(t, l, "tax.arrears", row{"uscc": codes[0], "kind": "tax_arrears", "announced_on": "2025-04-01", "received_on": "2025-10-28"})
	s := settler(t, l)
	newer := *s.Catalog
	newer.Families = slices.Clone(newer.Families)
	for i, f := range newer.Families {
		if f.ID == "obligation" {
			newer.Families[i].Columns = append(slices.Clone(f.Columns), catalog.Column{Name: "instalments", Type: "integer"})
		}
	}
	s.Catalog = &newer
	if _, err := s.Run(t.Context(), "newer"); err != nil {
		t.Fatal(err)
	}
	wants(t, l, "select dataset from record", "tax.arrears")
}
