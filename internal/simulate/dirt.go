package simulate

import "xinshu/catalog"

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
	{OldNumber, 150, Quarantined, "ID_LEGACY_REG", catalog.Text{ZH: "填写2007年前的13位工商注册号", EN: "registration number of before 2007 for the code, without a check digit"}},
	{ResidentID, 150, Quarantined, "PII_IDCARD", catalog.Text{ZH: "代码处填写身份证号", EN: "resident id for the code"}},
	{Missing, 400, Quarantined, "REQUIRED", catalog.Text{ZH: "缺必填项", EN: "required field missing"}},
	{BadDate, 250, Quarantined, "TYPE_DATE", catalog.Text{ZH: "日期错误", EN: "no such date"}},
	{BadNumber, 150, Quarantined, "TYPE_NUMBER", catalog.Text{ZH: "数值错误", EN: "no number"}},
	{UnknownCode, 200, Quarantined, "CODE_LIST", catalog.Text{ZH: "不在代码集内", EN: "outside the code list"}},
	{UnknownLevel, 150, Quarantined, "LEVEL_UNKNOWN", catalog.Text{ZH: "等级无法识别", EN: "unknown level"}},
	{TooLong, 100, Quarantined, "TOO_LONG", catalog.Text{ZH: "超长", EN: "too long"}},
	{BrokenRule, 250, Quarantined, "", catalog.Text{ZH: "字段间矛盾", EN: "fields that contradict each other"}},
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
