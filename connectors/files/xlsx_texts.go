package files

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"xinshu/connectors/jsonrows"
)

// textsInMemory is how much of a workbook's shared texts is kept in memory; the rest lies in a
// temporary file.
const textsInMemory = 32 << 20

// xlsxTexts are the texts that cells refer to by number.
type xlsxTexts struct {
	memory []byte
	file   *os.File
	ends   []int64 // of each text, counted from the first one's beginning
}

func (b *xlsxBook) readTexts(part string) (*xlsxTexts, error) {
	t := &xlsxTexts{}
	if b.parts[strings.ToLower(part)] == nil {
		return t, nil // a workbook of numbers
	}
	in, err := b.open(part)
	if err != nil {
		return t, err
	}
	defer func() { _ = in.Close() }()
	burn := &fuel{in: in}
	dec := xml.NewDecoder(burn)
	for {
		burn.used = 0
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return t, b.damaged(part, err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "si" {
			text, err := richText(dec, burn)
			if err != nil {
				return t, b.damaged(part, err)
			}
			if err := t.add(text); err != nil { // the disk, not the workbook
				return t, fmt.Errorf("keep the texts of a workbook: %w", err)
			}
		}
	}
}

// richText puts the runs of a text together, up to the end of the element just begun. How Chinese or
// Japanese is pronounced (rPh) is no part of the text.
func richText(dec *xml.Decoder, burn *fuel) (string, error) {
	var text strings.Builder
	depth, inText, aside := 1, 0, 0
	for depth > 0 {
		burn.used = 0
		token, err := dec.Token()
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			switch t.Name.Local {
			case "rPh":
				aside = depth
			case "t":
				inText = depth
			}
		case xml.EndElement:
			if aside == depth {
				aside = 0
			}
			if inText == depth {
				inText = 0
			}
			depth--
		case xml.CharData:
			if inText > 0 && aside == 0 {
				if text.Len()+len(t) > jsonrows.MaxElement {
					return "", errFuel
				}
				text.Write(t)
			}
		}
	}
	return unescape(text.String()), nil
}

var escaped = regexp.MustCompile(`(?:_x[0-9A-Fa-f]{4}_)+`)

// unescape turns _x000D_, which stands for a character that XML cannot hold, back into it.
func unescape(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	return escaped.ReplaceAllStringFunc(text, func(codes string) string {
		var units []uint16
		for i := 2; i < len(codes); i += 7 {
			unit, _ := strconv.ParseUint(codes[i:i+4], 16, 16) // the expression lets nothing else through
			units = append(units, uint16(unit))
		}
		return string(utf16.Decode(units))
	})
}

func (t *xlsxTexts) add(text string) error {
	end := int64(len(text))
	if n := len(t.ends); n > 0 {
		end += t.ends[n-1]
	}
	t.ends = append(t.ends, end)
	if t.file == nil && len(t.memory)+len(text) <= textsInMemory {
		t.memory = append(t.memory, text...)
		return nil
	}
	if t.file == nil {
		var err error
		if t.file, err = spool(strings.NewReader("")); err != nil {
			return err
		}
	}
	_, err := t.file.WriteString(text)
	return err
}

// text gives a text by its number.
func (t *xlsxTexts) text(i int) (string, bool, error) {
	if i < 0 || i >= len(t.ends) {
		return "", false, nil
	}
	from := int64(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	if t.ends[i] <= int64(len(t.memory)) {
		return string(t.memory[from:t.ends[i]]), true, nil
	}
	text := make([]byte, t.ends[i]-from)
	_, err := t.file.ReadAt(text, from-int64(len(t.memory)))
	return string(text), err == nil, err
}

func (t *xlsxTexts) close() {
	if t.file != nil {
		_ = t.file.Close()
	}
}
