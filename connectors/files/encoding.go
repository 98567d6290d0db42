package files

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// The encodings that departments send. GB18030 takes in GBK and GB2312.
const (
	utf8Name = "utf-8"
	gbName   = "gb18030"
)

// decoder turns the bytes of a field into UTF-8, and says whether the encoding has them all. What is
// UTF-8 already is given back as it lies.
type decoder func([]byte) ([]byte, bool)

func decoderOf(encoding string) decoder {
	if encoding != gbName {
		return func(b []byte) ([]byte, bool) { return b, utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }
	}
	gb := simplifiedchinese.GB18030.NewDecoder()
	// The decoder writes U+FFFD for bytes it does not know. The character itself is 84 31 A4 37 in GB18030.
	genuine := []byte{0x84, 0x31, 0xa4, 0x37}
	return func(b []byte) ([]byte, bool) {
		if ascii(b) {
			return b, bytes.IndexByte(b, 0) < 0
		}
		text, err := gb.Bytes(b)
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			return nil, false
		}
		return text, bytes.Count(text, []byte("\uFFFD")) == bytes.Count(b, genuine)
	}
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// decodedReader gives a whole file as UTF-8, for JSON, whose brackets may be parts of GB18030 characters.
func decodedReader(in io.Reader, encoding string) io.Reader {
	if encoding != gbName {
		return in
	}
	return transform.NewReader(in, simplifiedchinese.GB18030.NewDecoder())
}

// sniffer watches a file go by and tells UTF-8 from GB18030. Chinese text in GB18030 is hardly ever
// UTF-8; a file of UTF-8 with a few broken bytes still is mostly UTF-8, and its broken rows are to be
// found, not turned into other characters.
type sniffer struct {
	begin       []byte // of the file
	carry       []byte
	good, bad   int64
	utf16, seen bool
}

// Write never fails.
func (s *sniffer) Write(p []byte) (int, error) {
	n := len(p)
	s.begin = append(s.begin, p[:min(n, magicBytes-len(s.begin))]...)
	if !s.seen && n >= 2 {
		s.seen = true
		s.utf16 = p[0] == 0xff && p[1] == 0xfe || p[0] == 0xfe && p[1] == 0xff
	}
	if len(s.carry) > 0 {
		p = append(s.carry, p...)
		s.carry = nil
	}
	whole := len(p) // up to the last character that may go on in the next part
	for back := 1; back < utf8.UTFMax && back <= len(p); back++ {
		if utf8.RuneStart(p[len(p)-back]) {
			if !utf8.FullRune(p[len(p)-back:]) {
				whole = len(p) - back
			}
			break
		}
	}
	if utf8.Valid(p[:whole]) { // most parts of most files
		s.good += leads(p[:whole])
		s.carry = bytes.Clone(p[whole:])
		return n, nil
	}
	for i := 0; i < len(p); {
		if p[i] < utf8.RuneSelf {
			i++
			continue
		}
		if !utf8.FullRune(p[i:]) {
			s.carry = bytes.Clone(p[i:])
			break
		}
		r, size := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && size == 1 {
			s.bad++
		} else {
			s.good++
		}
		i += size
	}
	return n, nil
}

// leads counts the characters beyond ASCII in a text that is UTF-8: bytes whose two highest bits are
// set, eight at a step.
func leads(p []byte) (n int64) {
	for ; len(p) >= 8; p = p[8:] {
		x := binary.LittleEndian.Uint64(p)
		n += int64(bits.OnesCount64(x & (x << 1) & 0x8080808080808080))
	}
	for _, c := range p {
		if c >= 0xc0 {
			n++
		}
	}
	return n
}

// encoding is the verdict once the whole file went by.
func (s *sniffer) encoding() string {
	if s.good > s.bad+int64(len(s.carry)) || s.bad+int64(len(s.carry)) == 0 {
		return utf8Name
	}
	return gbName
}
