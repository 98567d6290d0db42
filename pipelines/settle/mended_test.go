package settle

import "testing"

func TestAMendedRowDoesNotMakeALateFeedLookFresh(t *testing.T) {
	l := openLake(t, t.TempDir())
	debt := func(code, day string) row {
		return row{"record_key": code, "uscc": code, "kind": "tax_arrears", "announced_on": "2025-04-01", "received_on": day}
	}
	const reach = "select complete_to, rows_usual from coverage order by known_from desc limit 1"
	stageRows(t, l, "tax.arrears", debt(codes[1], "2025-09-01"), debt(codes[2], "2025-09-01"))
	settleNow(t, l)
	wants(t, l, reach, "2025-09-01 2")
	mendRows(t, l, "tax.arrears", debt(codes[3], "2025-10-28"))
	settleNow(t, l)
	wants(t, l, reach, "2025-09-01 2")
	wants(t, l, "select uscc from record order by uscc", codes[1], codes[2], codes[3])
	mendRows(t, l, "tax.arrears") // rows struck out, nothing else
	settleNow(t, l)
	wants(t, l, reach, "2025-09-01 2")
	stageRows(t, l, "tax.arrears", debt(codes[4], "2025-10-28"))
	settleNow(t, l)
	wants(t, l, reach, "2025-10-28 2")
}
