package simulate

import (
	"strings"

	"xinshu/catalog"
)

// Fault is a kind of dirt in a row. The empty one is a clean row.
type Fault string

// The kinds of dirt. Those that spoil come as rows of their own beside the clean one they imitate.
const (
	LowerCase     Fault = "lower_case"
	FullWidth     Fault = "full_width"
	Blanks        Fault = "blanks"
	IDInText      Fault = "id_in_text"
	Duplicate     Fault = "duplicate"
	NaturalPerson Fault = "natural_person"
	WrongCheck    Fault = "wrong_check"
	LetterO       Fault = "letter_o"
	WrongBuild    Fault = "wrong_build"
	TooShort      Fault = "too_short"
	Placeholder   Fault = "placeholder"
	OldNumber     Fault = "old_number"
	ResidentID    Fault = "resident_id"
	Missing       Fault = "missing"
	BadDate       Fault = "bad_date"
	BadNumber     Fault = "bad_number"
	UnknownCode   Fault = "unknown_code"
	UnknownLevel  Fault = "unknown_level"
	TooLong       Fault = "too_long"
	BrokenRule    Fault = "broken_rule"
)

// The verdicts that staging can give.
const (
	Accepted    = "accepted"
	Duplicated  = "duplicate"
	Quarantined = "quarantined"
	Skipped     = "skipped"
)

// Dirt is how often each fault stands beside the clean rows of a dataset where it can occur, in rows of
// a hundred thousand, and what the hub must make of it. An empty reason of a quarantined row is the
// code of the broken check.
var Dirt = []struct {
	Fault  Fault
	Rate   int
	Want   string
	Reason string
	Title  catalog.Text
}{
	{LowerCase, 600, Accepted, "", catalog.Text{ZH: "代码为小写", EN: "code in lower case"}},
	{FullWidth, 300, Accepted, "", catalog.Text{ZH: "代码为全角", EN: "code in full width"}},
	{Blanks, 300, Accepted, "", catalog.Text{ZH: "代码内有空格或连字符", EN: "blanks or hyphens in the code"}},
	{IDInText, 150, Accepted, "", catalog.Text{ZH: "文本中含身份证号", EN: "resident id in a text"}},
	{Duplicate, 800, Duplicated, "", catalog.Text{ZH: "重复行", EN: "the row twice"}},
	{NaturalPerson, 1500, Skipped, "", catalog.Text{ZH: "自然人", EN: "natural person"}},
	{WrongCheck, 400, Quarantined, "USCC_CHECK", catalog.Text{ZH: "代码校验位错误", EN: "wrong check character"}},
	{LetterO, 150, Quarantined, "USCC_CHARSET", catalog.Text{ZH: "代码中数字0写成字母O", EN: "letter O for the digit 0"}},
	{WrongBuild, 80, Quarantined, "USCC_STRUCT", catalog.Text{ZH: "代码结构错误", EN: "letters where the division stands"}},
	{TooShort, 150, Quarantined, "USCC_LENGTH", catalog.Text{ZH: "代码少一位", EN: "one character lost"}},
	{Placeholder, 250, Quarantined, "USCC_PLACEHOLDER", catalog.Text{ZH: "代码为占位词", EN: "placeholder for the code"}},
	{OldNumber, 150, Quarantined, "ID_LEGACY_REG", catalog.Text{ZH: "填写工商注册号", EN: "business registration number for the code"}},
	{ResidentID, 150, Quarantined, "PII_IDCARD", catalog.Text{ZH: "代码处填写身份证号", EN: "resident id for the code"}},
	{Missing, 400, Quarantined, "REQUIRED", catalog.Text{ZH: "缺必填项", EN: "required field missing"}},
	{BadDate, 250, Quarantined, "TYPE_DATE", catalog.Text{ZH: "日期错误", EN: "no such date"}},
	{BadNumber, 150, Quarantined, "TYPE_NUMBER", catalog.Text{ZH: "数值错误", EN: "no number"}},
	{UnknownCode, 200, Quarantined, "CODE_LIST", catalog.Text{ZH: "不在代码集内", EN: "outside the code list"}},
	{UnknownLevel, 150, Quarantined, "LEVEL_UNKNOWN", catalog.Text{ZH: "等级无法识别", EN: "unknown level"}},
	{TooLong, 100, Quarantined, "TOO_LONG", catalog.Text{ZH: "超长", EN: "too long"}},
	{BrokenRule, 250, Quarantined, "", catalog.Text{ZH: "字段间矛盾", EN: "fields that contradict each other"}},
}

var freeText = []string{"BZ", "evidence", "facts", "finding", "matter", "breach_desc", "effect", "result"}

// spoil turns the values of a clean row into what a fault makes of them, and says which reason and
// column the hub must name. It reports false where this row cannot have the fault.
func (d *dataset) spoil(fault Fault, r *row, values []string) (reason, column string, ok bool) {
	code := d.at(d.contract.Subject.USCC)
	switch fault {
	case LowerCase:
		values[code] = strings.ToLower(values[code])
	case FullWidth:
		values[code] = fullWidth(values[code])
	case Blanks:
		values[code] = values[code][:8] + []string{" ", "-", "　"}[r.number(3)] + values[code][8:]
	case IDInText:
		values[d.remark()] += "联系人身份证号" + residentID(r.e.Division, "19800312", r.i)
		return "", "", true
	case Duplicate:
		return "", "", true
	case NaturalPerson:
		d.beNaturalPerson(r, values)
	case WrongCheck:
		at := strings.IndexByte(codeAlphabet, values[code][17])
		values[code] = values[code][:17] + string(codeAlphabet[(at+1+r.number(30))%31])
	case LetterO:
		if !strings.Contains(values[code], "0") {
			return "", "", false
		}
		values[code] = strings.Replace(values[code], "0", "O", 1)
	case WrongBuild:
		values[code] = values[code][:4] + "AB" + values[code][6:]
	case TooShort:
		values[code] = values[code][:17]
	case Placeholder:
		values[code] = []string{"无", "000000000000000000", "00000000000000000X", "暂无"}[r.number(4)]
	case OldNumber:
		values[code] = regNo(r.e.Division, r.i)
	case ResidentID:
		values[code] = residentID("410481", "19750820", r.i)
	default:
		return d.spoilField(fault, r, values)
	}
	return reasonOf(fault), d.headings[code], true
}

// spoilField spoils one field other than the code of the subject.
func (d *dataset) spoilField(fault Fault, r *row, values []string) (reason, column string, ok bool) {
	var fits func(catalog.Field) bool
	var bad string
	switch fault {
	case Missing:
		fits = func(f catalog.Field) bool { return f.Required }
	case BadDate:
		fits, bad = func(f catalog.Field) bool { return f.Type == "date" }, "2025-02-30"
	case BadNumber:
		fits, bad = func(f catalog.Field) bool { return numeric(f.Type) }, "约三百"
	case UnknownCode:
		fits, bad = func(f catalog.Field) bool { return f.Codes != "" && f.Name != d.contract.Subject.Category }, "未列明"
	case UnknownLevel:
		fits, bad = func(f catalog.Field) bool { return f.Name == d.contract.Map["level"].Field }, "待定"
	case TooLong:
		fits = func(f catalog.Field) bool {
			return f.Type == "text" && f.Max > 0 && f.Codes == "" && f.Sensitivity == ""
		}
	case BrokenRule:
		return d.breakRule(r, values)
	default:
		return "", "", false
	}
	var places []int
	for i, c := range d.columns {
		if !d.fixed(c.field.Name) && values[i] != "" && fits(c.field) {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return "", "", false
	}
	at := places[r.number(len(places))]
	f := d.columns[at].field
	if values[at] = bad; fault == TooLong {
		values[at] = strings.Repeat("长", f.Max+1)
	}
	return reasonOf(fault), d.headings[at], true
}

// breakRule makes the row break one of the contract's checks, the first it can.
func (d *dataset) breakRule(r *row, values []string) (reason, column string, ok bool) {
	for k := range d.contract.Checks {
		check := d.contract.Checks[(k+r.number(len(d.contract.Checks)))%len(d.contract.Checks)]
		a := d.at(check.Fields[0])
		b := -1
		if len(check.Fields) > 1 {
			b = d.at(check.Fields[1])
		}
		if a < 0 || d.keyed(check.Fields[0]) {
			continue
		}
		switch check.Rule {
		case "not_after":
			if b < 0 || values[a] == "" || values[b] == "" || d.keyed(check.Fields[1]) {
				continue
			}
			values[b] = r.f.on.AddDays(-40).String()
		case "not_future":
			if values[a] == "" || d.ordered(check.Fields[0], values) {
				continue
			}
			values[a] = lastDay.AddDays(200 + r.number(300)).String()
		case "positive_iff":
			if values[a] == "" || strings.Trim(values[a], "0.") == "" {
				values[a] = "3.5"
			} else {
				values[a] = "0"
			}
		case "required_if":
			if b < 0 || values[a] == "" || !oneOf(check.Words, values[b]) {
				continue
			}
			values[a] = ""
		default:
			continue
		}
		return check.Code, d.headings[a], true
	}
	return "", "", false
}

// ordered says whether a field stands before another filled one in a check of order: pushing it into
// the future would break that check too, and a row must have one fault only.
func (d *dataset) ordered(field string, values []string) bool {
	for _, c := range d.contract.Checks {
		if c.Rule == "not_after" && c.Fields[0] == field {
			if at := d.at(c.Fields[1]); at >= 0 && values[at] != "" {
				return true
			}
		}
	}
	return false
}

// beNaturalPerson makes the row one about a person; only the double-publicity sets can say so.
func (d *dataset) beNaturalPerson(r *row, values []string) {
	prefix := d.contract.Subject.Category[:3]
	for field, value := range map[string]string{
		d.contract.Subject.Category: "自然人", d.contract.Subject.USCC: "", d.contract.Subject.Name: r.person(), prefix + "FRDB": "", prefix + "FR_ZJLX": "", prefix + "FR_ZJHM": "",
		prefix + "XDR_ZJLX": "身份证", prefix + "XDR_ZJHM": residentID("410481", "19880606", r.i),
	} {
		if at := d.at(field); at >= 0 {
			values[at] = value
		}
	}
}

// possibleFaults are the faults that some row of the dataset can have.
func (d *dataset) possibleFaults() (faults []Fault) {
	byType := map[Fault]bool{}
	for _, c := range d.columns {
		f := c.field
		if d.fixed(f.Name) {
			continue
		}
		byType[Missing] = byType[Missing] || f.Required
		byType[BadDate] = byType[BadDate] || f.Type == "date"
		byType[BadNumber] = byType[BadNumber] || numeric(f.Type)
		byType[UnknownCode] = byType[UnknownCode] || f.Codes != "" && f.Name != d.contract.Subject.Category
		byType[TooLong] = byType[TooLong] || f.Type == "text" && f.Max > 0 && f.Codes == ""
	}
	for _, dirt := range Dirt {
		possible := true
		switch dirt.Fault {
		case Missing, BadDate, BadNumber, UnknownCode, TooLong:
			possible = byType[dirt.Fault]
		case UnknownLevel:
			m := d.contract.Map["level"] // a default takes unknown words in, a code list refuses them by another name
			possible = m.Values != nil && m.Default == "" && d.columns[d.at(m.Field)].field.Codes == ""
		case BrokenRule:
			possible = len(d.contract.Checks) > 0
		case NaturalPerson:
			possible = d.contract.Subject.Category != ""
		case IDInText:
			possible = d.remark() >= 0
		case Placeholder:
			possible = !d.keyed(d.contract.Subject.USCC)
		}
		if possible {
			faults = append(faults, dirt.Fault)
		}
	}
	return faults
}

// at gives the place of the first of the named columns that the dataset has, -1 without one.
func (d *dataset) at(names ...string) int {
	for _, name := range names {
		for i, c := range d.columns {
			if c.field.Name == name {
				return i
			}
		}
	}
	return -1
}

// remark gives the place of the column in which people write more than they should, -1 without one.
func (d *dataset) remark() int {
	for i, c := range d.columns {
		f := c.field
		if oneOf(freeText, f.Name) && f.Codes == "" && f.Name != d.contract.Map["level"].Field && !d.keyed(f.Name) {
			return i
		}
	}
	return -1
}

// fixed are the fields that dirt leaves alone: spoiling them would spoil the key or the order of versions.
func (d *dataset) fixed(field string) bool {
	_, common := commonFields[field]
	return common || d.keyed(field) || field == d.contract.Subject.USCC || field == d.contract.Kind.Field
}

func (d *dataset) keyed(field string) bool { return oneOf(d.contract.Key, field) }

func oneOf(words []string, word string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}

func numeric(fieldType string) bool {
	switch fieldType {
	case "integer", "decimal", "wan", "yuan":
		return true
	}
	return false
}

// dirtOf gives the place of a fault in Dirt.
var dirtOf = func() map[Fault]int {
	places := map[Fault]int{}
	for i, d := range Dirt {
		places[d.Fault] = i
	}
	return places
}()

func reasonOf(fault Fault) string { return Dirt[dirtOf[fault]].Reason }

// fullWidth writes a code in full-width characters.
func fullWidth(s string) string {
	return strings.Map(func(c rune) rune { return c - '!' + '！' }, s)
}
