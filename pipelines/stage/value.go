package stage

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"xinshu/catalog"
)

// value is one field of one row after its type was read. The zero value is an empty field.
type value struct {
	set  bool
	text string // canonical text of text, code and USCC fields
	num  int64  // days, microseconds, whole number, millionths, fen, 0 or 1, by the field's type
}

// read gives a field's canonical value from what was received, or the reason why it has none.
// Only fields that hold codes, dates and numbers are brought to NFKC: a document number keeps the
// brackets its authority gave it.
func (f *field) read(raw string) (value, string) {
	raw = trim(raw)
	if raw == "" {
		return value{}, ""
	}
	switch f.Type {
	case "date":
		d, err := catalog.ParseAnyDate(raw)
		if err != nil {
			if d, err = catalog.ParseAnyDate(norm.NFKC.String(raw)); err != nil {
				return blankOr(raw, TypeDate)
			}
		}
		return value{set: true, num: int64(d)}, ""
	case "datetime":
		t, err := catalog.ParseAnyTime(raw)
		if err != nil {
			if t, err = catalog.ParseAnyTime(norm.NFKC.String(raw)); err != nil {
				return blankOr(raw, TypeDate)
			}
		}
		return value{set: true, num: t}, ""
	case "integer":
		return numeric(raw, number, 0)
	case "decimal":
		return numeric(raw, number, decimalScale)
	case "wan":
		return numeric(raw, money, wanToFen)
	case "yuan":
		return numeric(raw, money, yuanToFen)
	case "boolean":
		return f.readBoolean(raw)
	}
	return f.readText(raw)
}

func numeric(raw string, read func(string, int) (int64, bool), scale int) (value, string) {
	n, ok := read(raw, scale)
	if !ok {
		return blankOr(raw, TypeNumber)
	}
	return value{set: true, num: n}, ""
}

// readBoolean takes the words that front-end databases and workbooks use.
func (f *field) readBoolean(raw string) (value, string) {
	switch strings.ToLower(norm.NFKC.String(raw)) {
	case "1", "true", "t", "y", "yes", "是", "有":
		return value{set: true, num: 1}, ""
	case "0", "false", "f", "n", "no", "否":
		return value{set: true, num: 0}, ""
	}
	return blankOr(raw, TypeBoolean)
}

// readText checks length and code list. A field with a code list may name several codes joined by a
// semicolon (处罚类别), and the code for other may carry its specification: 其他-限制从业.
func (f *field) readText(raw string) (value, string) {
	if !utf8.ValidString(raw) {
		return value{}, Encoding
	}
	if f.codes != nil {
		code, ok := f.code(raw)
		if !ok {
			return blankOr(raw, CodeList)
		}
		raw = code
	}
	if f.Max > 0 && len(raw) > f.Max && utf8.RuneCountInString(raw) > f.Max {
		return value{}, TooLong
	}
	return value{set: true, text: raw}, ""
}

// code gives the canonical code of a written form: as listed, or after NFKC, or each of several.
func (f *field) code(raw string) (string, bool) {
	if c, ok := f.codes[raw]; ok {
		return c, true
	}
	const other = "其他"
	listed, detail, specified := strings.Cut(norm.NFKC.String(raw), other+"-")
	parts := strings.FieldsFunc(listed, func(r rune) bool { return r == ';' || r == '、' || r == ',' })
	for i, part := range parts {
		c, ok := f.codes[strings.TrimSpace(part)]
		if !ok {
			return "", false
		}
		parts[i] = c
	}
	if specified {
		c, ok := f.codes[other]
		if !ok {
			return "", false
		}
		parts = append(parts, c+"-"+detail)
	}
	return strings.Join(parts, ";"), len(parts) > 0
}

// canonical gives the text by which a value enters a record key or a text column.
func (f *field) canonical(v value) string {
	if !v.set {
		return ""
	}
	switch f.Type {
	case "date":
		return catalog.Date(v.num).String()
	case "datetime":
		return wallTime(v.num)
	case "integer", "wan", "yuan":
		return strconv.FormatInt(v.num, 10)
	case "decimal":
		return plainDecimal(v.num)
	case "boolean":
		return strconv.FormatBool(v.num != 0)
	}
	return v.text
}

// blankOr takes a word that stands for nothing as an empty field, where the type shows that it can
// be nothing else; any other value is refused.
func blankOr(raw, reason string) (value, string) {
	if isBlankWord(raw) {
		return value{}, ""
	}
	return value{}, reason
}

// isBlankWord knows the words that people and programs write into a cell that has no value.
func isBlankWord(s string) bool {
	if len(s) > 12 {
		return false
	}
	switch strings.ToUpper(norm.NFKC.String(s)) {
	case "", "-", "--", "—", "——", "/", "无", "暂无", "空", "NULL", "NONE", "NIL", "N/A", "NA", `\N`:
		return true
	}
	return false
}

// blanks that are not ASCII: the ideographic one, the one that does not break, the byte order mark,
// the one without width.
var blanks = [...]string{"\u3000", "\u00a0", "\ufeff", "\u200b"}

// trim takes blanks off both ends. It runs for every value, so it looks at bytes.
func trim(s string) string {
	for s != "" {
		n := 1
		if s[0] > ' ' {
			n = blankLength(s, strings.HasPrefix)
		}
		if n == 0 {
			break
		}
		s = s[n:]
	}
	for s != "" {
		n := 1
		if s[len(s)-1] > ' ' {
			n = blankLength(s, strings.HasSuffix)
		}
		if n == 0 {
			break
		}
		s = s[:len(s)-n]
	}
	return s
}

func blankLength(s string, at func(s, part string) bool) int {
	if s[0] < utf8.RuneSelf && s[len(s)-1] < utf8.RuneSelf {
		return 0
	}
	for _, b := range blanks {
		if at(s, b) {
			return len(b)
		}
	}
	return 0
}

// wallTime gives microseconds of Shanghai wall time as text.
func wallTime(micros int64) string {
	const day = 86400 * 1_000_000
	days := micros / day
	if micros%day < 0 {
		days--
	}
	rest := micros - days*day
	s := catalog.Date(days).String() + "T" + clock(rest/1_000_000)
	if fraction := rest % 1_000_000; fraction != 0 {
		s += "." + strings.TrimRight(strconv.FormatInt(1_000_000+fraction, 10)[1:], "0")
	}
	return s
}

func clock(seconds int64) string {
	two := func(n int64) string { return strconv.FormatInt(100+n, 10)[1:] }
	return two(seconds/3600) + ":" + two(seconds/60%60) + ":" + two(seconds%60)
}

// plainDecimal gives millionths as a decimal number without trailing zeros.
func plainDecimal(n int64) string {
	sign, u := "", uint64(n)
	if n < 0 {
		sign, u = "-", -u
	}
	s := sign + strconv.FormatUint(u/1_000_000, 10)
	if fraction := u % 1_000_000; fraction != 0 {
		s += "." + strings.TrimRight(strconv.FormatUint(1_000_000+fraction, 10)[1:], "0")
	}
	return s
}
