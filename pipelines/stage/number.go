package stage

import (
	"math"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// longestNumber is more than any amount needs: what is longer is no number, and not worth reading.
const longestNumber = 64

// scaled reads a decimal number and gives it times ten to the scale, exactly. It works on the
// digits, never on a float: 0.07 yuan is 7 fen. Digits beyond the scale must be zeros.
// Thousands commas, a leading sign and an exponent (JSON writes 1e3) are understood.
func scaled(s string, scale int) (int64, bool) {
	if len(s) > longestNumber {
		return 0, false
	}
	negative := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative, s = s[0] == '-', s[1:]
	}
	mantissa, shift, ok := exponent(s)
	if !ok {
		return 0, false
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole == "" && fraction == "" || !plainCommas(whole) {
		return 0, false
	}
	var n uint64
	point := scale + shift // digits after the point still wanted
	seen := false
	for i := range len(whole) {
		if whole[i] == ',' {
			continue
		}
		if n, ok = push(n, whole[i]); !ok {
			return 0, false
		}
		seen = true
	}
	for i := range len(fraction) {
		if point <= 0 {
			return scaledTail(n, fraction[i:], point, negative)
		}
		if n, ok = push(n, fraction[i]); !ok {
			return 0, false
		}
		seen = true
		point--
	}
	if !seen {
		return 0, false
	}
	return scaledTail(n, "", point, negative)
}

// scaledTail moves the point the rest of the way: zeros are added while places are wanted, and
// what lies beyond the last place must be zero.
func scaledTail(n uint64, rest string, point int, negative bool) (int64, bool) {
	for i := range len(rest) {
		if rest[i] != '0' {
			return 0, false
		}
	}
	for ; point > 0 && n != 0; point-- {
		var ok bool
		if n, ok = push(n, '0'); !ok {
			return 0, false
		}
	}
	for ; point < 0 && n != 0; point++ {
		if n%10 != 0 {
			return 0, false
		}
		n /= 10
	}
	if n > math.MaxInt64 {
		return 0, false
	}
	if negative {
		return -int64(n), true
	}
	return int64(n), true
}

// push adds one digit at the right end.
func push(n uint64, c byte) (uint64, bool) {
	if c < '0' || c > '9' || n > (math.MaxInt64-9)/10 {
		return 0, false
	}
	return n*10 + uint64(c-'0'), true
}

// exponent splits 1.5e3 into 1.5 and 3. An exponent of more than two digits is refused, so that
// nobody can make us write a million zeros.
func exponent(s string) (mantissa string, shift int, ok bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, 0, true
	}
	digits := strings.TrimLeft(s[i+1:], "+-")
	if i == 0 || digits == "" || len(digits) > 2 || len(s)-i-1-len(digits) > 1 {
		return "", 0, false
	}
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return "", 0, false
		}
		shift = shift*10 + int(c-'0')
	}
	if s[i+1] == '-' {
		shift = -shift
	}
	return s[:i], shift, true
}

// plainCommas accepts no commas, or commas before each three digits from the right: 1,234,567.
func plainCommas(whole string) bool {
	if !strings.Contains(whole, ",") {
		return true
	}
	groups := strings.Split(whole, ",")
	for i, g := range groups {
		if i > 0 && len(g) != 3 || i == 0 && (g == "" || len(g) > 3) {
			return false
		}
	}
	return true
}

// Scales of the field types that hold numbers: places kept after the point of the unit received.
const (
	wanToFen     = 6 // 1 wan = 10,000 yuan = 1,000,000 fen
	yuanToFen    = 2
	decimalScale = 6
)

// money reads an amount in the field's unit and gives fen. A unit written into the value wins over
// the field's own, because departments write 820(万元) into a column of yuan.
func money(s string, scale int) (int64, bool) {
	if plainNumber(s) {
		return scaled(s, scale)
	}
	s = squeeze(s)
	s = strings.NewReplacer("(", "", ")", "", "¥", "", "人民币", "").Replace(s)
	for _, unit := range []struct {
		word  string
		scale int
	}{{"亿元", 10}, {"亿", 10}, {"万元", wanToFen}, {"万", wanToFen}, {"元", yuanToFen}} {
		if number, found := strings.CutSuffix(s, unit.word); found {
			return scaled(number, unit.scale)
		}
	}
	return scaled(s, scale)
}

// number reads a number that has no unit.
func number(s string, scale int) (int64, bool) {
	if !plainNumber(s) {
		s = squeeze(s)
	}
	return scaled(s, scale)
}

func plainNumber(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// squeeze gives the half-width form without blanks.
func squeeze(s string) string {
	return strings.Join(strings.Fields(norm.NFKC.String(s)), "")
}
