package files

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Reason codes of XML files that are refused whole, and of XML rows.
const (
	xmlSyntax   = "XML_SYNTAX"   // not well-formed, or cut
	xmlDTD      = "XML_DTD"      // a document type declaration: entities could make anything of the file
	xmlLimit    = "XML_LIMIT"    // too deep, too long, too many columns
	xmlEncoding = "XML_ENCODING" // an encoding that is not read here, or not the one declared
	xmlNoRows   = "XML_ROWS"     // nothing at rows_path
	xmlCount    = "XML_COUNT"    // the packet's header counts other than its body has
	xmlRepeated = "XML_REPEATED" // one column twice in a row
)

// xmlDecoder reads XML in the encoding it declares, unless the setting names one. A file that declares
// none is what it looks like: UTF-8 or GB18030.
func xmlDecoder(in io.Reader, jb job, looksLike string) (dec *xml.Decoder, suspect bool, err error) {
	buffered := bufio.NewReader(in)
	begin, err := buffered.Peek(4)
	if err != nil && len(begin) < 2 && err != io.EOF { // bufio gives the reader's own
		return nil, false, err
	}
	decoded := false // into UTF-8, whatever the declaration says
	in = buffered
	switch {
	case bytes.HasPrefix(begin, []byte("\xff\xfe")), bytes.HasPrefix(begin, []byte("\xfe\xff")):
		in, decoded = transform.NewReader(in, unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder()), true
	case bytes.HasPrefix(begin, []byte("<\x00")):
		in, decoded = transform.NewReader(in, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()), true
	case bytes.HasPrefix(begin, []byte("\x00<")):
		in, decoded = transform.NewReader(in, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()), true
	case jb.encoding == gbName:
		in, decoded = transform.NewReader(in, simplifiedchinese.GB18030.NewDecoder()), true
	case bytes.HasPrefix(begin, []byte("\xef\xbb\xbf")):
		_, _ = buffered.Discard(3)
		decoded = true
	case jb.encoding == utf8Name:
		decoded = true
	case looksLike == gbName && declaration(buffered) == "":
		in, decoded = transform.NewReader(in, simplifiedchinese.GB18030.NewDecoder()), true
	}
	dec = xml.NewDecoder(in)
	dec.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if decoded {
			return in, nil
		}
		switch strings.ToUpper(strings.NewReplacer("-", "", "_", "").Replace(label)) {
		case "UTF8", "USASCII", "ASCII":
			return in, nil
		case "GB18030", "GBK", "GB2312", "CP936", "HZGB2312":
			if looksLike == utf8Name {
				return &asciiOnly{in, label}, nil
			}
			return transform.NewReader(in, simplifiedchinese.GB18030.NewDecoder()), nil
		}
		return nil, &refusal{xmlEncoding, 0, "declares the encoding " + label + "; save the file as UTF-8, UTF-16 or GB18030"}
	}
	return dec, looksLike == gbName && !decoded && strings.HasPrefix(declaration(buffered), "UTF"), nil
}

// declaration is the encoding that the XML declaration names, in capitals.
func declaration(in *bufio.Reader) string {
	begin, _ := in.Peek(200)
	if !bytes.HasPrefix(begin, []byte("<?xml")) {
		return ""
	}
	begin, _, _ = bytes.Cut(begin, []byte("?>"))
	_, label, _ := bytes.Cut(begin, []byte("encoding"))
	return strings.ToUpper(strings.Trim(string(label), " =\"'\t\r\n"))
}

// asciiOnly reads a file that declares a Chinese encoding while its bytes are UTF-8. Decoded as
// declared, each Chinese text in it would become another one.
type asciiOnly struct {
	in    io.Reader
	label string
}

func (a *asciiOnly) Read(p []byte) (int, error) {
	n, err := a.in.Read(p)
	for _, c := range p[:n] {
		if c >= utf8.RuneSelf {
			return 0, &refusal{xmlEncoding, 0, "declares " + a.label + ", but its bytes are UTF-8; set encoding to utf-8 if that is right"}
		}
	}
	return n, err
}
