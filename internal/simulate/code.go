package simulate

// codeAlphabet of GB 32100-2015; a character's place is its value.
const codeAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// makeCode builds a valid code that belongs to nobody: two characters of category, six digits of
// division, and the nth serial of the series that each registrar uses since 2015 (MA, MB, MJ). The
// letters keep a code from looking like a resident id.
func makeCode(category, division string, n int) string {
	code := make([]byte, 0, 18)
	code = append(code, category...)
	code = append(code, division...)
	code = append(code, seriesOf(category)...)
	const places = 31 * 31 * 31 * 31 * 31 * 31
	serial := (uint64(n)*402653189 + 7919) % places // the prime does not divide 31^6, so no two n meet
	var digits [6]byte
	for i := 5; i >= 0; i-- {
		digits[i] = codeAlphabet[serial%31]
		serial /= 31
	}
	code = append(code, digits[:]...)
	code = append(code, orgCheck(code[8:16]))
	return string(append(code, codeCheck(code)))
}

func seriesOf(category string) string {
	switch category[0] {
	case '1', '3':
		return "MB"
	case '5':
		return "MJ"
	}
	return "MA"
}

// orgCheck is the check character of GB 11714 over eight characters.
func orgCheck(body []byte) byte {
	weights := [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		v := int(body[i] - '0')
		if body[i] >= 'A' {
			v = int(body[i]-'A') + 10
		}
		sum += v * w
	}
	return "0X987654321"[sum%11]
}

// codeCheck is the check character of GB 32100 over seventeen characters.
func codeCheck(code []byte) byte {
	sum, weight := 0, 1
	for _, c := range code {
		for v := range len(codeAlphabet) {
			if codeAlphabet[v] == c {
				sum += v * weight
			}
		}
		weight = weight * 3 % 31
	}
	return codeAlphabet[(31-sum%31)%31]
}

// residentID builds a number shaped like a resident id, check character included, for a birthday; it
// stands where people wrongly type one.
func residentID(division string, birth string, serial int) string {
	id := []byte(division + birth + string([]byte{byte('0' + serial/100%10), byte('0' + serial/10%10), byte('0' + serial%10)}))
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(id[i]-'0') * w
	}
	return string(append(id, "10X98765432"[sum%11]))
}

// regNo builds a business registration number of 15 digits (GS 15-2006, ISO 7064 MOD 11,10). The third
// digit of its serial is a 9, so that its middle never reads as a month of birth.
func regNo(division string, n int) string {
	digits := append([]byte(division), byte('0'+n/1_000_000%4), byte('0'+n/100_000%10), '9')
	for place := 10_000; place > 0; place /= 10 {
		digits = append(digits, byte('0'+n/place%10))
	}
	p := 10
	for _, d := range digits {
		if p = (p + int(d-'0')) % 10; p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return string(append(digits, byte('0'+(11-p)%10)))
}
