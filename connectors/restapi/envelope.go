package restapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bytedance/sonic"
	"github.com/bytedance/sonic/ast"

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

// check judges an answer that came with a good status: it must be one whole JSON document, and its
// code one of success. A code that is not known is a failure, kept as received.
func (e envelope) check(op string, body []byte) error {
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	switch {
	case len(trimmed) == 0:
		return &fault.Error{Op: op, Code: fault.Invalid, Hint: "the platform answered with nothing", Err: errNoJSON}
	case trimmed[0] == '<':
		return &fault.Error{Op: op, Code: fault.Invalid, Hint: "the platform answered with a page, perhaps its login; check address and permission", Err: errNoJSON}
	case !utf8.Valid(trimmed) || !sonic.Valid(trimmed):
		return &fault.Error{Op: op, Code: fault.Invalid, Hint: "the platform's JSON is broken or cut; ask for smaller pages", Err: errNoJSON}
	case e.code == "" || trimmed[0] != '{':
		return nil
	}
	code, err := member(trimmed, e.code)
	if err != nil {
		return fault.Newf(fault.Invalid, op, "the answer holds no member %s", e.code)
	}
	if slices.Contains(e.ok, code) {
		return nil
	}
	message := ""
	if e.message != "" {
		message, _ = member(trimmed, e.message)
	}
	refusal := &Refusal{Code: code, Message: message}
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

// steps cuts a dotted path for sonic.
func steps(path string) []any {
	names := strings.Split(path, ".")
	parts := make([]any, len(names))
	for i, name := range names {
		parts[i] = name
	}
	return parts
}

// member gives a scalar of a JSON document as text; null is empty.
func member(body []byte, path string) (string, error) {
	node, err := sonic.Get(body, steps(path)...)
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
