package files

import (
	"strconv"
	"strings"

	"github.com/xuri/nfp"
)

// xlsxFormat is what a number format says about the numbers under it.
type xlsxFormat struct {
	date, clock bool // the number is a day, a time of day
	elapsed     bool // a clock that goes on beyond 24 hours
	zeros       int  // a whole number is shown with so many digits, zeros in front
}

// builtIn are the formats that a workbook does not write out (ECMA-376 part 1, 18.8.30, with those of
// Chinese), by number.
func builtIn(id int) xlsxFormat {
	switch {
	case id >= 14 && id <= 17, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 54, id == 57, id == 58:
		return xlsxFormat{date: true}
	case id == 22:
		return xlsxFormat{date: true, clock: true}
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id == 45, id == 47, id == 55, id == 56:
		return xlsxFormat{clock: true}
	case id == 46:
		return xlsxFormat{clock: true, elapsed: true}
	}
	return xlsxFormat{}
}

// formatOfCode reads a format such as yyyy"年"m"月"d"日" or 000000.
func formatOfCode(code string) (f xlsxFormat) {
	if len(code) > 255 { // Excel's own limit
		return f
	}
	if code != "" && strings.Trim(code, "0") == "" {
		f.zeros = len(code)
		return f
	}
	defer func() {
		if crash := recover(); crash != nil { // a format that the parser dies of is no format of dates
			f = xlsxFormat{}
		}
	}()
	parser := nfp.NumberFormatParser()
	for _, section := range parser.Parse(code) {
		for _, token := range section.Items {
			switch token.TType {
			case nfp.TokenTypeElapsedDateTimes:
				f.clock, f.elapsed = true, true
			case nfp.TokenTypeDateTimes:
				part := strings.ToLower(token.TValue)
				switch {
				case strings.ContainsAny(part, "ydegb"):
					f.date = true
				case strings.ContainsAny(part, "hs"), strings.Contains(part, "am/pm"), strings.Contains(part, "a/p"), strings.Contains(part, "上午"):
					f.clock = true
				}
			}
		}
	}
	// m alone is a month, beside h or s it is a minute.
	if !f.date && !f.clock && strings.Contains(strings.ToLower(code), "m") && hasDateToken(code) {
		f.date = true
	}
	return f
}

func hasDateToken(code string) bool {
	parser := nfp.NumberFormatParser()
	for _, section := range parser.Parse(code) {
		for _, token := range section.Items {
			if token.TType == nfp.TokenTypeDateTimes {
				return true
			}
		}
	}
	return false
}

// styles reads which format each style has.
func (b *xlsxBook) styles(part string) error {
	var styles struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Styles []struct {
			Format string `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if err := b.decode(part, &styles, true); err != nil {
		return err
	}
	own := make(map[int]xlsxFormat, len(styles.Formats))
	for _, f := range styles.Formats {
		own[f.ID] = formatOfCode(f.Code)
	}
	for _, s := range styles.Styles {
		id, _ := strconv.Atoi(s.Format) // none is 0, general
		f, ok := own[id]
		if !ok {
			f = builtIn(id)
		}
		b.formats = append(b.formats, f)
	}
	return nil
}
