package files

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// xlsxCellOf is a cell as the sheet holds it.
type xlsxCellOf struct {
	column  int    // from 0
	kind    string // s str inlineStr n b e d, empty for a number
	style   int
	formula bool
	there   bool // it has a value
	text    string
}

// xlsxMerge is a merged region; rows and columns from 0, both ends included.
type xlsxMerge struct{ row, column, lastRow, lastColumn int }

const xlsxMerges = 200_000

// walkSheet calls row for each row of a sheet that holds a cell, in order, and merge for each merged
// region, which the sheet lists behind its rows. Row numbers are Excel's, from 1. It reads the part to
// its end, so that its checksum is compared.
func (b *xlsxBook) walkSheet(part string, row func(n int, cells []xlsxCellOf) error, merge func(xlsxMerge) error) error {
	in, err := b.open(part)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	w := &xlsxWalk{burn: &fuel{in: in}, row: row, merge: merge}
	w.dec = xml.NewDecoder(w.burn)
	err = w.walk()
	if own, ok := errors.AsType[takerError](err); ok {
		return own.error
	}
	if err != nil {
		err = b.damaged(part, err)
		if refused, ok := errors.AsType[*refusal](err); ok && refused.line == 0 {
			refused.line = int64(w.at)
		}
	}
	return err
}

type xlsxWalk struct {
	dec   *xml.Decoder
	burn  *fuel
	row   func(n int, cells []xlsxCellOf) error
	merge func(xlsxMerge) error
	at    int // row
	next  int // column, where a cell does not say its own
	cells []xlsxCellOf
}

func (w *xlsxWalk) walk() error {
	rows := false
	for {
		w.burn.used = 0
		token, err := w.dec.Token()
		if errors.Is(err, io.EOF) {
			if !rows {
				return &refusal{xlsxBroken, 0, "a sheet without sheetData"}
			}
			return nil
		}
		if err != nil {
			return err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "sheetData":
			rows = true
		case "row":
			if err := w.readRow(start); err != nil {
				return err
			}
		case "mergeCell":
			if m, ok := mergeOf(attribute(start, "ref")); !ok {
				return &refusal{xlsxBroken, 0, "a merged region " + attribute(start, "ref")}
			} else if err := w.merge(m); err != nil {
				return err
			}
		}
	}
}

func attribute(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

func (w *xlsxWalk) readRow(start xml.StartElement) error {
	n := w.at + 1
	if r := attribute(start, "r"); r != "" {
		var err error
		if n, err = strconv.Atoi(r); err != nil || n <= w.at {
			return &refusal{xlsxBroken, 0, fmt.Sprintf("row %.20q behind row %d", r, w.at)}
		}
	}
	if w.at = n; n > xlsxRowsMax {
		return &refusal{xlsxLimit, 0, "a row beyond 1048576"}
	}
	w.cells, w.next = w.cells[:0], 0
	long := 0
	for {
		w.burn.used = 0
		token, err := w.dec.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local != "c" {
				if err := w.dec.Skip(); err != nil {
					return err
				}
				continue
			}
			c, err := w.readCell(t)
			if err != nil {
				return err
			}
			if long += len(c.text); long > maxPart {
				return errFuel
			}
			if c.there || c.formula {
				w.cells = append(w.cells, c)
			}
		case xml.EndElement:
			if len(w.cells) == 0 {
				return nil
			}
			if err := w.row(n, w.cells); err != nil {
				return takerError{err}
			}
			return nil
		}
	}
}

func (w *xlsxWalk) readCell(start xml.StartElement) (c xlsxCellOf, err error) {
	c.column = w.next
	for _, a := range start.Attr {
		switch a.Name.Local {
		case "r":
			column, _, ok := cellPlace(a.Value)
			if !ok || column < c.column {
				return c, &refusal{xlsxBroken, 0, fmt.Sprintf("a cell %.20q out of its place", a.Value)}
			}
			c.column = column
		case "t":
			c.kind = a.Value
		case "s":
			c.style, _ = strconv.Atoi(a.Value) // none is the first one
		}
	}
	if w.next = c.column + 1; c.column >= xlsxColumnsMax {
		return c, &refusal{xlsxLimit, 0, "a cell beyond column XFD"}
	}
	for {
		w.burn.used = 0
		token, err := w.dec.Token()
		if err != nil {
			return c, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "v":
				c.there = true
				if c.text, err = w.plain(); err == nil && c.kind == "str" {
					c.text = unescape(c.text)
				}
			case "is":
				c.there = true
				c.text, err = richText(w.dec, w.burn)
			case "f":
				c.formula = true
				err = w.dec.Skip()
			default:
				err = w.dec.Skip()
			}
			if err != nil {
				return c, err
			}
		case xml.EndElement:
			return c, nil
		}
	}
}

// plain reads the text of the element just begun.
func (w *xlsxWalk) plain() (string, error) {
	var text strings.Builder
	for {
		w.burn.used = 0
		token, err := w.dec.Token()
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.CharData:
			if text.Len()+len(t) > maxPart {
				return "", errFuel
			}
			text.Write(t)
		case xml.StartElement:
			if err := w.dec.Skip(); err != nil {
				return "", err
			}
		case xml.EndElement:
			return text.String(), nil
		}
	}
}

// cellPlace reads B12 as column 1, row 11.
func cellPlace(ref string) (column, row int, ok bool) {
	i := 0
	for i < len(ref) && i < 4 && ref[i] >= 'A' && ref[i] <= 'Z' {
		column = column*26 + int(ref[i]-'A') + 1
		i++
	}
	row, err := strconv.Atoi(ref[i:])
	return column - 1, row - 1, err == nil && i > 0 && row > 0
}

func mergeOf(ref string) (m xlsxMerge, ok bool) {
	first, last, two := strings.Cut(ref, ":")
	if !two {
		last = first
	}
	var a, z bool
	m.column, m.row, a = cellPlace(first)
	m.lastColumn, m.lastRow, z = cellPlace(last)
	return m, a && z && m.row <= m.lastRow && m.column <= m.lastColumn
}
