package settle

import (
	"testing"

	"xinshu/internal/chain"
)

const number = "410481100001238"

func registered(code, number, day string) row {
	return row{"record_key": code, "uscc": code, "level": "active", "established_on": "2012-05-06", "reg_no": number, "received_on": day}
}

func owed(code, day string) row {
	return row{"record_key": "A" + code, "uscc": code, "kind": "tax_arrears", "announced_on": "2025-04-01", "received_on": day}
}

const told0 = "select number, kind, number_id, uscc, says, known_from, known_to from alias order by number, kind, uscc, version"

func TestANumberWaitsUntilARegistrationNamesIt(t *testing.T) {
	l := openLake(t, t.TempDir())
	stageRows(t, l, "tax.arrears", owed(number, "2025-10-28"))
	settleNow(t, l)
	wants(t, l, told0, number+" seen 1 - - 1 -")
	wants(t, l, "select uscc, category, in_scope_from from entity", number+" - -")
	stageRows(t, l, "amr.reg", registered(codes[1], number, "2025-11-03"), registered(codes[2], "440301103097413", "2025-11-03"))
	settleNow(t, l)
	wants(t, l, told0, number+" reg_no 1 "+codes[1]+" "+number+" 2 -", number+" seen 1 - - 1 -")
	// The register corrects its mistake: the claim is told with its end.
	fixed := registered(codes[1], "440301103097413", "2025-12-29")
	stageRows(t, l, "amr.reg", fixed)
	settleNow(t, l)
	wants(t, l, told0, number+" reg_no 1 "+codes[1]+" "+number+" 2 3", number+" reg_no 1 "+codes[1]+" 440301103097413 3 -", number+" seen 1 - - 1 -")
}

func TestARegistrationThatCameFirstIsFoundInRangesThatAreNotWritten(t *testing.T) {
	l := openLake(t, t.TempDir())
	stageRows(t, l, "amr.reg", registered(codes[1], number, "2025-10-28"))
	settleNow(t, l)
	if head, _ := l.Head(t.Context(), chain.Settled); len(head.Table(Alias)) != 0 {
		t.Error("aliases are kept for numbers that nobody used")
	}
	org := codes[2][8:17]
	stageRows(t, l, "tax.arrears", owed(codes[2], "2025-10-28"))
	settleNow(t, l)
	stageRows(t, l, "tax.arrears", owed(number, "2025-11-03"), owed(org, "2025-11-03"))
	settleNow(t, l)
	wants(t, l, "select number, kind, uscc, dataset, known_from from alias order by number = '"+number+"', number, kind",
		org+" org_code "+codes[2]+" - 2", org+" seen - - 3", number+" reg_no "+codes[1]+" amr.reg 1", number+" seen - - 3")
}

func TestAMarkThatNamesANumberMakesItKnown(t *testing.T) {
	l := openLake(t, t.TempDir())
	stageRows(t, l, "amr.reg", registered(codes[1], number, "2025-10-28"))
	stageRows(t, l, "nat-credit.repair", row{"record_key": "R1", "uscc": number, "kind": "repair", "doc_no": "文罚1号", "effective_on": "2025-10-20", "received_on": "2025-10-28"})
	settleNow(t, l)
	wants(t, l, told0, number+" reg_no - "+codes[1]+" "+number+" 1 -", number+" seen - - - 1 -")
	stageRows(t, l, "tax.arrears", owed(number, "2025-11-03"))
	settleNow(t, l)
	wants(t, l, "select distinct number, number_id from alias", number+" 2")
}

// A settling that says nothing new about numbers leaves the table alone.
func TestAliasesAreWrittenOnlyWhenTheyChange(t *testing.T) {
	l := openLake(t, t.TempDir())
	stageRows(t, l, "amr.reg", registered(codes[1], number, "2025-10-28"))
	stageRows(t, l, "tax.arrears", owed(number, "2025-10-28"))
	settleNow(t, l)
	before, _ := l.Head(t.Context(), chain.Settled)
	stageRows(t, l, "tax.arrears", owed(codes[5], "2025-11-03"))
	settleNow(t, l)
	after, _ := l.Head(t.Context(), chain.Settled)
	if before.Table(Alias)[0].Key != after.Table(Alias)[0].Key {
		t.Error("aliases were written anew for nothing")
	}
}
