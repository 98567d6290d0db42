package settle

import "testing"

func TestARecordFollowsTheCodeItsSourceCorrects(t *testing.T) {
	l := openLake(t, t.TempDir())
	penalty := func(code, at, day string) row {
		return row{"record_key": "P1", "uscc": code, "kind": "penalty", "penalty_category": "罚款", "decided_on": "2025-09-01", "doc_no": "文罚1号",
			"authority_uscc": codes[9], "source_time": at, "received_on": day}
	}
	counted := "select uscc, version, status, received_on from record where known_to is null order by uscc"
	stageRows(t, l, "cult.penalty", penalty(codes[1], "2025-10-01 08:00:00", "2025-10-28"))
	settleNow(t, l)
	stageRows(t, l, "cult.penalty", penalty(codes[2], "2025-10-05 08:00:00", "2025-11-03"))
	settleNow(t, l)
	wants(t, l, counted,
		codes[1]+" 2 withdrawn 2025-11-03",
		codes[2]+" 1 in_force 2025-11-03")
	// A platform's report of the same act about the right code changes nothing for the wrong one.
	stageRows(t, l, "prov-credit.penalty", penalty(codes[1], "2025-10-06 08:00:00", "2025-11-04"))
	settleNow(t, l)
	wants(t, l, counted+", status",
		codes[1]+" 1 in_force 2025-11-04", codes[1]+" 2 withdrawn 2025-11-03", codes[2]+" 1 in_force 2025-11-03")
	// And back again.
	stageRows(t, l, "cult.penalty", penalty(codes[1], "2025-10-07 08:00:00", "2025-11-05"))
	settleNow(t, l)
	wants(t, l, "select uscc, dataset, version, status from record where known_to is null order by uscc, dataset",
		codes[1]+" cult.penalty 3 in_force", codes[1]+" prov-credit.penalty 2 withdrawn", codes[2]+" cult.penalty 2 withdrawn")
}
