package settle

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/lake"
)

// BenchmarkSettle settles a first load and then one day's changes, a hundredth of it, with an entity
// registered and five penalties each. SETTLE_ENTITIES sets its size.
func BenchmarkSettle(b *testing.B) {
	entities, err := strconv.Atoi(cmp.Or(os.Getenv("SETTLE_ENTITIES"), "20000"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		l := openLake(b, b.TempDir())
		fillStage(b, l, "amr.reg", 1, entities, 1, "2025-10-28")
		fillStage(b, l, "cult.penalty", 1, entities, 5, "2025-10-28")
		b.StartTimer()
		first := settleNow(b, l)
		seconds := b.Elapsed().Seconds()
		b.ReportMetric(float64(first.Rows)/seconds, "first-rows/s")
		b.StopTimer()
		fillStage(b, l, "cult.penalty", 100, entities, 1, "2025-11-03")
		b.StartTimer()
		day := settleNow(b, l)
		b.ReportMetric(float64(day.Rows)/(b.Elapsed().Seconds()-seconds), "day-rows/s")
	}
	b.ReportMetric(float64(peakMB(b)), "peak-MB")
}

// fillStage stages made rows for every step-th entity.
func fillStage(b *testing.B, l *lake.Lake, dataset string, step, entities, each int, day string) {
	b.Helper()
	c := loadCatalog(b)
	d, _ := c.Dataset(dataset)
	f, _ := c.Family(d.Family)
	db, err := duck.Open(duck.Options{Threads: 2, TempDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	made := map[string]string{
		"row_no": "e * " + strconv.Itoa(each) + " + k", "record_key": "concat(e, '-', k, '-" + day + "')", "uscc": "printf('91410481%09dX', 999999937 - e)",
		"record_id":   "md5(concat('" + dataset + "', e, '-', k, '-" + day + "'))",
		"entity_name": "concat('第', e, '公司')", "op": "'I'", "source_time": "timestamp '" + day + " 08:00:00'", "received_on": "date '" + day + "'",
		"row_sha": "sha256(concat(e, '-', k, '-" + day + "'))", "kind": "'" + f.ID + "'", "established_on": "date '2012-05-06'", "level": "null",
		"decided_on": "date '2025-01-01' + cast(e % 300 as integer)", "penalty_category": "'警告;罚款'", "doc_no": "concat('文罚', e, '-', k, '-" + day + "')",
		"authority_uscc": "'11410481005234567X'", "fine_fen": "100000 + k", "title": "'未按规定公示'",
	}
	var parts []string
	columns := stagedColumns(f)
	for _, col := range columns[:len(columns)-len(stagedPlace)] {
		parts = append(parts, "cast("+cmp.Or(made[col.Name], "null")+" as "+col.Type+") as "+duck.Ident(col.Name))
	}
	path := filepath.Join(l.TempDir(), "staged.parquet")
	rows, err := db.Copy(b.Context(), fmt.Sprintf("select %s from range(0, %d, %d) as r(e) cross join range(%d) as n(k)",
		strings.Join(parts, ", "), entities, step, each), path)
	if err != nil {
		b.Fatal(err)
	}
	run := "stage-" + dataset + day
	head, err := l.Head(b.Context(), chain.Stage(dataset))
	if err != nil {
		b.Fatal(err)
	}
	file, err := l.Put(b.Context(), chain.Object{Chain: chain.Stage(dataset), Run: run, Table: "rows", Range: chain.NoRange, Path: path, Rows: rows})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := l.Commit(b.Context(), chain.Draft{Base: head, Files: []chain.File{file}, Entry: chain.Entry{Chain: chain.Stage(dataset), Run: run, Intent: chain.Intent(run)}}); err != nil {
		b.Fatal(err)
	}
}

// peakMB is the most memory this process ever held.
func peakMB(b *testing.B) int64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("the peak is read from /proc, which this system has not")
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	b.Fatal("/proc/self/status has no VmHWM")
	return 0
}
