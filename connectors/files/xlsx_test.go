package files

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/connectortest"
)

// contract is the dataset whose columns the workbooks of these tests have.
var contract = catalog.Dataset{ID: "edu.annual", Fields: []catalog.Field{
	{Name: "uscc", Title: catalog.Text{ZH: "统一社会信用代码"}}, {Name: "name", Title: catalog.Text{ZH: "名称"}}, {Name: "day", Title: catalog.Text{ZH: "决定日期"}}, {Name: "fine", Title: catalog.Text{ZH: "罚款金额"}}},
	Aliases: map[string]string{"企业名称": "name"}}

// pulled reads one file and gives "line column=value …" and "line !REASON column value" in the order of the pages.
func pulled(t *testing.T, name, body string, ds catalog.Dataset, values connectors.Values) []string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, name, body)
	s := sourceOf(openDir(t, dir, nil), values)
	s.Job.Dataset = ds
	var got []string
	for page, err := range s.Conn.(connectors.Puller).Pull(t.Context(), s.Job, "") {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(page.Batch.NumRows()) {
			line := page.Origin.Line + int64(i)
			if page.Origin.Lines != nil {
				line = page.Origin.Lines[i]
			}
			text := fmt.Sprint(line)
			for c, f := range page.Batch.Schema().Fields() {
				if column := page.Batch.Column(c); column.IsValid(i) {
					text += fmt.Sprintf(" %s=%s", f.Name, column.ValueStr(i))
				}
			}
			got = append(got, text)
		}
		for _, r := range page.Rejects {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%d !%s %s %s", r.Line, r.Reason, r.Column, r.Value)))
		}
		page.Batch.Release()
	}
	return got
}

// workbook lets excelize, another program than the reader, write a workbook.
func workbook(t testing.TB, fill func(f *excelize.File)) string {
	t.Helper()
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	fill(f)
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func set(t testing.TB, f *excelize.File, sheet, cell string, row ...any) {
	t.Helper()
	if err := f.SetSheetRow(sheet, cell, &row); err != nil {
		t.Fatal(err)
	}
}

func styled(t testing.TB, f *excelize.File, cell, format string) {
	t.Helper()
	id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err == nil {
		err = f.SetCellStyle("Sheet1", cell, cell, id)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestAWorkbookIsReadByItsRules(t *testing.T) {
	head := []any{"统一社会信用代码", "名称", "决定日期", "罚款金额"}
	for name, c := range map[string]struct {
		fill   func(f *excelize.File)
		values connectors.Values
		want   []string
	}{
		"a code as text is exact, as a number it is refused": {func(f *excelize.File) {
			set(t, f, "Sheet1", "A1", head...)
			set(t, f, "Sheet1", "A2", "914104810000000012", "甲")
			set(t, f, "Sheet1", "A3", 914104810000000012, "乙")
			set(t, f, "Sheet1", "A4", 410481000000001, "丙")
			set(t, f, "Sheet1", "A5", "91410481MA0000001X", "丁")
		}, nil, []string{"2 统一社会信用代码=914104810000000012 名称=甲", "4 统一社会信用代码=410481000000001 名称=丙", "5 统一社会信用代码=91410481MA0000001X 名称=丁",
			"3 !XLSX_ROUNDED 统一社会信用代码 914104810000000012"}},
		"dates by their format": {func(f *excelize.File) {
			set(t, f, "Sheet1", "A1", "名称", "决定日期")
			for i, d := range []struct {
				format string
				value  any
			}{{"yyyy-mm-dd", 45958}, {`yyyy"年"m"月"d"日"`, 45958}, {"[$-804]yyyy/m/d h:mm:ss", 45958.75}, {"m/d", 45958}, {"mmm-yy", 45958}, {"h:mm", 0.5}, {"[h]:mm:ss", 1.25},
				{"yyyy-mm-dd", 45958.5}, {"yyyy-mm-dd", 60}, {"yyyy-mm-dd", 59}, {"yyyy-mm-dd", 2958466}, {`0"d"`, 7}, {"000000", 42}, {`#,##0.00"元"`, 1234.5}, {"0.00%", 0.525}, {"0.00E+00", 20251028}, {"General", 0.1 + 0.2}, {"General", 1e-7}} {
				cell := fmt.Sprintf("B%d", i+2)
				if err := f.SetCellValue("Sheet1", cell, d.value); err != nil {
					t.Fatal(err)
				}
				set(t, f, "Sheet1", fmt.Sprintf("A%d", i+2), "甲")
				styled(t, f, cell, d.format)
			}
		}, nil, []string{"2 名称=甲 决定日期=2025-10-28", "3 名称=甲 决定日期=2025-10-28", "4 名称=甲 决定日期=2025-10-28 18:00:00", "5 名称=甲 决定日期=2025-10-28", "6 名称=甲 决定日期=2025-10-28",
			"7 名称=甲 决定日期=12:00:00", "8 名称=甲 决定日期=30:00:00", "9 名称=甲 决定日期=2025-10-28 12:00:00", "11 名称=甲 决定日期=1900-02-28", "13 名称=甲 决定日期=7", "14 名称=甲 决定日期=000042",
			"15 名称=甲 决定日期=1234.5", "16 名称=甲 决定日期=0.525", "17 名称=甲 决定日期=20251028", "18 名称=甲 决定日期=0.3", "19 名称=甲 决定日期=0.0000001", "10 !XLSX_DATE 决定日期 60", "12 !XLSX_DATE 决定日期 2958466"}},
		"dates of 1904": {func(f *excelize.File) {
			on := true
			if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &on}); err != nil {
				t.Fatal(err)
			}
			set(t, f, "Sheet1", "A1", "名称", "决定日期")
			set(t, f, "Sheet1", "A2", "甲", 0)
			set(t, f, "Sheet1", "A3", "乙", 44496)
			styled(t, f, "B2", "yyyy-mm-dd")
			styled(t, f, "B3", "yyyy-mm-dd")
		}, nil, []string{"2 名称=甲 决定日期=1904-01-01", "3 名称=乙 决定日期=2025-10-28"}},
		"a title, a header of two rows, notes and sums behind": {func(f *excelize.File) {
			set(t, f, "Sheet1", "A1", "行政处罚信息表（2025年）")
			set(t, f, "Sheet1", "A2", "填报单位：某局")
			set(t, f, "Sheet1", "A3", "企业名称", "代码", "处罚")
			set(t, f, "Sheet1", "C4", "决定日期", "罚款\n金额*")
			set(t, f, "Sheet1", "B4", "*统一社会信用代码")
			for _, m := range [][2]string{{"A1", "D1"}, {"A3", "A4"}, {"C3", "D3"}} {
				if err := f.MergeCell("Sheet1", m[0], m[1]); err != nil {
					t.Fatal(err)
				}
			}
			set(t, f, "Sheet1", "A6", "甲", "1", "2025-10-28", 3)
			set(t, f, "Sheet1", "A7", "小计", nil, nil, 3)
			set(t, f, "Sheet1", "A8", "乙", "2", "2025-10-29", 4.50)
			set(t, f, "Sheet1", "A9", "企业名称", "统一社会信用代码", "决定日期", "罚款金额")
			set(t, f, "Sheet1", "A11", "丙", "3")
			set(t, f, "Sheet1", "A12", "合　计", nil, nil, 7.5)
			set(t, f, "Sheet1", "A14", "备注：以上为本月数据")
			set(t, f, "Sheet1", "A15", "填表人：张三", nil, "审核人：李四")
		}, nil, []string{"6 企业名称=甲 统一社会信用代码=1 决定日期=2025-10-28 罚款金额=3", "7 企业名称=小计 罚款金额=3", "8 企业名称=乙 统一社会信用代码=2 决定日期=2025-10-29 罚款金额=4.5", "11 企业名称=丙 统一社会信用代码=3"}},
		"merged cells": {func(f *excelize.File) {
			set(t, f, "Sheet1", "A1", head...)
			set(t, f, "Sheet1", "A2", "1", "甲", "2025-10-28", 1)
			set(t, f, "Sheet1", "C3", "2025-10-29", 2)
			set(t, f, "Sheet1", "C5", "2025-10-30")
			for _, m := range [][2]string{{"A2", "A5"}, {"B2", "B3"}, {"C5", "D5"}} {
				if err := f.MergeCell("Sheet1", m[0], m[1]); err != nil {
					t.Fatal(err)
				}
			}
		}, nil, []string{"2 统一社会信用代码=1 名称=甲 决定日期=2025-10-28 罚款金额=1", "3 统一社会信用代码=1 名称=甲 决定日期=2025-10-29 罚款金额=2", "5 统一社会信用代码=1 决定日期=2025-10-30"}},
		"errors, formulas, booleans, and columns nobody knows": {func(f *excelize.File) {
			set(t, f, "Sheet1", "A1", "统一社会信用代码", "名称", "罚款金额", "", "核对")
			set(t, f, "Sheet1", "A2", "1", "甲", true, "无名", 914104810000000012)
			set(t, f, "Sheet1", "A3", "2", "乙")
			if err := f.SetCellFormula("Sheet1", "C3", "1+1"); err != nil {
				t.Fatal(err)
			}
			set(t, f, "Sheet1", "A4", "3", "丙")
			if err := f.SetCellFormula("Sheet1", "E4", "1+1"); err != nil {
				t.Fatal(err)
			}
		}, nil, []string{"2 统一社会信用代码=1 名称=甲 罚款金额=true column_4=无名 核对=914104810000000012", "4 统一社会信用代码=3 名称=丙 核对=formula", "3 !XLSX_FORMULA 罚款金额 formula"}},
		"exact text": {func(f *excelize.File) {
			set(t, f, "Sheet1", "A1", "统一社会信用代码", "名称")
			set(t, f, "Sheet1", "A2", "'0012", "  𠮷㐂 😀 \"甲\"\n<乙>& ")
			if err := f.SetCellRichText("Sheet1", "B3", []excelize.RichTextRun{{Text: "红", Font: &excelize.Font{Bold: true}}, {Text: "字 "}}); err != nil {
				t.Fatal(err)
			}
			set(t, f, "Sheet1", "A3", "=1+1")
		}, nil, []string{"2 统一社会信用代码='0012 名称=  𠮷㐂 😀 \"甲\"\n<乙>& ", "3 统一社会信用代码==1+1 名称=红字 "}},
		"hidden rows are rows, a hidden sheet is none": {func(f *excelize.File) {
			if _, err := f.NewSheet("数据"); err != nil {
				t.Fatal(err)
			}
			set(t, f, "Sheet1", "A1", head...)
			set(t, f, "Sheet1", "A2", "9", "藏")
			set(t, f, "数据", "A1", head...)
			set(t, f, "数据", "A2", "1", "甲")
			f.SetActiveSheet(1)
			if err := f.SetSheetVisible("Sheet1", false); err != nil {
				t.Fatal(err)
			}
			if err := f.SetRowVisible("数据", 2, false); err != nil {
				t.Fatal(err)
			}
		}, nil, []string{"2 统一社会信用代码=1 名称=甲"}},
		"another sheet with the same header is told": {twoSheets(t, head), nil, []string{"2 统一社会信用代码=1", `1 !XLSX_SHEET  sheet 续表 has the same header and was not read; set sheet to * to read all, or to a name`}},
		"all sheets":                 {twoSheets(t, head), connectors.Values{"sheet": "*"}, []string{"2 统一社会信用代码=1", "2 统一社会信用代码=2"}},
		"a sheet by its name":        {twoSheets(t, head), connectors.Values{"sheet": "续表"}, []string{"2 统一社会信用代码=2"}},
		"a sheet that is not there":  {twoSheets(t, head), connectors.Values{"sheet": "x"}, []string{`0 !XLSX_SHEET  no sheet "x"; it has Sheet1, 说明, 续表`}},
		"the header by its number":   {twoSheets(t, head), connectors.Values{"sheet": "说明", "header_row": "1"}, []string{"2 本表说明=每月报送"}},
		"a header that nobody knows": {twoSheets(t, head), connectors.Values{"sheet": "说明"}, []string{"0 !FILE_HEADER  说明: no row among the first 50 names the dataset's columns; row 1 comes nearest: 0 of its 1 cells. Set header_row, or add aliases to the contract"}},
		"a header that is not there": {twoSheets(t, head), connectors.Values{"header_row": "7"}, []string{"7 !FILE_HEADER  Sheet1: row 7 is blank, header_row says it is the header"}},
		"a header that names twice":  {func(f *excelize.File) { set(t, f, "Sheet1", "A1", "名称", "名称") }, nil, []string{"1 !FILE_HEADER  Sheet1: columns 1 and 2 of row 1 have the same name"}},
		"an empty sheet":             {func(*excelize.File) {}, nil, []string{"0 !FILE_HEADER  Sheet1: the sheet is empty"}},
		"a header and no rows":       {func(f *excelize.File) { set(t, f, "Sheet1", "A1", head...) }, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, pulled(t, "a.xlsx", workbook(t, c.fill), contract, c.values), c.want...)
		})
	}
}

func twoSheets(t *testing.T, head []any) func(f *excelize.File) {
	return func(f *excelize.File) {
		for _, name := range []string{"说明", "续表"} {
			if _, err := f.NewSheet(name); err != nil {
				t.Fatal(err)
			}
		}
		set(t, f, "Sheet1", "A1", head...)
		set(t, f, "Sheet1", "A2", "1")
		set(t, f, "说明", "A1", "本表说明")
		set(t, f, "说明", "A2", "每月报送")
		set(t, f, "续表", "A1", head...)
		set(t, f, "续表", "A2", "2")
	}
}

// raw makes a workbook by hand, for what no program would write.
func raw(t testing.TB, sheet string, more ...member) string {
	t.Helper()
	parts := []member{
		{name: "xl/workbook.xml", body: `<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{name: "xl/_rels/workbook.xml.rels", body: `<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
		{name: "xl/worksheets/sheet1.xml", body: sheet},
	}
	return zipped(t, append(parts, more...)...)
}

func TestAWorkbookMadeByHand(t *testing.T) {
	row := func(n int, cells string) string { return fmt.Sprintf(`<row r="%d">%s</row>`, n, cells) }
	text := func(s string) string { return "<c t='inlineStr'><is><t>" + s + "</t></is></c>" }
	head := row(1, text("名称")+text("罚款金额"))
	data := func(rows ...string) string {
		return "<worksheet><sheetData>" + head + strings.Join(rows, "") + "</sheetData></worksheet>"
	}
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"cells without places, blank ones counted": {raw(t, data("<row><c/><c><v>2</v></c></row>")), []string{"2 罚款金额=2"}},
		"an error cell":                    {raw(t, data(row(2, text("甲")+"<c t='e'><v>#N/A</v></c>"))), []string{"2 !XLSX_ERROR 罚款金额 #N/A"}},
		"the same as text":                 {raw(t, data(row(2, text("甲")+text("#N/A")))), []string{"2 名称=甲 罚款金额=#N/A"}},
		"a formula with its value":         {raw(t, data(row(2, "<c t='str'><f>A1</f><v>甲</v></c><c><f>1+1</f><v>2</v></c>"))), []string{"2 名称=甲 罚款金额=2"}},
		"a formula whose value is empty":   {raw(t, data(row(2, "<c t='str'><f>A1</f><v></v></c><c><v>2</v></c>"))), []string{"2 罚款金额=2"}},
		"a shared text that is not there":  {raw(t, data(row(2, "<c t='s'><v>7</v></c>"))), []string{"2 !XLSX_CELL 名称 7"}},
		"a number that is none":            {raw(t, data(row(2, text("甲")+"<c><v>0x10</v></c>"))), []string{"2 !XLSX_CELL 罚款金额 0x10"}},
		"a code in scientific notation":    {raw(t, data(row(2, text("甲")+"<c><v>9.1410481000000006E+17</v></c>"))), []string{"2 !XLSX_ROUNDED 罚款金额 9.1410481000000006E+17"}},
		"what binary fractions leave over": {raw(t, data(row(2, text("甲")+"<c><v>1.1000000000000001</v></c>"))), []string{"2 名称=甲 罚款金额=1.1"}},
		"an ISO date":                      {raw(t, data(row(2, text("甲")+"<c t='d'><v>2025-10-28T08:00:00</v></c>"))), []string{"2 名称=甲 罚款金额=2025-10-28 08:00:00"}},
		"pronunciation is no text":         {raw(t, data(row(2, "<c t='s'><v>0</v></c>")), member{name: "xl/SharedStrings.xml", body: "<sst><si><r><t>東</t></r><r><t xml:space='preserve'> 京_x000a__xD83D__xDE00__x005F_x000D_</t></r><rPh><t>トウキョウ</t></rPh></si></sst>"}), []string{"2 名称=東 京\n😀_x000D_"}},
		"a cut sheet gives no row":         {raw(t, "<worksheet><sheetData>"+head+row(2, text("甲"))), []string{"2 !XLSX_BROKEN  S: xl/worksheets/sheet1.xml: XML syntax error on line 1: unexpected EOF"}},
		"rows that go backwards":           {raw(t, data(row(3, text("甲")), row(2, text("乙")))), []string{`3 !XLSX_BROKEN  S: row "2" behind row 3`}},
		"cells that go backwards":          {raw(t, data(`<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>`)), []string{`2 !XLSX_BROKEN  S: a cell "A2" out of its place`}},
		"a row beyond the last":            {raw(t, data(row(1<<20+1, text("甲")))), []string{"1048577 !XLSX_LIMIT  S: a row beyond 1048576"}},
		"a cell of 9 MB":                   {raw(t, data(row(2, text(strings.Repeat("\u4e00 x", 9<<18))))), []string{"2 !XLSX_LIMIT  S: xl/worksheets/sheet1.xml: one cell is longer than 8 MB"}},
		"no sheet":                         {zipped(t, member{name: "word/document.xml", body: "<x/>"}), []string{"0 !XLSX_BROKEN  no workbook: it has no xl/workbook.xml"}},
		"no zip":                           {"PK", []string{"0 !XLSX_BROKEN  no workbook: zip: not a valid zip file"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := pulled(t, "a.xlsx", c.body, contract, nil)
			for i, line := range got {
				got[i] = line[:min(len(line), 200)]
			}
			expect(t, got, c.want...)
		})
	}
}

func TestAWorkbookThatGrowsTooMuchIsRefused(t *testing.T) {
	body := raw(t, "<worksheet><sheetData><row><c t='inlineStr'><is><t>名称</t></is></c></row></sheetData>"+strings.Repeat(" ", 40<<20)+"</worksheet>")
	got := strings.Join(pulled(t, "a.xlsx", body, contract, nil), "\n")
	if !strings.Contains(got, "!XLSX_LIMIT") || !strings.Contains(got, "unpacked_ratio") && !strings.Contains(got, "8 MB") {
		t.Fatal(got)
	}
}

// seedBook is seven rows in two workbooks.
func seedBook(t *testing.T, dir string) (ids []string) {
	t.Helper()
	n := 0
	for i, rows := range []int{5, 2} {
		write(t, dir, fmt.Sprintf("b%d.xlsx", i), workbook(t, func(f *excelize.File) {
			set(t, f, "Sheet1", "A1", "id", "年度")
			for r := range rows {
				n++
				ids = append(ids, fmt.Sprintf("r%d", n))
				set(t, f, "Sheet1", fmt.Sprintf("A%d", r+2), ids[n-1], 2025)
			}
		}))
	}
	return ids
}

func TestWorkbooksKeepThePromisesOfAPull(t *testing.T) {
	connectortest.Pull(t, func(t *testing.T) connectortest.Source {
		dir := t.TempDir()
		s := sourceOf(openDir(t, dir, nil), connectors.Values{"page_rows": "2"})
		s.Rows = seedBook(t, dir)
		return s
	})
}

func TestEveryXLSXSampleEndsInRowsOrAReason(t *testing.T) {
	for _, file := range samples(t, "xlsx/*") {
		said := verdict(t, file, nil)
		t.Logf("%-45s %s", filepath.Base(file), said)
		if strings.Contains(said, "nothing said") {
			t.Errorf("%s: %s", file, said)
		}
	}
}

// A sheet of 200,000 rows, its texts shared and not, is read in bounded memory.
func TestALargeSheetIsReadInBoundedMemory(t *testing.T) {
	const rows = 200_000
	path := filepath.Join(t.TempDir(), "large.xlsx")
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	head := []any{"统一社会信用代码", "名称", "决定日期", "罚款金额"}
	if err := w.SetRow("A1", head); err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := w.SetRow(fmt.Sprintf("A%d", i+2), []any{fmt.Sprintf("91410481MA%08d", i), fmt.Sprintf("舞钢市第%d号有限责任公司", i), "2025-10-28", float64(i) / 100}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s := sourceOf(openDir(t, filepath.Dir(path), nil), nil)
	s.Job.Dataset = contract
	before := time.Now()
	peak := peakOf(t, func() {
		n := int64(0)
		for page, err := range s.Conn.(connectors.Puller).Pull(t.Context(), s.Job, "") {
			if err != nil {
				t.Fatal(err)
			}
			n += page.Batch.NumRows()
			page.Batch.Release()
		}
		if n != rows {
			t.Errorf("%d rows", n)
		}
	})
	info, _ := os.Stat(path)
	t.Logf("%d rows, %d MB packed: peak %d MB, %v", rows, info.Size()>>20, peak>>20, time.Since(before).Round(time.Millisecond))
	if peak > 96<<20 {
		t.Errorf("peak of the heap %d MB", peak>>20)
	}
}

func bookOf(t testing.TB, rows [][]any) string {
	t.Helper()
	return workbook(t, func(f *excelize.File) {
		for i, row := range rows {
			set(t, f, "Sheet1", fmt.Sprintf("A%d", i+1), row...)
		}
	})
}
