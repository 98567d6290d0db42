package files

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"xinshu/connectors"
)

// BenchmarkPull reads files of 12 columns with Chinese text, two passes and all, into pages.
func BenchmarkPull(b *testing.B) {
	const rows = 100_000
	var csv, jsonl strings.Builder
	csv.WriteString("id,uscc,名称,类别,文号,类型,事实,金额,机关,日期,来源,备注\n")
	for i := range rows {
		fmt.Fprintf(&csv, "%d,92410481MA45B3C11A,舞钢市某某商行第%d号,法人及非法人组织,舞市监罚〔2025〕%d号,\"违反规定,情节轻微\",未按规定公示价格信息,%d.50,舞钢市市场监督管理局,2025-10-28,舞钢市,\n", i, i, i, i%1000)
		fmt.Fprintf(&jsonl, `{"id":%d,"uscc":"92410481MA45B3C11A","名称":"舞钢市某某商行第%d号","类别":"法人及非法人组织","文号":"舞市监罚〔2025〕%d号","类型":"违反规定,情节轻微","事实":"未按规定公示价格信息","金额":%d.50,"机关":"舞钢市市场监督管理局","日期":"2025-10-28","来源":"舞钢市","备注":null}`+"\n", i, i, i, i%1000)
	}
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(csv.String())
	if err != nil {
		b.Fatal(err)
	}
	jsonArray := "[" + strings.ReplaceAll(strings.TrimSpace(jsonl.String()), "\n", ",\n") + "]"
	for _, f := range []struct{ name, body string }{{"utf8.csv", csv.String()}, {"gb18030.csv", gb}, {"lines.jsonl", jsonl.String()}, {"array.json", jsonArray}} {
		b.Run(f.name, func(b *testing.B) {
			dir := b.TempDir()
			write(b, dir, f.name, f.body)
			c, err := Driver().Open(b.Context(), connectors.Values{"root": dir})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			b.SetBytes(int64(len(f.body)))
			b.ReportAllocs()
			for b.Loop() {
				n := int64(0)
				for page, err := range c.(*conn).Pull(b.Context(), sourceOf(c, nil).Job, "") {
					if err != nil {
						b.Fatal(err)
					}
					n += page.Batch.NumRows()
					page.Batch.Release()
				}
				if n != rows {
					b.Fatalf("read %d rows", n)
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
