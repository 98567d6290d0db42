// Package jsonrows owns the reading of rows out of JSON: where the rows of a document lie, where one
// ends and the next begins, and how an object becomes a row of text. It refuses to guess: a number
// stays the digits that were sent, a nested value stays JSON. Answers come from connectors/restapi,
// files from connectors/files; rows go into a connectors.Batch.
package jsonrows

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxElement is the longest row that is read, in bytes.
const MaxElement = 8 << 20

// ErrNoRows says that a document holds no array at the path.
var ErrNoRows = errors.New("no array of rows at the path")

// SyntaxError says where a document stops being JSON.
type SyntaxError struct {
	Line int64
	What string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.What) }

// Scanner finds the rows of one document, one after the other, without holding the document.
// It follows brackets and strings only; Decoder.Row judges what is between them.
type Scanner struct {
	in     *bufio.Reader
	line   int64
	buf    []byte
	path   []string
	state  func() error // what to do before the next row; nil between rows
	closed bool         // the array of rows is over
	depth  int          // objects open around the array
	first  bool
	wanted map[string]bool   // members to keep, by path
	kept   map[string]string // those met
}

// NewScanner reads the rows at path ("data.rows"). A document that is an array holds its rows itself,
// whatever the path. Lines are counted from 1.
func NewScanner(in io.Reader, path string) *Scanner {
	s := &Scanner{in: bufio.NewReaderSize(in, 64<<10), line: 1}
	if path != "" {
		s.path = strings.Split(path, ".")
	}
	s.state = s.open
	return s
}

// Next gives the bytes of the next row and the line it begins on; they hold until the call after.
// At the end, once the rest of the document was found balanced, it gives io.EOF.
func (s *Scanner) Next() (row []byte, line int64, err error) {
	if s.state != nil {
		if err := s.state(); err != nil {
			return nil, s.line, err
		}
		s.state = nil
	}
	if s.closed {
		return nil, s.line, io.EOF
	}
	c, err := s.skipSpace()
	if err != nil {
		return nil, s.line, err
	}
	switch {
	case c == ']':
		s.closed = true
		return nil, s.line, s.finish()
	case s.first:
		s.first = false
	case c != ',':
		return nil, s.line, s.broken("a comma or ] is missing between rows")
	default:
		if c, err = s.skipSpace(); err != nil {
			return nil, s.line, err
		}
	}
	line = s.line
	s.buf = s.buf[:0]
	if err := s.value(c, true); err != nil {
		return nil, s.line, err
	}
	return s.buf, line, nil
}

// open walks to the array of rows.
func (s *Scanner) open() error {
	s.first = true
	if mark, err := s.in.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = s.in.Discard(3)
	}
	c, err := s.skipSpace()
	if err != nil {
		return err
	}
	if c == '[' {
		return nil
	}
	if c != '{' {
		return s.broken("neither an object nor an array")
	}
	for i, name := range s.path {
		if err := s.member(s.path[:i], name); err != nil {
			return err
		}
		if c, err = s.skipSpace(); err != nil {
			return err
		}
		s.depth++
		last := i == len(s.path)-1
		switch {
		case last && c == '[':
			return nil
		case last || c != '{':
			return ErrNoRows
		}
	}
	return ErrNoRows
}

// member skips an object's members until the named one, whose value comes next.
func (s *Scanner) member(above []string, name string) error {
	for first := true; ; first = false {
		c, err := s.skipSpace()
		if err != nil {
			return err
		}
		if c == '}' {
			return ErrNoRows
		}
		if !first {
			if c != ',' {
				return s.broken("a comma is missing between members")
			}
			if c, err = s.skipSpace(); err != nil {
				return err
			}
		}
		key, err := s.name(c)
		if err != nil || key == name {
			return err
		}
		if err := s.skipValue(above, key); err != nil {
			return err
		}
	}
}

// name reads a member's name, of which the first byte is read, and the colon behind it.
func (s *Scanner) name(first byte) (string, error) {
	if first != '"' {
		return "", s.broken("a member has no name")
	}
	s.buf = s.buf[:0]
	if err := s.text(true); err != nil {
		return "", err
	}
	name := string(s.buf[:len(s.buf)-1])
	c, err := s.skipSpace()
	if err == nil && c != ':' {
		err = s.broken("a colon is missing after a member's name")
	}
	return name, err
}

func (s *Scanner) skipValue(above []string, name string) error {
	c, err := s.skipSpace()
	if err != nil {
		return err
	}
	return s.skip(above, name, c)
}

// finish reads what stands behind the rows: it must close every object, and nothing may follow.
func (s *Scanner) finish() error {
	for open := s.depth; ; {
		c, err := s.skipSpace()
		if errors.Is(err, errShort) && open == 0 {
			return io.EOF
		}
		if err != nil {
			return err
		}
		switch {
		case open == 0:
			return s.broken("something follows the end of the document")
		case c == '}':
			open--
		case c == ',':
			if err := s.skipMember(s.path[:open-1]); err != nil {
				return err
			}
		default:
			return s.broken("a comma or } is missing")
		}
	}
}

func (s *Scanner) skipMember(above []string) error {
	c, err := s.skipSpace()
	if err != nil {
		return err
	}
	name, err := s.name(c)
	if err != nil {
		return err
	}
	return s.skipValue(above, name)
}
