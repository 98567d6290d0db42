package files

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/xuri/excelize/v2"

	"xinshu/connectors"
)

// Workbooks, XML and Parquet may lie in archives as CSV does, and each member is an origin of its own.
func TestEveryFormatIsReadFromAnArchive(t *testing.T) {
	dir := t.TempDir()
	book := bookOf(t, [][]any{{"id"}, {"1"}, {"2"}})
	columns := packed(t, []arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}, `[{"id": "3"}]`)
	write(t, dir, "a.zip", zipped(t, member{name: "1.xlsx", body: book}, member{name: "2.parquet", body: columns}, member{name: "3.xml", body: "<rows><r id='4'/></rows>"}))
	write(t, dir, "b.xlsx.gz", gzipped(t, book))
	write(t, dir, "c.xml.gz", gzipped(t, gbText(t, "<?xml version='1.0' encoding='GBK'?><rows><r id='五'/></rows>")))
	got, next := outcome(t, openDir(t, dir, nil).(*conn), nil, "")
	expect(t, got, "1.xlsx:2:1", "1.xlsx:3:2", "2.parquet:1:3", "3.xml:1:4", "b.xlsx.gz:2:1", "b.xlsx.gz:3:2", "c.xml.gz:1:五")
	again, _ := outcome(t, openDir(t, dir, nil).(*conn), nil, next)
	expect(t, again)
}

func TestAFormatIsToldByHowTheFileBegins(t *testing.T) {
	book := bookOf(t, [][]any{{"id"}, {"1"}})
	for name, c := range map[string]struct{ body, want string }{
		"a":        {book, "a:2:1"},
		"b.dat":    {packed(t, []arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}, `[{"id": "3"}]`), "b.dat:1:3"},
		"c.dat":    {"\ufeff<?xml version='1.0'?><rows><r id='4'/></rows>", "c.dat:1:4"},
		"d.xls":    {book, "d.xls:2:1"}, // a workbook of today under yesterday's name
		"e.report": {"<html><table><tr><td>1</td></tr></table></html>", "e.report:0:!FILE_FORMAT"},
		"f.xls":    {"<html><table><tr><td>1</td></tr></table></html>", "f.xls:0:!XLSX_BROKEN"},
		"g.xlsx":   {"id\n1\n", "g.xlsx:0:!XLSX_BROKEN"},
		"h.dat":    {"\x00\x01\x02", "h.dat:0:!FILE_FORMAT"},
		"i.csv":    {book, "i.csv:0:!FILE_FORMAT"},
	} {
		dir := t.TempDir()
		write(t, dir, name, c.body)
		got, _ := outcome(t, openDir(t, dir, nil).(*conn), nil, "")
		expect(t, got, c.want)
	}
}

// Files of half a million rows are read in memory that does not grow with them.
func TestLargeXMLAndParquetAreReadInBoundedMemory(t *testing.T) {
	const rows = 500_000
	dir := t.TempDir()
	out, err := os.Create(filepath.Join(dir, "a.xml"))
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(out)
	fmt.Fprint(w, "<rows>\n")
	for i := range rows / 5 {
		fmt.Fprintf(w, "<row><id>r%d</id><名称>舞钢市第%d号有限责任公司</名称></row>\n", i, i)
	}
	fmt.Fprint(w, "</rows>\n")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	ids := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range rows {
		ids.Append(fmt.Sprintf("舞钢市第%d号有限责任公司", i))
	}
	s := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}, nil)
	record := array.NewRecord(s, []arrow.Array{ids.NewArray()}, rows)
	write(t, dir, "b.parquet", packedRecord(t, s, record, parquet.WithMaxRowGroupLength(100_000)))
	record.Release()
	for file, want := range map[string]int64{"a.xml": rows / 5, "b.parquet": rows} {
		job := sourceOf(openDir(t, dir, nil), connectors.Values{"pattern": file})
		n := int64(0)
		peak := peakOf(t, func() {
			for page, err := range job.Conn.(connectors.Puller).Pull(t.Context(), job.Job, "") {
				if err != nil {
					t.Fatal(err)
				}
				n += page.Batch.NumRows()
				page.Batch.Release()
			}
		})
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d rows, %d MB: peak %d MB", file, n, info.Size()>>20, peak>>20)
		if n != want || peak > 64<<20 {
			t.Errorf("%s: %d rows of %d, peak %d MB", file, n, want, peak>>20)
		}
	}
}

// What one program wrote, all its text in the way, comes out of every format as the same text.
func TestTextsComeRoundInEveryFormat(t *testing.T) {
	texts := []string{"𠮷㐂䶮", "😀👨‍👩‍👧", "“甲”\"乙\"'丙'", "a,b;c|d\te", "<x>&amp;]]>", "é e\u0301 \u3000全角　", "0012", "1e5", "true", "2025-10-28", "=1+1", "-", "第一行\n第二行", "\u202e倒"}
	rows, columns, body := [][]any{{"n", "id"}}, []string{}, "<rows>"
	for i, text := range texts {
		rows = append(rows, []any{"x", text})
		columns = append(columns, fmt.Sprintf(`{"id": %s}`, appendJSON(nil, []byte(text))))
		var escaped bytes.Buffer
		for _, c := range text {
			fmt.Fprintf(&escaped, "&#%d;", c)
		}
		if i%2 == 0 {
			body += "<row><id>" + escaped.String() + "</id></row>"
		} else {
			body += "<row id='" + escaped.String() + "'/>"
		}
	}
	for name, c := range map[string]string{"a.xlsx": bookOf(t, rows), "a.parquet": packed(t, []arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}, "["+strings.Join(columns, ",")+"]"), "a.xml": body + "</rows>",
		"b.xlsx": streamed(t, rows)} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, name, c)
			got, rejects := outcomeOf(t, sourceOf(openDir(t, dir, nil), nil))
			expect(t, rejects)
			expect(t, got, texts...)
		})
	}
}

// streamed writes a workbook with its texts in the cells, not shared.
func streamed(t testing.TB, rows [][]any) string {
	t.Helper()
	return workbook(t, func(f *excelize.File) {
		w, err := f.NewStreamWriter("Sheet1")
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			if err := w.SetRow(fmt.Sprintf("A%d", i+1), row); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	})
}
