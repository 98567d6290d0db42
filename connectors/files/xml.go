package files

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"xinshu/connectors/jsonrows"
)

// Bounds of an XML document. A row is bounded like a row of JSON.
const (
	xmlDepth   = 64
	xmlColumns = 4096 // names of columns in one document
)

// xmlWalk walks through an XML document and stops at its rows.
//
// Where the rows are: a path such as /packet/rows/row is the way from the root to each row. A single name
// (as it stands: rows) is the element whose children are the rows, wherever it is. A packet (root
// "packet") has them in its body, or in the container of that name inside the body.
//
// Names are local names; namespaces are not looked at. What a row gives is told in xml_row.go.
type xmlWalk struct {
	dec  *xml.Decoder
	fuel *fuel

	suspect bool // read as UTF-8 though it does not look like it

	path      []string // from the root to a row; nil: by container
	container string
	inside    int // depth of the container that was entered, 0: none
	packet    bool

	stack    []string
	started  bool
	found    bool // rows, or the element that would hold them
	rows     int64
	declared string         // header/count below the root
	counts   map[string]int // how often each path was met, for whoever has to find the rows

	columns map[string]bool
	row     xmlRowOf
}

func newXMLWalk(in io.Reader, jb job, encoding string) (*xmlWalk, error) {
	w := &xmlWalk{fuel: &fuel{in: in}, container: jb.rowsPath, columns: map[string]bool{}, counts: map[string]int{}}
	if strings.Contains(jb.rowsPath, "/") {
		for name := range strings.SplitSeq(strings.Trim(jb.rowsPath, "/"), "/") {
			w.path = append(w.path, name[strings.LastIndexByte(name, ':')+1:])
		}
	}
	var err error
	w.dec, w.suspect, err = xmlDecoder(w.fuel, jb, encoding)
	return w, err
}

// token gives the next token, and refuses what no data file needs.
func (w *xmlWalk) token() (xml.Token, error) {
	w.fuel.used = 0
	t, err := w.dec.Token()
	if err != nil {
		return nil, w.refused(err)
	}
	switch t := t.(type) {
	case xml.Directive:
		return nil, w.refuse(xmlDTD, "a document type declaration; write the file without one")
	case xml.StartElement:
		if len(w.stack) == 0 && w.started {
			return nil, w.refuse(xmlSyntax, "a second root element <"+t.Name.Local+">")
		}
		w.started = true
		if w.stack = append(w.stack, t.Name.Local); len(w.stack) > xmlDepth {
			return nil, w.refuse(xmlLimit, fmt.Sprintf("elements nested deeper than %d", xmlDepth))
		}
	case xml.EndElement:
		w.stack = w.stack[:len(w.stack)-1]
	}
	return t, nil
}

func (w *xmlWalk) line() int64 {
	line, _ := w.dec.InputPos()
	return int64(line)
}

func (w *xmlWalk) refuse(reason, what string) error { return &refusal{reason, w.line(), what} }

func (w *xmlWalk) refused(err error) error {
	syntax, broken := errors.AsType[*xml.SyntaxError](err)
	refused, known := errors.AsType[*refusal](err)
	switch {
	case errors.Is(err, io.EOF):
		return err
	case errors.Is(err, errFuel):
		return w.refuse(xmlLimit, "one text, tag or comment is longer than 8 MB")
	case known:
		return w.refuse(refused.reason, refused.what)
	case broken && (w.suspect || strings.Contains(syntax.Msg, "UTF-8")):
		return &refusal{xmlEncoding, int64(syntax.Line), "bytes that the encoding the file declares does not have; set encoding to what the file is written in"}
	case broken:
		return &refusal{xmlSyntax, int64(syntax.Line), syntax.Msg}
	case strings.HasPrefix(err.Error(), "xml: "): // encoding/xml has no type for its other findings
		return w.refuse(xmlSyntax, strings.TrimPrefix(err.Error(), "xml: "))
	}
	return err
}

// walk calls row for each row of the document.
func (w *xmlWalk) walk(row func(r *xmlRowOf) error) error {
	for {
		t, err := w.token()
		if errors.Is(err, io.EOF) {
			return w.end()
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if !w.isRow() {
				w.enter()
				continue
			}
			w.found = true
			w.rows++
			if err := w.read(t); err != nil {
				return err
			}
			if err := row(&w.row); err != nil {
				return err
			}
		case xml.EndElement:
			if len(w.stack) < w.inside {
				w.inside = 0
			}
		case xml.CharData:
			if w.packet && len(w.stack) == 3 && w.stack[1] == "header" && w.stack[2] == "count" {
				w.declared += string(t)
			}
		}
	}
}

// isRow says whether the element just begun is a row.
func (w *xmlWalk) isRow() bool {
	if w.path == nil {
		return w.inside > 0 && len(w.stack) == w.inside+1 && !w.deeper()
	}
	if len(w.stack) != len(w.path) {
		return false
	}
	for i, name := range w.path {
		if w.stack[i] != name {
			return false
		}
	}
	return true
}

// deeper says that a packet's body has the container inside it.
func (w *xmlWalk) deeper() bool {
	return w.packet && w.inside == 2 && w.stack[1] == "body" && w.stack[2] == w.container
}

// enter looks at an element that is no row: is it what the rows are in?
func (w *xmlWalk) enter() {
	depth := len(w.stack)
	name := w.stack[depth-1]
	if depth == 1 && name == "packet" {
		w.packet = true
	}
	switch {
	case w.path != nil:
		w.found = w.found || depth == len(w.path)-1 && strings.Join(w.stack, "/") == strings.Join(w.path[:depth], "/")
	case w.inside == 0 && (name == w.container || w.packet && depth == 2 && name == "body"), w.deeper():
		w.inside, w.found = depth, true
	}
	if depth <= 4 {
		if path := "/" + strings.Join(w.stack, "/"); w.counts[path] > 0 || len(w.counts) < 200 {
			w.counts[path]++
		}
	}
}

// end judges a document that was read to its end.
func (w *xmlWalk) end() error {
	if !w.started {
		return w.refuse(xmlSyntax, "the document has no element")
	}
	if !w.found {
		return w.refuse(xmlNoRows, w.missing())
	}
	if w.declared != "" {
		if n, err := strconv.ParseInt(strings.TrimSpace(w.declared), 10, 64); err != nil || n != w.rows {
			return w.refuse(xmlCount, fmt.Sprintf("the header counts %.40q rows, the body has %d", strings.TrimSpace(w.declared), w.rows))
		}
	}
	return nil
}

// missing tells whoever sets rows_path what the document has.
func (w *xmlWalk) missing() string {
	what := "no element " + w.container
	if w.path != nil {
		what = "no element /" + strings.Join(w.path, "/")
	}
	most, path := 1, ""
	for p, n := range w.counts {
		if n > most || n == most && path != "" && p < path {
			most, path = n, p
		}
	}
	if path == "" {
		return what + "; set rows_path"
	}
	return fmt.Sprintf("%s; %s stands %d times: set rows_path to it if these are the rows", what, path, most)
}

// xmlWhole walks through a document before its rows count: a cut one has none.
func xmlWhole(in io.Reader, jb job, encoding string) error {
	w, err := newXMLWalk(in, jb, encoding)
	if err != nil {
		return err
	}
	return w.walk(func(*xmlRowOf) error { return nil })
}

func xmlRows(in io.Reader, jb job, encoding string, out *sheet) error {
	w, err := newXMLWalk(in, jb, encoding)
	if err != nil {
		return err
	}
	return w.walk(func(r *xmlRowOf) error {
		due, err := out.due()
		if err != nil || !due {
			return err
		}
		if r.reject.Reason != "" {
			r.reject.Value = jsonrows.Excerpt([]byte(r.reject.Value))
			out.reject(r.reject)
			return nil
		}
		for i, name := range r.names {
			out.batch.Set(out.batch.Column(name), r.values[i])
		}
		out.batch.EndRow(r.line)
		return nil
	})
}

var errFuel = errors.New("too much for one token")

// fuel bounds what is read for one token: the decoder keeps a token whole in memory.
type fuel struct {
	in   io.Reader
	used int
}

func (f *fuel) Read(p []byte) (int, error) {
	if f.used > jsonrows.MaxElement {
		return 0, errFuel
	}
	n, err := f.in.Read(p)
	f.used += n
	return n, err
}
