package main

import (
	"path/filepath"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
)

// TestAKilledResubmissionLosesAndDoublesNothing kills the hub at each point of the commit while it takes
// a workbook back, and gives the same workbook once more.
func TestAKilledResubmissionLosesAndDoublesNothing(t *testing.T) {
	for _, point := range []string{fault.BeforeObjects, fault.MidObject, fault.AfterObjects, fault.AfterLog} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			data, file, book := filepath.Join(dir, "data"), filepath.Join(dir, "a.csv"), filepath.Join(dir, "退回.xlsx")
			const rows, bad, mended = 30, 12, 7
			writeRows(t, file, rows, bad)
			xinshu(t, "", "ingest", file, "--dataset", "amr.severe", "--data", data)
			xinshu(t, "", "quarantine", "export", "--department", "amr", "--out", book, "--data", data)
			mend(t, book, mended)
			if _, killed := xinshu(t, fault.CrashEnv+"="+point, "quarantine", "resubmit", book, "--by", "王五", "--data", data); !killed {
				t.Fatal("the hub was not killed")
			}
			out, _ := xinshu(t, "", "quarantine", "resubmit", book, "--by", "王五", "--json", "--data", data)
			var back Resubmitted
			decode(t, out, &back)
			if c := back.Datasets[0]; c.Accepted+c.Before["accepted"] != mended || c.Unchanged != bad-mended {
				t.Errorf("became %+v", c)
			}
			var sum quarantine.Summary
			out, _ = xinshu(t, "", "quarantine", "summary", "--json", "--data", data)
			decode(t, out, &sum)
			if want := (quarantine.Sum{Quarantined: bad, Refused: bad, Open: bad - mended, Corrected: mended}); sum.Total != want {
				t.Errorf("the books say %+v, want %+v", sum.Total, want)
			}
			if n := acceptedIn(t, data, "amr.severe"); n != rows-bad+mended {
				t.Errorf("%d rows accepted in all, want %d", n, rows-bad+mended)
			}
			if head := headOf(t, data, chain.Stage("amr.severe")); head.N != 2 {
				t.Errorf("%d commits, want 2", head.N)
			}
		})
	}
}
