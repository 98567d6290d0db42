package catalog

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Verdict codes of the USCC check. A reason says why a value is no code; a warning leaves it valid.
const (
	USCCNormalised  = "USCC_NORMALISED"  // warning: case, width, blanks or hyphens were put right
	USCCOrgCheck    = "USCC_ORG_CHECK"   // warning: the organisation code inside fails GB 11714
	USCCOverride    = "USCC_OVERRIDE"    // warning: fails GB 32100, valid by a steward's recorded decision
	USCCPlaceholder = "USCC_PLACEHOLDER" // nothing was given: empty, 无, zeros
	USCCLength      = "USCC_LENGTH"
	USCCCharset     = "USCC_CHARSET"
	USCCStruct      = "USCC_STRUCT"
	USCCCheck       = "USCC_CHECK"
	IDLegacyReg     = "ID_LEGACY_REG"   // a business registration number of 15 digits (13 before 2007)
	IDLegacyOrg     = "ID_LEGACY_ORG"   // an organisation code
	IDLegacyCheck   = "ID_LEGACY_CHECK" // warning: such a number, with a wrong check character
	PIIIDCard       = "PII_IDCARD"      // a resident id: masked here, never to be stored
)

// Verdict is what the check says about one value.
type Verdict struct {
	Input      string   `json:"input"`                // as received; what is shaped like a resident id is masked
	Valid      bool     `json:"valid"`                //
	Normalized string   `json:"normalized"`           // upper case, half width, no blanks; empty for a placeholder
	Reason     string   `json:"reason"`               // a verdict code; empty when valid
	Warnings   []string `json:"warnings"`             // verdict codes, never nil; shared between verdicts: do not write to it
	Suggestion string   `json:"suggestion,omitempty"` // the valid code that look-alike letters may stand for; never used by itself
}

// The few possible lists of warnings, shared so that a check of a clean code allocates nothing.
var (
	noWarning         = []string{}
	warnNormalised    = []string{USCCNormalised}
	warnOrg           = []string{USCCOrgCheck}
	warnNormalisedOrg = []string{USCCNormalised, USCCOrgCheck}
	warnOverride      = []string{USCCOverride}
	warnLegacy        = []string{IDLegacyCheck}
)

// CheckUSCC judges one value by GB 32100-2015: normalise, placeholder, length, characters, structure,
// check character (an error), the organisation code's own check character (a warning, because some
// codes of the early roll-out do not satisfy GB 11714).
func CheckUSCC(raw string) Verdict { return CheckUSCCWith(raw, nil) }

// CheckUSCCWith is CheckUSCC, except that a well-formed code whose check character is wrong is valid,
// with a warning, when a steward has recorded it: pilot codes circulate that never satisfied GB 32100.
func CheckUSCCWith(raw string, recorded func(code string) bool) Verdict {
	v := Verdict{Input: raw, Normalized: raw, Warnings: noWarning}
	if plainlyValid(raw) { // nearly every row of a clean file
		v.Valid = true
		return v
	}
	if len(raw) != usccLength || !inAlphabet(raw) {
		v.Normalized = normaliseUSCC(raw)
		if v.Normalized != raw {
			v.Warnings = warnNormalised
		}
	}
	if isPlaceholder(v.Normalized) {
		v.Normalized, v.Warnings = "", noWarning
		return v.refuse(USCCPlaceholder)
	}
	if utf8.RuneCountInString(v.Normalized) != usccLength {
		return v.otherNumber()
	}
	code := v.Normalized
	switch {
	case !inAlphabet(code):
		v.Suggestion = suggestUSCC(code)
		return v.refuse(USCCCharset)
	case !wellFormed(code):
		return v.refuse(USCCStruct)
	}
	check, org := usccCheckChar(code) == code[17], OrgCodeValid(code[8:17])
	if isResidentID(code) && !codeBeatsID(code) {
		return v.refuse(PIIIDCard)
	}
	switch {
	case !check && recorded != nil && recorded(code):
		v.Warnings = warnOverride
	case !check:
		return v.refuse(USCCCheck)
	case !org && len(v.Warnings) > 0:
		v.Warnings = warnNormalisedOrg
	case !org:
		v.Warnings = warnOrg
	}
	v.Valid = true
	return v
}

// plainlyValid reports a code on which every check agrees. The zeros that pass the arithmetic fail the structure.
func plainlyValid(s string) bool {
	return len(s) == usccLength && inAlphabet(s) && wellFormed(s) && usccCheckChar(s) == s[17] && OrgCodeValid(s[8:17]) && !isResidentID(s)
}

// codeBeatsID decides where the two shapes overlap: digits that satisfy the code's check character and not
// the id's are a code. Where the id's holds too, the code must satisfy both its checks and name a known
// division: its check character alone holds by chance for one id in 31, and taking that for a code would
// store a person's number as a company's.
func codeBeatsID(digits string) bool {
	if !inAlphabet(digits) || !wellFormed(digits) || usccCheckChar(digits) != digits[17] {
		return false
	}
	return !isResidentID(digits) || OrgCodeValid(digits[8:17]) && knownProvince(digits[2:4])
}

// refuse ends a check. A refused value is looked at by people and kept in quarantine, so what may be a
// resident id is masked whatever the reason.
func (v Verdict) refuse(reason string) Verdict {
	v.Reason = reason
	if reason == PIIIDCard {
		v.Normalized = maskID(v.Normalized)
		v.Input = v.Normalized
		return v
	}
	if reason != IDLegacyReg {
		v.Input, _ = MaskIDs(v.Input)
		v.Normalized, _ = MaskIDs(v.Normalized)
	}
	return v
}

// otherNumber judges a value that has not 18 characters: often it is one of the numbers in use before 2015.
func (v Verdict) otherNumber() Verdict {
	s := v.Normalized
	switch {
	case len(s) == 15 && allDigits(s):
		if RegNoValid(s) {
			return v.refuse(IDLegacyReg)
		}
		if isOldResidentID(s) {
			return v.refuse(PIIIDCard)
		}
		v.Warnings = warnLegacy
		return v.refuse(IDLegacyReg)
	case len(s) == 13 && allDigits(s):
		return v.refuse(IDLegacyReg)
	case len(s) == 9 && orgCodeShaped(s):
		if !OrgCodeValid(s) {
			v.Warnings = warnLegacy
		}
		return v.refuse(IDLegacyOrg)
	}
	return v.refuse(USCCLength)
}

// normaliseUSCC puts right what typing and copying do to a code: width, case, blanks, hyphens, quotes.
func normaliseUSCC(raw string) string {
	s := raw
	if !isASCII(s) {
		s = norm.NFKC.String(strings.ToValidUTF8(s, "\uFFFD"))
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case isBlankOrJoiner(r):
			return -1
		}
		return r
	}, s)
}

// placeholders are what people type where there is no code, in normalised form.
var placeholders = map[string]bool{
	"": true, "无": true, "暂无": true, "没有": true, "空": true, "不详": true, "未知": true, "未填写": true,
	"/": true, "\\": true, ".": true, "NULL": true, "NONE": true, "NIL": true, "NA": true, "N/A": true, "00000000000000000X": true,
}

func isPlaceholder(s string) bool {
	if len(s) == usccLength && (s[0] != s[1] || s[1] != s[2]) {
		return false // the common case: a code whose first characters differ
	}
	return placeholders[s] || allSame(s)
}

// suggestUSCC replaces the letters the alphabet leaves out by the digits they are mistaken for; empty
// unless that gives a valid code.
func suggestUSCC(code string) string {
	if !isASCII(code) {
		return ""
	}
	s := lookAlikes.Replace(code)
	if inAlphabet(s) && wellFormed(s) && usccCheckChar(s) == s[17] && !isPlaceholder(s) && !isResidentID(s) {
		return s
	}
	return ""
}

var lookAlikes = strings.NewReplacer("I", "1", "O", "0", "S", "5", "Z", "2")
