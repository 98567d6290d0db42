package jsonrows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/bytedance/sonic"
	"github.com/bytedance/sonic/ast"

	"xinshu/connectors"
)

// Reason codes of rows that could not be read.
const (
	NotObject = "JSON_NOT_OBJECT" // a row is a number, a text, an array
	Syntax    = "JSON_SYNTAX"     // a row is broken between its brackets
	Encoding  = "ENCODING"        // a row holds bytes that are no UTF-8
	Columns   = "JSON_COLUMNS"    // a row names more columns than any dataset has
)

// maxColumns bounds what one source can make of a page's memory.
const maxColumns = 2_000

// maxDepth bounds nesting, so that a hostile row cannot exhaust the stack.
const maxDepth = 100

// Row adds an object to the batch, or says why it is none. Members keep the order they came in.
func Row(b *connectors.Batch, row []byte, line int64) *connectors.Reject {
	reject := func(reason string) *connectors.Reject {
		b.DropRow()
		return &connectors.Reject{Line: line, Reason: reason, Value: Excerpt(row)}
	}
	if !utf8.Valid(row) {
		return reject(Encoding)
	}
	if flat(b, row, line) {
		return nil
	}
	if !plausible(row) || !sonic.Valid(row) {
		return reject(Syntax)
	}
	if trimmed := bytes.TrimLeft(row, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return reject(NotObject)
	}
	v := &visitor{batch: b}
	if err := ast.Preorder(string(row), v, &ast.VisitorOptions{OnlyNumber: true}); err != nil {
		if errors.Is(err, errColumns) {
			return reject(Columns)
		}
		return reject(Syntax)
	}
	b.EndRow(line)
	return nil
}

// Excerpt is what a reject shows of a row: at most 500 characters.
func Excerpt(row []byte) string {
	s := string(bytes.ToValidUTF8(row, []byte("\uFFFD")))
	n := 0
	for i := range s {
		if n++; n > 500 {
			return s[:i]
		}
	}
	return s
}

// plausible refuses what sonic would let pass or choke on: control characters inside strings, and
// brackets that nest deeper than maxDepth.
func plausible(row []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(row); i++ {
		switch c := row[i]; {
		case quoted && c == '\\':
			i++
		case quoted && c < ' ':
			return false
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}

var errColumns = fmt.Errorf("more than %d columns", maxColumns)

// visitor hears one object member by member. Depth 1 is the row itself; what lies deeper is written
// out again as JSON.
type visitor struct {
	batch  *connectors.Batch
	depth  int
	column int
	names  int
	nested bytes.Buffer
	comma  bool
}

func (v *visitor) value(text string, quoted bool) error {
	if v.depth == 1 {
		v.batch.Set(v.column, text)
		return nil
	}
	v.separate()
	if !quoted {
		v.nested.WriteString(text)
		return nil
	}
	enc := json.NewEncoder(&v.nested)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return err
	}
	v.nested.Truncate(v.nested.Len() - 1) // the encoder's newline
	return nil
}

func (v *visitor) separate() {
	if v.comma {
		v.nested.WriteByte(',')
	}
	v.comma = true
}

func (v *visitor) begin(bracket byte) {
	if v.depth > 0 {
		if v.depth == 1 {
			v.nested.Reset()
		} else {
			v.separate()
		}
		v.nested.WriteByte(bracket)
		v.comma = false
	}
	v.depth++
}

func (v *visitor) end(bracket byte) {
	v.depth--
	if v.depth == 0 {
		return
	}
	v.nested.WriteByte(bracket)
	v.comma = true
	if v.depth == 1 {
		v.batch.Set(v.column, v.nested.String())
	}
}

// OnNull leaves a member of the row null.
func (v *visitor) OnNull() error {
	if v.depth == 1 {
		v.batch.Clear(v.column)
		return nil
	}
	return v.value("null", false)
}

// OnBool takes true or false.
func (v *visitor) OnBool(b bool) error {
	if b {
		return v.value("true", false)
	}
	return v.value("false", false)
}

// OnString takes a text.
func (v *visitor) OnString(s string) error { return v.value(s, true) }

// OnInt64 takes a number's digits as sent.
func (v *visitor) OnInt64(_ int64, n json.Number) error { return v.value(n.String(), false) }

// OnFloat64 takes a number's digits as sent.
func (v *visitor) OnFloat64(_ float64, n json.Number) error { return v.value(n.String(), false) }

// OnObjectBegin enters the row or an object inside it.
func (v *visitor) OnObjectBegin(int) error { v.begin('{'); return nil }

// OnObjectKey names the member that follows.
func (v *visitor) OnObjectKey(key string) error {
	if v.depth > 1 {
		if err := v.value(key, true); err != nil {
			return err
		}
		v.nested.WriteByte(':')
		v.comma = false
		return nil
	}
	if v.names++; v.names > maxColumns {
		return errColumns
	}
	v.column = v.batch.Column(key)
	if v.column >= maxColumns {
		return errColumns
	}
	return nil
}

// OnObjectEnd leaves it.
func (v *visitor) OnObjectEnd() error { v.end('}'); return nil }

// OnArrayBegin enters an array inside the row.
func (v *visitor) OnArrayBegin(int) error { v.begin('['); return nil }

// OnArrayEnd leaves it.
func (v *visitor) OnArrayEnd() error { v.end(']'); return nil }
