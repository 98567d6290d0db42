package dbtable

import (
	"encoding/binary"
)

// Signs of a numeric value that is no plain number.
const (
	numericNegative = 0x4000
	numericNaN      = 0xC000
	numericInfinity = 0xD000
	numericMinusInf = 0xF000
)

// pgNumeric writes a numeric exactly, with the digits behind the point that the server shows. It comes
// as groups of four digits, the power of 10,000 of the first, a sign, and the number of shown decimals.
func pgNumeric(dst, came []byte) ([]byte, error) {
	if len(came) < 8 {
		return dst, errLength
	}
	groups, weight := int(binary.BigEndian.Uint16(came)), int(int16(binary.BigEndian.Uint16(came[2:]))) // the sign is in the bits
	sign, scale := binary.BigEndian.Uint16(came[4:]), int(binary.BigEndian.Uint16(came[6:]))
	digits := came[8:]
	if len(digits) != 2*groups {
		return dst, errLength
	}
	switch sign {
	case numericNaN:
		return append(dst, "NaN"...), nil
	case numericInfinity:
		return append(dst, "Infinity"...), nil
	case numericMinusInf:
		return append(dst, "-Infinity"...), nil
	case numericNegative:
		dst = append(dst, '-')
	}
	group := func(i int) uint16 { // the i-th group of the written number; those not sent are zero
		if i < 0 || i >= groups {
			return 0
		}
		return binary.BigEndian.Uint16(digits[2*i:])
	}
	if weight < 0 {
		dst = append(dst, '0')
	}
	for i := range weight + 1 {
		dst = appendGroup(dst, group(i), i == 0)
	}
	if scale == 0 {
		return dst, nil
	}
	dst = append(dst, '.')
	begin := len(dst)
	for i := weight + 1; len(dst)-begin < scale; i++ {
		dst = appendGroup(dst, group(i), false)
	}
	return dst[:begin+scale], nil
}

// appendGroup writes four digits; the first group of a number without leading zeros.
func appendGroup(dst []byte, n uint16, first bool) []byte {
	for unit := uint16(1000); unit > 0; unit /= 10 {
		if first && n < unit && unit > 1 {
			continue
		}
		first = false
		dst = append(dst, byte('0'+n/unit%10))
	}
	return dst
}
