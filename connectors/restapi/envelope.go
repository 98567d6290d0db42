package restapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bytedance/sonic"
	"github.com/bytedance/sonic/ast"

	"xinshu/connectors/jsonrows"
	"xinshu/internal/fault"
)

// envelope says where a platform puts its result code and message.
type envelope struct {
	code, message string
	ok, auth      []string
}

var (
	errNoMember = errors.New("no such member")
	errNoJSON   = errors.New("the answer is no JSON")
)

// whole judges an answer that came with a good status: it must be one whole JSON document. An answer
// in a file is walked once, row by row, and its members beside the rows are kept.
func (e envelope) whole(req request, c *content) error {
	head := make([]byte, 64)
	n, _ := io.ReadFull(c.reader(), head)
	head = bytes.TrimSpace(bytes.TrimPrefix(head[:n], []byte("\xef\xbb\xbf")))
	refuse := func(hint string, err error) error {
		return &fault.Error{Op: req.op, Code: fault.Invalid, Hint: hint, Err: err}
	}
	const broken = "the platform's JSON is broken or cut; ask for smaller pages"
	switch {
	case len(head) == 0 && (c.file == nil && len(bytes.TrimSpace(c.mem)) == 0):
		return refuse("the platform answered with nothing", errNoJSON)
	case len(head) > 0 && head[0] == '<':
		return refuse("the platform answered with a page, perhaps its login; check address and permission", errNoJSON)
	case c.file == nil:
		text := bytes.TrimSpace(bytes.TrimPrefix(c.mem, []byte("\xef\xbb\xbf")))
		if !utf8.Valid(text) || !sonic.Valid(text) {
			return refuse(broken, errNoJSON)
		}
		return nil
	}
	scan := jsonrows.NewScanner(c.reader(), req.rows)
	scan.Keep(slices.Concat(req.keep, []string{e.code, e.message})...)
	for {
		row, line, err := scan.Next()
		if errors.Is(err, io.EOF) {
			c.kept = scan.Kept()
			return nil
		}
		if errors.Is(err, jsonrows.ErrNoRows) {
			return refuse("check rows_path "+req.rows, err)
		}
		if err != nil {
			return refuse(broken, fmt.Errorf("%w: %w", errNoJSON, err))
		}
		if !utf8.Valid(row) || !sonic.Valid(row) {
			return refuse(broken, fmt.Errorf("%w: the row on line %d is broken", errNoJSON, line))
		}
	}
}

// check looks at the result code: one that is not known is a failure, kept as received.
func (e envelope) check(op string, c *content) error {
	if e.code == "" || c.isArray() {
		return nil
	}
	code, err := c.member(e.code)
	if err != nil {
		return fault.Newf(fault.Invalid, op, "the answer holds no member %s", e.code)
	}
	if slices.Contains(e.ok, code) {
		return nil
	}
	refusal := &Refusal{Code: code, Message: c.text(e.message)}
	if slices.Contains(e.auth, code) {
		return &fault.Error{Op: op, Code: fault.Unauthorized, Hint: "check id, secret and service id", Err: refusal}
	}
	return &fault.Error{Op: op, Code: fault.Invalid, Err: refusal}
}

// Refusal is a platform's own answer that a call failed, verbatim.
type Refusal struct{ Code, Message string }

func (r *Refusal) Error() string {
	return fmt.Sprintf("the platform answered code %.40q: %.200q", r.Code, r.Message)
}

// isArray says that the answer is an array of rows, which has no members.
func (c *content) isArray() bool {
	head := make([]byte, 64)
	n, _ := io.ReadFull(c.reader(), head)
	head = bytes.TrimSpace(bytes.TrimPrefix(head[:n], []byte("\xef\xbb\xbf")))
	return len(head) > 0 && head[0] == '['
}

// text gives a scalar member as text, empty when there is none.
func (c *content) text(path string) string {
	if path == "" {
		return ""
	}
	text, _ := c.member(path)
	return text
}

// isNull says that a member stands there and is null.
func (c *content) isNull(path string) bool {
	if c.file != nil {
		return c.kept[path] == "null"
	}
	node, err := sonic.Get(c.mem, steps(path)...)
	return err == nil && node.TypeSafe() == ast.V_NULL
}

// member gives a scalar of the document as text; null is empty.
func (c *content) member(path string) (string, error) {
	var node ast.Node
	var err error
	if c.file != nil {
		raw, ok := c.kept[path]
		if !ok {
			return "", errNoMember
		}
		node, err = sonic.Get([]byte(raw))
	} else {
		node, err = sonic.Get(c.mem, steps(path)...)
	}
	if err != nil || !node.Exists() {
		return "", errNoMember
	}
	switch node.TypeSafe() {
	case ast.V_NULL:
		return "", nil
	case ast.V_STRING:
		return node.StrictString()
	case ast.V_NUMBER, ast.V_TRUE, ast.V_FALSE:
		return node.Raw()
	default:
		return "", errNoMember
	}
}

// steps cuts a dotted path for sonic.
func steps(path string) []any {
	names := strings.Split(path, ".")
	parts := make([]any, len(names))
	for i, name := range names {
		parts[i] = name
	}
	return parts
}

// document decodes a member into v.
func document(body []byte, path string, v any) error {
	if path == "" {
		return json.Unmarshal(body, v)
	}
	node, err := sonic.Get(body, steps(path)...)
	if err != nil || !node.Exists() {
		return errNoMember
	}
	raw, err := node.Raw()
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(raw), v)
}
