package main

import (
	"encoding/json"
	"testing"

	"xinshu/internal/bench"
)

// The figures themselves are no test's business; that each path runs and takes every row is.
func TestBenchIngestMeasuresEachPath(t *testing.T) {
	out, _ := xinshu(t, "", "bench", "ingest", "--rows", "3000", "--repeat", "1", "--dir", t.TempDir(), "--json")
	var in bench.Ingest
	if err := json.Unmarshal(out, &in); err != nil {
		t.Fatal(err)
	}
	for name, ratio := range map[string]float64{"csv": in.CSV, "gb18030": in.GB18030, "json": in.JSON, "size": in.Size, "peak": float64(in.PeakMB)} {
		if ratio <= 0 {
			t.Errorf("%s is %v", name, ratio)
		}
	}
	if in.Postgres == nil || *in.Postgres <= 0 || in.PostgresFull == nil || *in.PostgresFull <= 0 {
		t.Errorf("PostgreSQL was not measured: %s", out)
	}
	if len(in.Paths) != 7 || in.Rows != 3000 {
		t.Errorf("%d paths of %d rows", len(in.Paths), in.Rows)
	}
}
