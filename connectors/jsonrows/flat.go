package jsonrows

import (
	"encoding/binary"
	"math/bits"

	"xinshu/connectors"
)

// mostFlat is how many members a row may have to be read the short way.
const mostFlat = 64

// member is one name and value of a flat row, as places in its bytes.
type member struct {
	name, from, to int // the name ends before its closing quote, two places before the value at the least
	nameEnd        int
	null           bool
}

// flat reads a row that is one object of texts without escapes, numbers, true, false and null: nearly
// every row of nearly every platform. It says false of any other, broken ones included, and has then
// touched nothing: Row takes the long way. The bytes must be UTF-8.
func flat(b *connectors.Batch, row []byte, line int64) bool {
	var members [mostFlat]member
	n, i := 0, space(row, 0)
	if i == len(row) || row[i] != '{' {
		return false
	}
	for i = space(row, i+1); ; i = space(row, i+1) {
		if n == mostFlat || i == len(row) || row[i] != '"' {
			return false
		}
		m := &members[n]
		m.name = i + 1
		if m.nameEnd = closing(row, m.name); m.nameEnd < 0 {
			return false
		}
		if i = space(row, m.nameEnd+1); i == len(row) || row[i] != ':' {
			return false
		}
		if i = space(row, i+1); i == len(row) {
			return false
		}
		switch row[i] {
		case '"':
			m.from = i + 1
			if m.to = closing(row, m.from); m.to < 0 {
				return false
			}
			i = m.to + 1
		default:
			m.from = i
			if m.to = literal(row, i); m.to < 0 {
				return false
			}
			m.null = row[i] == 'n'
			i = m.to
		}
		n++
		if i = space(row, i); i == len(row) {
			return false
		}
		if row[i] == '}' {
			break
		}
		if row[i] != ',' {
			return false
		}
	}
	if space(row, i+1) != len(row) || b.Columns()+n > maxColumns {
		return false
	}
	for at, m := range members[:n] {
		name := row[m.name:m.nameEnd]
		column := at // rows of a source name their members in one order
		if at >= b.Columns() || b.Name(at) != string(name) {
			column = b.Column(string(name))
		}
		if m.null {
			b.Clear(column)
		} else {
			b.SetBytes(column, row[m.from:m.to:m.to])
		}
	}
	b.EndRow(line)
	return true
}

// space gives the place of the next byte that is no blank.
func space(row []byte, i int) int {
	for i < len(row) && (row[i] == ' ' || row[i] == '\t' || row[i] == '\r' || row[i] == '\n') {
		i++
	}
	return i
}

// closing gives the place of the quote that ends a text; negative for a text with an escape or a
// control character, and for one without end. It looks at eight bytes at a step, as the splitter of
// connectors/files does.
func closing(row []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(row); i += 8 {
		x := binary.LittleEndian.Uint64(row[i:])
		quote, escape := x^ones*'"', x^ones*'\\'
		if found := ((quote-ones)&^quote | (escape-ones)&^escape | (x-ones*' ')&^x) & tops; found != 0 {
			i += bits.TrailingZeros64(found) / 8
			if row[i] == '"' {
				return i
			}
			return -1
		}
	}
	for ; i < len(row); i++ {
		switch c := row[i]; {
		case c == '"':
			return i
		case c == '\\' || c < ' ':
			return -1
		}
	}
	return -1
}

// literal gives the end of a number, true, false or null; negative where there is none.
func literal(row []byte, i int) int {
	for _, word := range [...]string{"true", "false", "null"} {
		if row[i] == word[0] {
			if end := i + len(word); end <= len(row) && string(row[i:end]) == word {
				return end
			}
			return -1
		}
	}
	if row[i] == '-' {
		i++
	}
	digits := func() bool {
		from := i
		for i < len(row) && row[i] >= '0' && row[i] <= '9' {
			i++
		}
		return i > from
	}
	zero := i < len(row) && row[i] == '0'
	from := i
	if !digits() || zero && i > from+1 {
		return -1
	}
	if i < len(row) && row[i] == '.' {
		if i++; !digits() {
			return -1
		}
	}
	if i < len(row) && (row[i] == 'e' || row[i] == 'E') {
		if i++; i < len(row) && (row[i] == '-' || row[i] == '+') {
			i++
		}
		if !digits() {
			return -1
		}
	}
	return i
}
