package stage

import (
	"slices"
	"testing"

	"xinshu/internal/duck"
)

// The Parquet file is the handshake with DuckDB: settle's SQL depends on these names, types and order.
func TestDuckDBReadsTheStagedTypes(t *testing.T) {
	s, lake := newStager(t)
	row := clean("1", "op_time", "2025-09-02 08:00:00.5", "seen_at", "2025-09-01 23:59:59", "simple", "否")
	if _, err := s.Run(t.Context(), penalties(), pages(pageOf("a.csv", row, clean("2", "uscc", "bad"))), Pull{Run: "r1"}); err != nil {
		t.Fatal(err)
	}
	db, err := duck.Open(duck.Options{Threads: 1, MemoryMB: 128, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	head, _ := lake.Head(t.Context(), "")
	want := map[string][]string{
		RowsTable: {"row_no BIGINT", "record_id VARCHAR", "record_key VARCHAR", "uscc VARCHAR", "entity_name VARCHAR", "op VARCHAR",
			"source_time TIMESTAMP", "received_on DATE", "row_sha VARCHAR", "origin_file VARCHAR", "origin_line BIGINT", "kind VARCHAR",
			"doc_no VARCHAR", "title VARCHAR", "penalty_category VARCHAR", "level VARCHAR", "simple_procedure BOOLEAN", "decided_on DATE",
			"seen_at TIMESTAMP", "fine_fen BIGINT", "quantity BIGINT", "score_x100 BIGINT", "authority VARCHAR", "authority_uscc VARCHAR"},
		QuarantineTable: {"row_no BIGINT", "origin_file VARCHAR", "origin_line BIGINT", "reason VARCHAR", "column_name VARCHAR", "value VARCHAR",
			"original VARCHAR", "uscc VARCHAR", "received_on DATE", "content VARCHAR", "batch_time TIMESTAMP"},
	}
	for table, columns := range want {
		path, _ := lake.Local(t.Context(), head.Table(table)[0])
		described, err := db.Describe(t.Context(), "select * from read_parquet("+duck.Text(path)+")")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range described {
			got = append(got, c.Name+" "+c.Type)
		}
		if !slices.Equal(got, columns) {
			t.Errorf("%s: DuckDB sees\n%q, want\n%q", table, got, columns)
		}
		if table == RowsTable {
			var sourceTime, seenAt, decided string
			err := db.One(t.Context(), "select cast(source_time as varchar), cast(seen_at as varchar), cast(decided_on as varchar) from read_parquet("+duck.Text(path)+")", nil,
				&sourceTime, &seenAt, &decided)
			if err != nil || sourceTime != "2025-09-02 08:00:00.5" || seenAt != "2025-09-01 23:59:59" || decided != "2025-09-01" {
				t.Errorf("DuckDB reads %q %q %q (%v): wall times have moved", sourceTime, seenAt, decided, err)
			}
		}
	}
}
