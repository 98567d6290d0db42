package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
)

// Reason codes of records that could not be read.
const (
	csvQuote    = "CSV_QUOTE"  // a quote is not closed, or text follows the closing one
	csvFields   = "CSV_FIELDS" // more or fewer fields than the header has
	csvLong     = "CSV_LONG"   // a record longer than maxRecord
	encodingBad = "ENCODING"   // bytes that the file's encoding does not have, or NUL
)

// maxRecord is the longest CSV record, in bytes. A quote that is never closed is found out after so many.
const maxRecord = 1 << 20

// splitter cuts CSV into records and fields by their bytes, before any decoding: in UTF-8 and in
// GB18030 no byte of a longer character looks like a quote, a delimiter or a line end. Lines are
// counted as an editor counts them, those inside quotes included. After a broken record it goes on
// with the next line of the file, so that one stray quote costs one row.
type splitter struct {
	in        io.Reader
	delimiter byte
	data      []byte // what was read and not yet given away
	pos       int    // start of the record in data
	err       error  // of in
	line      int64  // of the record to come

	fields []span
	out    [][]byte
}

type span struct {
	from, to int // in data, from the start of the record
	escaped  bool
}

// record is what stands on one or more lines. Its bytes hold until the next call.
type record struct {
	line   int64
	fields [][]byte
	raw    []byte // the first line of a broken record
	reason string // empty for a good one
}

func newSplitter(in io.Reader, delimiter byte) *splitter {
	s := &splitter{in: in, delimiter: delimiter, line: 1}
	if s.fill(2) && bytes.HasPrefix(s.data, []byte("\xef\xbb\xbf")) {
		s.pos = 3
	}
	return s
}

// next gives the next record that is not an empty line, and io.EOF behind the last.
func (s *splitter) next() (record, error) {
	for {
		if !s.fill(0) {
			if errors.Is(s.err, io.EOF) {
				return record{}, io.EOF
			}
			return record{}, s.err
		}
		switch c := s.data[s.pos]; c {
		case '\r', '\n':
			s.endLine(0)
			continue
		}
		return s.split()
	}
}

// fill makes sure that data holds the byte at offset i of the record; false at the end or on an error.
func (s *splitter) fill(i int) bool {
	for s.pos+i >= len(s.data) {
		if s.err != nil {
			return false
		}
		if s.pos > 0 && s.pos >= cap(s.data)/2 {
			s.data = s.data[:copy(s.data, s.data[s.pos:])]
			s.pos = 0
		}
		if len(s.data) == cap(s.data) {
			grown := make([]byte, len(s.data), max(2*cap(s.data), 256<<10))
			copy(grown, s.data)
			s.data = grown
		}
		n, err := s.in.Read(s.data[len(s.data):cap(s.data)])
		s.data = s.data[:len(s.data)+n]
		s.err = err
	}
	return true
}

// endLine moves behind the line end at offset i.
func (s *splitter) endLine(i int) {
	if s.data[s.pos+i] == '\r' && s.fill(i+1) && s.data[s.pos+i+1] == '\n' {
		i++
	}
	s.pos += i + 1
	s.line++
}

func (s *splitter) split() (record, error) {
	s.fields = s.fields[:0]
	lines := int64(0) // line ends inside quotes
	for i := 0; ; i++ {
		f := span{from: i}
		quoted := s.fill(i) && s.data[s.pos+i] == '"'
		if quoted {
			var ok bool
			if f, i, ok = s.quoted(i, &lines); !ok {
				return s.broken(csvQuote)
			}
		} else {
			for s.fill(i) {
				rest := s.data[s.pos+i:]
				n := s.stop(rest)
				if i += n; i > maxRecord {
					return s.broken(csvLong)
				}
				if n < len(rest) {
					break
				}
			}
			f.to = i
		}
		s.fields = append(s.fields, f)
		if !s.fill(i) {
			if !errors.Is(s.err, io.EOF) {
				return record{}, s.err
			}
			return s.good(i, lines), nil
		}
		switch s.data[s.pos+i] {
		case s.delimiter:
		case '\n', '\r':
			return s.good(i, lines), nil
		default:
			return s.broken(csvQuote)
		}
	}
}

// stop gives the place of the first delimiter or line end, the length where there is none. It looks at
// eight bytes at a step: x has a byte b where x ^ bbbbbbbb has a zero byte, and of those the lowest bit
// found is the first.
func (s *splitter) stop(data []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	delimiter, lf, cr := ones*uint64(s.delimiter), uint64(ones*'\n'), uint64(ones*'\r')
	i := 0
	for ; i+8 <= len(data); i += 8 {
		x := binary.LittleEndian.Uint64(data[i:])
		a, b, c := x^delimiter, x^lf, x^cr
		if found := ((a-ones)&^a | (b-ones)&^b | (c-ones)&^c) & tops; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(data); i++ {
		if c := data[i]; c == s.delimiter || c == '\n' || c == '\r' {
			break
		}
	}
	return i
}

// quoted reads the field whose opening quote is at offset i, and gives the offset behind its closing one.
func (s *splitter) quoted(i int, lines *int64) (f span, end int, ok bool) {
	f.from = i + 1
	for i++; s.fill(i); i++ {
		switch s.data[s.pos+i] {
		case '"':
			if !s.fill(i+1) || s.data[s.pos+i+1] != '"' {
				f.to = i
				return f, i + 1, true
			}
			f.escaped = true
			i++
		case '\n':
			*lines++
		}
		if i > maxRecord {
			return f, i, false
		}
	}
	return f, i, false
}

// good gives the fields of the record that ends at offset i.
func (s *splitter) good(i int, lines int64) record {
	end := 0 // bytes of the line end; looked at first, because filling may move the data
	if s.fill(i) {
		end = 1
		if s.data[s.pos+i] == '\r' && s.fill(i+1) && s.data[s.pos+i+1] == '\n' {
			end = 2
		}
	}
	start := s.data[s.pos:]
	s.out = s.out[:0]
	for _, f := range s.fields {
		value := start[f.from:f.to]
		if f.escaped {
			value = bytes.ReplaceAll(value, []byte(`""`), []byte(`"`))
		}
		s.out = append(s.out, value)
	}
	r := record{line: s.line, fields: s.out, raw: start[:i]}
	s.line += lines + 1
	s.pos += i + end
	return r
}

// broken gives up the line that the record begins on, and goes on behind it.
func (s *splitter) broken(reason string) (record, error) {
	r := record{line: s.line, reason: reason}
	for i := 0; ; i++ {
		if !s.fill(i) {
			if !errors.Is(s.err, io.EOF) {
				return record{}, s.err
			}
			r.raw = append(r.raw, s.data[s.pos:]...)
			s.pos += i
			return r, nil
		}
		if c := s.data[s.pos+i]; c == '\n' || c == '\r' {
			r.raw = append(r.raw, s.data[s.pos:s.pos+i]...)
			s.endLine(i)
			return r, nil
		}
		if i > maxRecord { // keep the beginning only, and no more than that in memory
			r.raw = append(r.raw, s.data[s.pos:s.pos+maxExcerpt]...)
			s.pos += i
			i = -1
		}
	}
}

// maxExcerpt is how many bytes of a broken record are looked at to show what was there.
const maxExcerpt = 4 << 10
