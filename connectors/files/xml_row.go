package files

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode"

	"xinshu/connectors"
	"xinshu/connectors/jsonrows"
)

// xmlRowOf is one row of an XML document.
//
// Attributes and child elements are columns; those of a nested element have its name and a dot before
// theirs. <item name="X">v</item>, the form of packets, is the column X. What is empty, blank or
// xsi:nil is null; any other text is taken as it stands, blanks and all. An element that is there
// twice in a row leaves open which is meant: the row is a reject, XML_REPEATED.
type xmlRowOf struct {
	line   int64
	names  []string
	values []string
	reject connectors.Reject // with a reason when the row cannot be taken

	seen  map[string]bool
	bytes int
}

// schemaInstance is the namespace of xsi:nil.
const schemaInstance = "http://www.w3.org/2001/XMLSchema-instance"

// read reads the row whose element has just begun, up to its end.
func (w *xmlWalk) read(start xml.StartElement) error {
	r := &w.row
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	clear(r.seen)
	*r = xmlRowOf{line: w.line(), names: r.names[:0], values: r.values[:0], seen: r.seen}
	if err := w.fill(start.Name.Local, "", start); err != nil {
		if errors.Is(err, io.EOF) {
			return w.refuse(xmlSyntax, "the document ends too early")
		}
		return err
	}
	r.reject.Line = r.line
	return nil
}

// fill reads an element's attributes, children and text into columns. name is the column of its own
// text, prefix stands before the names of what is in it.
func (w *xmlWalk) fill(name, prefix string, start xml.StartElement) error {
	null := false
	for _, a := range start.Attr {
		switch {
		case a.Name.Space == "xmlns" || a.Name.Local == "xmlns":
		case a.Name.Space == schemaInstance:
			null = null || a.Name.Local == "nil" && (a.Value == "true" || a.Value == "1")
		default:
			if err := w.value(prefix+a.Name.Local, a.Value); err != nil {
				return err
			}
		}
	}
	var text strings.Builder
	children := false
	for {
		t, err := w.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			children = true
			child, attrs := prefix+t.Name.Local, t
			if column := itemName(t); column != "" {
				child, attrs.Attr = prefix+column, nil
			}
			if err := w.fill(child, child+".", attrs); err != nil {
				return err
			}
		case xml.CharData:
			if text.Len()+len(t) > jsonrows.MaxElement {
				return w.refuse(xmlLimit, "one row is longer than 8 MB")
			}
			text.Write(t)
		case xml.EndElement:
			value := text.String()
			if null {
				value = ""
			}
			if children { // text between elements: the line breaks around it are layout
				value = strings.TrimSpace(value)
			}
			return w.value(name, value)
		}
	}
}

// itemName is the column that <item name="X"> stands for.
func itemName(t xml.StartElement) string {
	if t.Name.Local != "item" || len(t.Attr) != 1 || t.Attr[0].Name.Local != "name" {
		return ""
	}
	return t.Attr[0].Value
}

// value gives the row a value, and the row its reason when it cannot be taken.
func (w *xmlWalk) value(name, value string) error {
	r := &w.row
	if r.bytes += len(value); r.bytes > jsonrows.MaxElement {
		return w.refuse(xmlLimit, "one row is longer than 8 MB")
	}
	if !w.columns[name] {
		if len(w.columns) >= xmlColumns {
			return w.refuse(xmlLimit, "more than 4096 names of columns")
		}
		w.columns[name] = true
	}
	switch {
	case r.reject.Reason != "":
		return nil
	case r.seen[name]:
		r.reject = connectors.Reject{Reason: xmlRepeated, Column: name, Value: value}
	case strings.ContainsRune(value, unicode.ReplacementChar):
		r.reject = connectors.Reject{Reason: encodingBad, Column: name, Value: value}
	}
	r.seen[name] = true
	if strings.TrimSpace(value) != "" {
		r.names, r.values = append(r.names, name), append(r.values, value)
	}
	return nil
}
