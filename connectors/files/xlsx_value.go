package files

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// value gives a cell's text, or the reason why it has none.
//
// Text is taken as it stands. A number keeps the digits Excel shows at most, 15; one with more before
// the point was rounded when it was typed in, so it is none. A percentage is the number under it (0.52),
// a number in scientific notation is written out, true and false are those words. Dates and times are
// told by the number format: 2006-01-02, with 15:04:05 behind when it has a time. Of a formula the value
// counts that was saved with it.
func (b *xlsxBook) value(c xlsxCellOf) (text, reason string, err error) {
	if c.formula && !c.there {
		return "formula", xlsxFormula, nil
	}
	switch c.kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(c.text))
		if err != nil {
			return c.text, xlsxCell, nil //nolint:nilerr // a broken cell is data with a reason
		}
		text, ok, err := b.texts.text(i)
		if err != nil || !ok {
			return c.text, xlsxCell, err
		}
		return text, "", nil
	case "str", "inlineStr":
		return c.text, "", nil
	case "b":
		switch strings.TrimSpace(c.text) {
		case "1", "true":
			return "true", "", nil
		case "0", "false":
			return "false", "", nil
		}
		return c.text, xlsxCell, nil
	case "e":
		return c.text, xlsxError, nil
	case "d":
		return strings.Replace(c.text, "T", " ", 1), "", nil
	case "", "n":
		text, reason = b.number(strings.TrimSpace(c.text), c.style)
		return text, reason, nil
	}
	return c.text, xlsxCell, nil
}

func (b *xlsxBook) number(raw string, style int) (text, reason string) {
	if raw == "" {
		return "", ""
	}
	f := xlsxFormat{}
	if style >= 0 && style < len(b.formats) {
		f = b.formats[style]
	}
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) || strings.ContainsAny(raw, "xX_pP") {
		return raw, xlsxCell
	}
	if f.date || f.clock {
		return b.moment(raw, n, f)
	}
	if math.Abs(n) >= 1e15 {
		return raw, xlsxRounded
	}
	text = digits15(raw, n)
	if f.zeros > len(text) && n >= 0 && !strings.Contains(text, ".") {
		text = strings.Repeat("0", f.zeros-len(text)) + text
	}
	return text, ""
}

// digits15 writes a number without an exponent, to 15 digits: behind them Excel saves what binary
// fractions leave over, 1.1000000000000001 for 1.1.
func digits15(raw string, n float64) string {
	figures := 0
	for _, c := range raw {
		if c >= '0' && c <= '9' && (c != '0' || figures > 0) {
			figures++
		} else if c == 'e' || c == 'E' || c == '+' {
			figures = 99
		}
	}
	if figures <= 15 {
		return raw
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(n, 'g', 15, 64), 64)
	if err != nil {
		short = n
	}
	return strconv.FormatFloat(short, 'f', -1, 64)
}

const dayMillis = 24 * 60 * 60 * 1000

// moment writes a serial number of Excel as a date, a time or both.
//
// Excel counts days from 1900-01-01, which is 1, and has a 1900-02-29, which never was: number 60 is
// refused. Workbooks of old Macintoshes count from 1904-01-01, which is 0.
func (b *xlsxBook) moment(raw string, n float64, f xlsxFormat) (text, reason string) {
	if n < 0 || n >= 2958466 { // 10000-01-01
		return raw, xlsxDate
	}
	millis := int64(math.Round(n * dayMillis))
	if !f.date && (f.elapsed || millis < dayMillis) {
		s := millis / 1000
		return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60) + fraction(millis), ""
	}
	first := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	days := millis / dayMillis
	switch {
	case b.d1904:
		first = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case days == 0 || days == 60:
		return raw, xlsxDate
	case days < 60:
		first = first.AddDate(0, 0, 1)
	}
	at := first.AddDate(0, 0, int(days)).Add(time.Duration(millis%dayMillis) * time.Millisecond)
	if at.Year() > 9999 {
		return raw, xlsxDate
	}
	text = at.Format(time.DateOnly)
	if f.clock || millis%dayMillis != 0 {
		text = at.Format(time.DateTime) + fraction(millis)
	}
	return text, ""
}

// fraction writes what is left of a second.
func fraction(millis int64) string {
	if millis%1000 == 0 {
		return ""
	}
	return strings.TrimRight(fmt.Sprintf(".%03d", millis%1000), "0")
}
