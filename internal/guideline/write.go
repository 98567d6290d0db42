package guideline

import (
	"encoding/csv"
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"
)

// CSV writes the table in UTF-8 with the mark by which Chinese spreadsheets know it.
func CSV(w io.Writer, rows [][]string) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	c := csv.NewWriter(w)
	if err := c.Write(Header); err != nil {
		return err
	}
	return c.WriteAll(rows)
}

// XLSX writes the table as a workbook: the table, and a page that says what is left to fill in.
func XLSX(w io.Writer, rows [][]string) (err error) {
	const sheet = "信息资源目录"
	book := excelize.NewFile()
	defer func() {
		if bad := book.Close(); err == nil {
			err = bad
		}
	}()
	if err := book.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	bold, err := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Alignment: &excelize.Alignment{WrapText: true, Vertical: "center"}})
	if err != nil {
		return err
	}
	out, err := book.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	if err := out.SetColWidth(1, len(Header), 16); err != nil {
		return err
	}
	head := make([]any, len(Header))
	for i, h := range Header {
		head[i] = excelize.Cell{StyleID: bold, Value: h}
	}
	if err := out.SetRow("A1", head); err != nil {
		return err
	}
	for i, row := range rows {
		cells := make([]any, len(row))
		for j, text := range row {
			cells[j] = text
		}
		if err := out.SetRow(fmt.Sprintf("A%d", i+2), cells); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := notes(book); err != nil {
		return err
	}
	_, err = book.WriteTo(w)
	return err
}

func notes(book *excelize.File) error {
	const sheet = "填写说明"
	if _, err := book.NewSheet(sheet); err != nil {
		return err
	}
	for i, line := range []string{
		"依据《政务信息资源目录编制指南（试行）》（2017）的元数据编制，每个信息项一行。",
		"“" + toFill + "”处由信息资源提供方补充：提供方代码（统一社会信用代码）、共享条件、开放属性与发布日期，数据契约中没有这些内容。",
		"信息资源代码为本系统拟编，以目录管理部门赋码为准。",
	} {
		if err := book.SetCellStr(sheet, fmt.Sprintf("A%d", i+1), line); err != nil {
			return err
		}
	}
	return book.SetColWidth(sheet, "A", "A", 100)
}
