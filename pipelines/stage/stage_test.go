package stage

import (
	"testing"

	"xinshu/internal/chain"
)

func TestARowIsStoredTypedAndMapped(t *testing.T) {
	s, lake := newStager(t)
	row := clean("7", "CF_NR_FK", "0.200001", "CF_CFLB", "罚款", "severity", "一般", "simple", "是", "seen_at", "2025-09-01T10:02:03+08:00",
		"staff", "1,204", "score", "87.456", "CF_CFJG", "<null>", "CF_LYJG", "市局", "CF_CFJGDM", organCode, "op_time", "2025-09-02 08:00:00")
	result, err := s.Run(t.Context(), penalties(), pages(pageOf("a.csv", row)), Pull{Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	if result.Ledger != (chain.Ledger{Read: 1, Accepted: 1}) || result.Entry.N != 1 || result.Entry.Cursor.After != "after a.csv" {
		t.Fatalf("%+v", result)
	}
	rows := readTable(t, lake, RowsTable)
	want := map[string]string{
		"row_no": "1", "record_key": "7", "uscc": goodCode, "entity_name": "舞钢市示例有限公司", "op": "I",
		"source_time": "2025-09-02 08:00:00Z", "received_on": "2025-10-28", "origin_file": "a.csv", "origin_line": "2", "kind": "penalty",
		"doc_no": "舞文罚〔2025〕7号", "title": "未按规定悬挂许可证", "penalty_category": "罚款", "level": "general", "simple_procedure": "true",
		"decided_on": "2025-09-01", "seen_at": "2025-09-01 10:02:03Z", "fine_fen": "200001", "quantity": "1204", "score_x100": "8746",
		"authority": "市局", "authority_uscc": organCode,
	}
	for column, v := range want {
		if rows[0][column] != v {
			t.Errorf("%s = %q, want %q", column, rows[0][column], v)
		}
	}
	if len(rows[0]["record_id"]) != 32 || len(rows[0]["row_sha"]) != 64 {
		t.Errorf("hashes %q %q", rows[0]["record_id"], rows[0]["row_sha"])
	}
}
