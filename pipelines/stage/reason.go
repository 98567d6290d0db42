package stage

import "xinshu/catalog"

// Reason codes of quarantined rows. A check of a contract brings its own code beside these, and a
// connector the three at the end for what it could not read into columns.
const (
	Required     = "REQUIRED"      // a required field is empty
	KeyEmpty     = "KEY_EMPTY"     // a field of the record key is empty or a placeholder
	TooLong      = "TOO_LONG"      // more characters than the contract allows
	CodeList     = "CODE_LIST"     // not in the field's code list
	LevelUnknown = "LEVEL_UNKNOWN" // no level of the kind
	KindUnknown  = "KIND_UNKNOWN"  // no kind of the family
	TypeDate     = "TYPE_DATE"     // not a date in any known written form
	TypeNumber   = "TYPE_NUMBER"   // not a number, finer than the unit allows, or too large
	TypeBoolean  = "TYPE_BOOLEAN"  // neither yes nor no

	typeReasons = "TYPE_" // what the reasons of a value of another type begin with

	PersonalID      = "PII_IDCARD"       // a resident id where a code or key belongs
	USCCPlaceholder = "USCC_PLACEHOLDER" // empty, or a word that stands for empty
	USCCLength      = "USCC_LENGTH"
	USCCCharset     = "USCC_CHARSET"
	USCCStruct      = "USCC_STRUCT"
	USCCCheck       = "USCC_CHECK"
	LegacyReg       = "ID_LEGACY_REG"
	LegacyOrg       = "ID_LEGACY_ORG"

	Encoding   = "ENCODING"
	CSVFields  = "CSV_FIELDS"
	JSONSyntax = "JSON_SYNTAX"
)

var sentences = map[string]catalog.Text{
	Required:     {ZH: "必填项为空", EN: "a required field is empty"},
	KeyEmpty:     {ZH: "记录主键为空或为占位词", EN: "a field of the record key is empty or a placeholder"},
	TooLong:      {ZH: "超过约定长度", EN: "longer than the contract allows"},
	CodeList:     {ZH: "不在代码集内", EN: "not in the code list"},
	LevelUnknown: {ZH: "无法识别的等级或状态", EN: "no level of this kind"},
	KindUnknown:  {ZH: "无法识别的类别", EN: "no kind of this family"},
	TypeDate:     {ZH: "日期无法识别", EN: "not a date"},
	TypeNumber:   {ZH: "数值无法识别、精度过细或超出范围", EN: "not a number, finer than the unit allows, or too large"},
	TypeBoolean:  {ZH: "既非是也非否", EN: "neither yes nor no"},

	ColumnUnknown: {ZH: "约定之外的列中有值", EN: "a value in a column that the contract does not know"},
	ColumnMissing: {ZH: "约定的列未提供", EN: "a column of the contract is not sent"},

	PersonalID:      {ZH: "代码处填写了居民身份证号，已脱敏", EN: "a resident id where a code belongs; masked"},
	USCCPlaceholder: {ZH: "统一社会信用代码缺失", EN: "the unified social credit code is missing"},
	USCCLength:      {ZH: "统一社会信用代码不是18位", EN: "the unified social credit code does not have 18 characters"},
	USCCCharset:     {ZH: "统一社会信用代码含有不允许的字符", EN: "the unified social credit code holds a character outside its set"},
	USCCStruct:      {ZH: "统一社会信用代码结构不符", EN: "the unified social credit code is not built as the standard says"},
	USCCCheck:       {ZH: "统一社会信用代码校验位不符", EN: "the check character of the unified social credit code is wrong"},
	LegacyReg:       {ZH: "填写的是工商注册号，不是统一社会信用代码", EN: "a business registration number instead of a unified social credit code"},
	LegacyOrg:       {ZH: "填写的是组织机构代码，不是统一社会信用代码", EN: "an organisation code instead of a unified social credit code"},

	Encoding:   {ZH: "字符编码错误", EN: "the bytes are not in the declared encoding"},
	CSVFields:  {ZH: "列数与表头不符", EN: "the number of fields differs from the header"},
	JSONSyntax: {ZH: "不是完整的 JSON 对象", EN: "not a whole JSON object"},
}

// Sentence says a reason in words: the contract's own message for the code of one of its checks,
// the house's for the rest, and the bare code for one that nobody has described.
func Sentence(reason string, ds catalog.Dataset) catalog.Text {
	for _, c := range ds.Checks {
		if c.Code == reason && c.Message != (catalog.Text{}) {
			return c.Message
		}
	}
	if s, ok := sentences[reason]; ok {
		return s
	}
	if s, ok := fileSentences[reason]; ok {
		return s
	}
	return catalog.Text{ZH: reason, EN: reason}
}
