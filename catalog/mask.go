package catalog

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// MaskIDs masks every resident id inside a text and says whether there was one. An id keeps its first
// three and last two characters, so that a steward can ask the supplier about it.
//
// It masks 18 characters with a province and a date of birth (unless they are a valid USCC and no valid
// id), 15 digits with the same, whatever is in front of or behind them, in half or full width, and
// an id whose digits were set apart by blanks or hyphens when its check character holds. A registration
// number that happens to hold a date is masked too: a lost old number can be asked for, a leaked id cannot
// be taken back.
func MaskIDs(s string) (masked string, found bool) {
	if !mayHoldID(s) {
		return s, false
	}
	var out strings.Builder
	from := 0
	for at := 0; at < len(s); {
		run := readRun(s[at:])
		if len(run.digits) == 0 {
			_, n := utf8.DecodeRuneInString(s[at:])
			at += n
			continue
		}
		for _, id := range run.ids() {
			start, end := at+run.starts[id.from], at+run.ends[id.to-1]
			out.WriteString(s[from:start])
			out.WriteString(maskID(run.digits[id.from:id.to]))
			from = end
		}
		at += run.length
	}
	if from == 0 {
		return s, false
	}
	out.WriteString(s[from:])
	return out.String(), true
}

// KeyedHash gives the hex HMAC-SHA-256 of a value under the installation's key: two rows about the same
// person can be matched without either holding the number.
func KeyedHash(key []byte, value string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

func maskID(id string) string {
	return id[:3] + strings.Repeat("*", len(id)-5) + id[len(id)-2:]
}

// mayHoldID is the cheap test that most values fail: 15 digits in one stretch.
func mayHoldID(s string) bool {
	if len(s) < 15 {
		return false
	}
	digits := 0
	for i := range len(s) {
		if isDigit(s[i]) || s[i] == 0xBC { // full-width digits are EF BC 90 to EF BC 99
			digits++
		}
	}
	if digits < 15 {
		return false
	}
	digits = 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9' || c >= '０' && c <= '９':
			if digits++; digits == 15 {
				return true
			}
		case !isBlankOrJoiner(c):
			digits = 0
		}
	}
	return false
}

// digitRun is a stretch of digits, X and single separators at the head of a text.
type digitRun struct {
	digits       string // half width, separators left out, x raised
	starts, ends []int  // of each digit in the text, in bytes
	length       int    // of the stretch in bytes
}

type span struct{ from, to int }

// readRun reads digits as far as they go, over single separators; an X ends the run. It is empty when the text does not
// begin with a digit.
func readRun(s string) digitRun {
	var r digitRun
	var digits []byte
	separated := false
	for at := 0; at < len(s); {
		c, n := utf8.DecodeRuneInString(s[at:])
		if c >= '０' && c <= '９' {
			c -= '０' - '0'
		}
		isX := c == 'X' || c == 'x' || c == 'Ｘ' || c == 'ｘ'
		switch {
		case c >= '0' && c <= '9', isX && len(digits) >= 17:
			if isX {
				c = 'X'
			}
			digits = append(digits, byte(c))
			r.starts, r.ends = append(r.starts, at), append(r.ends, at+n)
			separated = false
			r.length = at + n
			if isX {
				r.digits = string(digits)
				return r
			}
		case isBlankOrJoiner(c) && !separated && len(digits) > 0:
			separated = true
		default:
			r.digits = string(digits)
			return r
		}
		at += n
	}
	r.digits = string(digits)
	return r
}

// ids finds the resident ids in a run: first in each stretch without separators, then across them.
func (r digitRun) ids() []span {
	var found []span
	for from := 0; from < len(r.digits); {
		to := from + 1
		for to < len(r.digits) && r.starts[to] == r.ends[to-1] {
			to++
		}
		found = append(found, idsIn(r.digits[from:to], from)...)
		from = to
	}
	if len(found) == 0 {
		return validWindows(r.digits, 0)
	}
	return found
}

// idsIn looks at one unbroken stretch: as a whole it may be an id by shape; inside a longer one only a right
// check character tells an id from any other digits.
func idsIn(digits string, offset int) []span {
	whole := []span{{offset, offset + len(digits)}}
	switch {
	case isOldResidentID(digits):
		return whole
	case residentShaped(digits) && !codeBeatsID(digits):
		return whole
	}
	return validWindows(digits, offset)
}

func validWindows(digits string, offset int) []span {
	var found []span
	for i := 0; i+18 <= len(digits); i++ {
		if w := digits[i : i+18]; isResidentID(w) && !codeBeatsID(w) {
			found = append(found, span{offset + i, offset + i + 18})
			i += 17
		}
	}
	return found
}
