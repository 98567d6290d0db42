//go:build acceptance

package acceptance

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
	"github.com/xuri/excelize/v2"

	"xinshu/connectors/gm"
)

// forms are the datasets whose departments hand over something else than CSV; the form is the end of
// the file's name.
var forms = map[string]string{
	"transport.assess": ".xlsx",
	"commerce.expo":    ".xml",
	"water.rating":     ".parquet",
	"housing.property": ".csv.gz",
}

// handedOver writes rows in the form in which their department hands them over.
func handedOver(t *testing.T, dataset string, rows []row) (end string, body []byte) {
	t.Helper()
	columns := columnsOf(rows)
	switch end = forms[dataset]; end {
	case ".xlsx":
		return end, writeBook(t, table(columns, rows))
	case ".xml":
		return end, writeXML(t, columns, rows)
	case ".parquet":
		return end, writeParquet(t, columns, rows)
	case ".csv.gz":
		return end, pack(t, writeCSV(t, table(columns, rows)))
	default:
		return ".csv", writeCSV(t, table(columns, rows))
	}
}

// writeBook makes a workbook as a clerk has it: a merged title above the header, and days as date cells.
func writeBook(t *testing.T, records [][]string) []byte {
	t.Helper()
	book := excelize.NewFile()
	defer func() { _ = book.Close() }()
	const sheet = "Sheet1"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(book.SetCellStr(sheet, "A1", "信用信息报送表"))
	last, err := excelize.CoordinatesToCellName(len(records[0]), 1)
	must(err)
	must(book.MergeCell(sheet, "A1", last))
	day, err := book.NewStyle(&excelize.Style{NumFmt: 14})
	must(err)
	for i, record := range records {
		for j, value := range record {
			cell, err := excelize.CoordinatesToCellName(j+1, i+2)
			must(err)
			if when, err := time.Parse(time.DateOnly, value); err == nil && i > 0 {
				must(book.SetCellValue(sheet, cell, when))
				must(book.SetCellStyle(sheet, cell, cell, day))
			} else if value != "" {
				must(book.SetCellStr(sheet, cell, value))
			}
		}
	}
	var out bytes.Buffer
	must(book.Write(&out))
	return out.Bytes()
}

func writeXML(t *testing.T, columns []string, rows []row) []byte {
	t.Helper()
	var out bytes.Buffer
	out.WriteString(xml.Header + "<data><rows>\n")
	for _, r := range rows {
		out.WriteString("<row>")
		for _, name := range columns {
			if r[name] == "" {
				continue
			}
			out.WriteString("<" + name + ">")
			if err := xml.EscapeText(&out, []byte(r[name])); err != nil {
				t.Fatal(err)
			}
			out.WriteString("</" + name + ">")
		}
		out.WriteString("</row>\n")
	}
	out.WriteString("</rows></data>\n")
	return out.Bytes()
}

// writeParquet gives each column its type: a column of days is one of dates.
func writeParquet(t *testing.T, columns []string, rows []row) []byte {
	t.Helper()
	fields := make([]arrow.Field, len(columns))
	for i, name := range columns {
		fields[i] = arrow.Field{Name: name, Type: arrow.FixedWidthTypes.Date32, Nullable: true}
		for _, r := range rows {
			if _, err := time.Parse(time.DateOnly, r[name]); err != nil && r[name] != "" {
				fields[i].Type = arrow.BinaryTypes.String
			}
		}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	schema := arrow.NewSchema(fields, nil)
	record, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer record.Release()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err == nil {
		err = w.Write(record)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pack(t *testing.T, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// companion is the content of the .sm3 file beside a file.
func companion(body []byte) []byte { return []byte(hex.EncodeToString(gm.SM3(body))) }
