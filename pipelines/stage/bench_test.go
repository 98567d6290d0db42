package stage

import (
	"fmt"
	"iter"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"xinshu/connectors"
)

// wide names twelve columns with Chinese text, as the measured limits of the stack have them.
var wide = []string{"source_record_id", "uscc", "entity_name", "XDR_LB", "CF_WSH", "CF_SY", "CF_CFLB", "severity", "CF_JDRQ", "CF_NR_FK", "CF_CFJG", "CF_CFJGDM"}

// stream yields pages of made-up penalties; no two rows are the same, one in a thousand is refused.
func stream(rows int) iter.Seq2[connectors.Page, error] {
	fields := make([]arrow.Field, len(wide))
	for i, name := range wide {
		fields[i] = arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	facts := []string{"未按规定悬挂许可证且逾期未改正", "未建立进货查验记录制度", "擅自变更经营场所未办理变更登记手续", "使用未经检验的特种设备"}
	const perPage = 5000
	return func(yield func(connectors.Page, error) bool) {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		defer b.Release()
		for at := 0; at < rows; at += perPage {
			for i := at; i < min(at+perPage, rows); i++ {
				fine, code := "", goodCode
				category := "警告"
				if i%3 == 0 {
					category, fine = "罚款", fmt.Sprintf("%d.%04d", i%40, i%10000+1)
				}
				if i%1000 == 999 {
					code = "91410481MA44K7X22B"
				}
				for c, v := range []string{
					recordKey(int64(i)), code, fmt.Sprintf("舞钢市第%d号商贸有限公司", i/7), "法人及非法人组织",
					fmt.Sprintf("舞市监罚〔2025〕%d号", i), facts[i%len(facts)], category, []string{"轻微", "一般", "严重"}[i%2],
					fmt.Sprintf("2025-%02d-%02d", i%9+1, i%28+1), fine, "舞钢市市场监督管理局", organCode,
				} {
					b.Field(c).(*array.StringBuilder).Append(v)
				}
			}
			page := connectors.Page{Batch: b.NewRecord(), Origin: connectors.Origin{File: "bench.csv", Line: int64(at) + 2}, Next: "end"}
			if !yield(page, nil) {
				return
			}
		}
	}
}

func recordKey(i int64) string { return fmt.Sprintf("R%09d", i) }

// BenchmarkStage measures a whole pull: check, duplicates, Parquet, commit.
func BenchmarkStage(b *testing.B) {
	const rows = 200_000
	b.ReportAllocs()
	began := cpu()
	for b.Loop() {
		s, _ := newStager(b)
		result, err := s.Run(b.Context(), penalties(), stream(rows), Pull{Run: "r1"})
		if err != nil || result.Ledger.Read != rows {
			b.Fatalf("%v: %+v", err, result.Ledger)
		}
	}
	report(b, rows*b.N, cpu()-began)
}

// cpu gives the processor time that this process has used: what a busy machine does not distort.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func report(b *testing.B, rows int, used time.Duration) {
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(used.Nanoseconds())/float64(rows), "cpu-ns/row")
}

// BenchmarkSource measures what making the rows costs, to be taken off the others.
func BenchmarkSource(b *testing.B) {
	const rows = 200_000
	began := cpu()
	for b.Loop() {
		for page := range stream(rows) {
			page.Batch.Release()
		}
	}
	report(b, rows*b.N, cpu()-began)
}

// BenchmarkCheck measures the row checker alone.
func BenchmarkCheck(b *testing.B) {
	c, err := compile(penalties(), words{})
	if err != nil {
		b.Fatal(err)
	}
	var page connectors.Page
	for p := range stream(5000) {
		page = p
	}
	bound, err := (&binder{contract: c}).bind(page)
	if err != nil {
		b.Fatal(err)
	}
	checker, raw := newRowChecker(c, 20390), make([]string, len(c.fields))
	var id identity
	n := 0
	b.ReportAllocs()
	began := cpu()
	for b.Loop() {
		bound.row(n%5000, raw)
		if checker.check(raw) == accepted {
			id.of(checker)
		}
		n++
	}
	report(b, n, cpu()-began)
}

// BenchmarkSmallRun measures the fixed cost of a pull, which the many small daily pulls pay.
func BenchmarkSmallRun(b *testing.B) {
	for b.Loop() {
		s, _ := newStager(b)
		if _, err := s.Run(b.Context(), penalties(), pages(pageOf("a.csv", clean("1"))), Pull{Run: "r1"}); err != nil {
			b.Fatal(err)
		}
	}
}
