//go:build acceptance

package acceptance

import (
	"fmt"
	"strings"
)

// A reading of GB 32100 of this test's own, so that what it expects does not come from the product.
const (
	usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	bodyAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" // GB 11714, the organisation code inside
)

// cleaned is a code as it is meant: without blanks and hyphens, in half-width capitals.
func cleaned(code string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '\u3000' || r == '-':
			return -1
		case r >= '！' && r <= '～':
			r -= '！' - '!'
		}
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}, code)
}

// soundCode says whether a code passes the check character of GB 32100.
func soundCode(code string) bool {
	code = cleaned(code)
	return len(code) == 18 && checkCharacter(code[:17]) == code[17]
}

func checkCharacter(first17 string) byte {
	sum, weight := 0, 1
	for i := range first17 {
		at := strings.IndexByte(usccAlphabet, first17[i])
		if at < 0 {
			return 0
		}
		sum += at * weight
		weight = weight * 3 % 31
	}
	return usccAlphabet[(31-sum%31)%31]
}

// makeCode makes a sound code: category, six digits of the division, eight of the organisation.
func makeCode(category, division string, n int) string {
	body := fmt.Sprintf("%08d", n)
	sum := 0
	for i, weight := range []int{3, 7, 9, 10, 5, 8, 4, 2} {
		sum += strings.IndexByte(bodyAlphabet, body[i]) * weight
	}
	check := "0123456789X0"[11-sum%11 : 12-sum%11]
	first := category + division + body + check
	return first + string(checkCharacter(first))
}
