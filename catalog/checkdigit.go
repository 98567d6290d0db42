package catalog

import (
	"unicode"
	"unicode/utf8"
)

const usccLength = 18

// usccAlphabet of GB 32100-2015: a character's place is its value. I, O, S, V and Z are left out.
const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// usccWeights are 3^(i-1) mod 31 for the positions 1 to 17.
var usccWeights = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}

// usccValue gives a byte's value in the alphabet, -1 outside it.
var usccValue = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range len(usccAlphabet) {
		t[usccAlphabet[i]] = int8(i)
	}
	return t
}()

func inAlphabet(s string) bool {
	for i := range len(s) {
		if usccValue[s[i]] < 0 {
			return false
		}
	}
	return true
}

// usccCheckChar computes the 18th character from the first 17, which must be of the alphabet.
func usccCheckChar(code string) byte {
	sum := 0
	for i, w := range usccWeights {
		sum += int(usccValue[code[i]]) * w
	}
	return usccAlphabet[(31-sum%31)%31] // the outer modulo: a sum divisible by 31 gives 0
}

// wellFormed reports a known registration department and six digits of division. An unknown division is
// no fault: codes keep the division they were issued under, and divisions are abolished.
func wellFormed(code string) bool {
	switch d := code[0]; {
	case d >= '1' && d <= '9', d == 'A', d == 'N', d == 'Y':
		return allDigits(code[2:8])
	}
	return false
}

var orgWeights = [8]int{3, 7, 9, 10, 5, 8, 4, 2}

// OrgCodeValid reports whether the nine characters (no hyphen) satisfy GB 11714's check character.
func OrgCodeValid(s string) bool {
	if !orgCodeShaped(s) {
		return false
	}
	sum := 0
	for i, w := range orgWeights {
		v := int(s[i] - '0')
		if s[i] >= 'A' {
			v = int(s[i]-'A') + 10
		}
		sum += v * w
	}
	return "0X987654321"[sum%11] == s[8] // 11 - sum mod 11, where 10 is X and 11 is 0
}

func orgCodeShaped(s string) bool {
	if len(s) != 9 {
		return false
	}
	for i := range 8 {
		if !isDigit(s[i]) && (s[i] < 'A' || s[i] > 'Z') {
			return false
		}
	}
	return isDigit(s[8]) || s[8] == 'X'
}

// RegNoValid reports whether 15 digits satisfy the check digit of a business registration number
// (GS 15-2006: ISO 7064 MOD 11,10).
func RegNoValid(s string) bool {
	if len(s) != 15 || !allDigits(s) {
		return false
	}
	p := 10
	for i := range 14 {
		if p = (p + int(s[i]-'0')) % 10; p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return (11-p)%10 == int(s[14]-'0')
}

var residentWeights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

// isResidentID reports an 18-character resident id (GB 11643), or the foreigners' card of the same
// build: a province, a date of birth that can be, and the right check character.
func isResidentID(s string) bool { return residentShaped(s) && residentCheckChar(s) == s[17] }

// residentShaped is isResidentID without the check character: what a mistyped id still looks like.
func residentShaped(s string) bool {
	if len(s) != 18 || !allDigits(s[:17]) || !isDigit(s[17]) && s[17] != 'X' {
		return false
	}
	foreign := s[0] == '9' && knownProvince(s[1:3]) // card of 2023: 9, province, country
	return (knownProvince(s[:2]) || foreign) && plausibleBirth(number(s[6:10]), s[10:14])
}

func residentCheckChar(s string) byte {
	sum := 0
	for i, w := range residentWeights {
		sum += int(s[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// isOldResidentID reports the form of 15 digits issued until 1999, which has no check digit. Who was born before 1910
// lives no more, and registration numbers of enterprises often have a zero where the year's first digit would be.
func isOldResidentID(s string) bool {
	return len(s) == 15 && allDigits(s) && knownProvince(s[:2]) && s[6] != '0' && plausibleBirth(1900+number(s[6:8]), s[8:12])
}

// plausibleBirth leaves out years nobody living was born in and days that no month has.
func plausibleBirth(year int, monthDay string) bool {
	month, day := number(monthDay[:2]), number(monthDay[2:])
	return year >= 1900 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

// knownProvince reports the first two digits of a division in use (GB/T 2260, with Taiwan's residents' 83).
func knownProvince(s string) bool {
	switch n := number(s); n / 10 {
	case 1, 6:
		return n%10 >= 1 && n%10 <= 5
	case 2:
		return n%10 >= 1 && n%10 <= 3
	case 3:
		return n%10 >= 1 && n%10 <= 7
	case 4:
		return n%10 >= 1 && n%10 <= 6
	case 5:
		return n%10 <= 4
	case 7:
		return n == 71
	case 8:
		return n >= 81 && n <= 83
	}
	return false
}

// number reads decimal digits; the caller has made sure that they are.
func number(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// allSame reports one character over and over; bytes that are no text do not count.
func allSame(s string) bool {
	var first rune
	for i, r := range s {
		if i == 0 {
			first = r
		}
		if r != first || r == utf8.RuneError {
			return false
		}
	}
	return s != ""
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// isBlankOrJoiner reports what people put between the characters of a number: blanks, zero-width
// characters, hyphens and quotes of every width.
func isBlankOrJoiner(r rune) bool {
	switch r {
	case '-', '‐', '‑', '‒', '–', '−', '－', '\'', '"', '`', '‘', '’', '“', '”', '\uFEFF', '\u200B', '\u200C', '\u200D', '\u2060', '\u00AD':
		return true
	}
	return unicode.IsSpace(r) || unicode.Is(unicode.Zs, r)
}
