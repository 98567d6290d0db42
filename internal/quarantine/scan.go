package quarantine

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// scanned is what a worksheet's own XML tells beyond the values that the library gives: which cells
// are formulas or errors, and which are numbers and not text.
type scanned struct {
	faults  []Fault
	numbers map[string]number // by cell
}

type number struct {
	text  string
	style int
}

// mostNumbers bounds the numbers of a sheet that are remembered. Our sheets are text throughout, so a
// sheet with more was made anew by another program.
const mostNumbers = 200_000

// scan reads one worksheet's XML as a stream. It looks at rows below the headings only.
func scan(sheet string, in io.Reader) (scanned, error) {
	s := scanned{numbers: map[string]number{}}
	dec := xml.NewDecoder(in)
	var cell, kind, text string
	var style int
	inValue := false
	for {
		t, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return s, fmt.Errorf("sheet %s: %w", sheet, err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "c":
				cell, kind, text, style = "", "", "", 0
				for _, a := range t.Attr {
					switch a.Name.Local {
					case "r":
						cell = a.Value
					case "t":
						kind = a.Value
					case "s":
						style, _ = strconv.Atoi(a.Value) // 0, the plain style, for one that is no number
					}
				}
			case "f":
				if cell != "" {
					s.faults = append(s.faults, Fault{sheet, cell, "公式不能回传，请粘贴为值", "a formula cannot come back; paste its value"})
				}
			case "v":
				inValue = true
			}
		case xml.CharData:
			if inValue {
				text += string(t)
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "v":
				inValue = false
			case "c":
				if cell != "" && kind == "e" {
					s.faults = append(s.faults, Fault{sheet, cell, "单元格是错误值 " + text, "the cell holds the error " + text})
				}
				if cell != "" && (kind == "" || kind == "n") && text != "" {
					s.numbers[cell] = number{text, style}
				}
				cell = ""
			}
		}
		if len(s.numbers) > mostNumbers || len(s.faults) > mostFaults {
			s.faults = append(s.faults, Fault{sheet, cell, "数字或公式单元格过多，请使用原工作簿的文本格式", "too many cells are numbers or formulas; keep the workbook's text format"})
			return s, nil
		}
	}
}

// text gives a number as the text that somebody meant by typing it, or says that it cannot be known:
// a spreadsheet keeps 15 digits.
func (n number) text15(file *excelize.File, date1904 bool) (string, bool) {
	value, err := strconv.ParseFloat(n.text, 64)
	if err != nil {
		return "", false
	}
	if isDateStyle(file, n.style) {
		t, err := excelize.ExcelDateToTime(value, date1904)
		if err != nil {
			return "", false
		}
		if t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 {
			return t.Format("2006-01-02"), true
		}
		return t.Format("2006-01-02 15:04:05"), true
	}
	plain := strconv.FormatFloat(value, 'f', -1, 64)
	digits := len(strings.TrimLeft(strings.NewReplacer(".", "", "-", "").Replace(plain), "0"))
	return plain, digits <= 15
}

// isDateStyle knows the built-in formats of dates and times, the Chinese ones among them, and own
// formats that name a year, or a day.
func isDateStyle(file *excelize.File, style int) bool {
	s, err := file.GetStyle(style)
	if err != nil || s == nil {
		return false
	}
	if s.CustomNumFmt != nil {
		format := strings.ToLower(*s.CustomNumFmt)
		return strings.Contains(format, "yy") || strings.Contains(format, "d") && strings.Contains(format, "m")
	}
	n := s.NumFmt
	return n >= 14 && n <= 22 || n >= 27 && n <= 36 || n >= 45 && n <= 47 || n >= 50 && n <= 58
}

// worksheets gives the part of the package that holds each sheet, by the sheet's name.
func worksheets(z *zip.Reader) (map[string]string, error) {
	var book struct {
		Sheets []struct {
			Name string `xml:"name,attr"`
			ID   string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
		} `xml:"sheets>sheet"`
	}
	var links struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	for name, into := range map[string]any{"xl/workbook.xml": &book, "xl/_rels/workbook.xml.rels": &links} {
		part, err := z.Open(name)
		if err != nil {
			return nil, err
		}
		err = xml.NewDecoder(io.LimitReader(part, 16<<20)).Decode(into)
		_ = part.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	target := map[string]string{}
	for _, l := range links.All {
		if whole, ok := strings.CutPrefix(l.Target, "/"); ok {
			target[l.ID] = whole
		} else {
			target[l.ID] = path.Join("xl", l.Target)
		}
	}
	parts := map[string]string{}
	for _, s := range book.Sheets {
		parts[s.Name] = target[s.ID]
	}
	return parts, nil
}
