package jsonrows

import (
	"errors"
	"io"
)

// errShort is the end of the input where more was due; as a *SyntaxError it names the line.
var errShort = errors.New("the document ends too early")

type shortError struct{ SyntaxError }

func (e *shortError) Unwrap() []error { return []error{errShort, &e.SyntaxError} }

func (s *Scanner) broken(what string) error { return &SyntaxError{Line: s.line, What: what} }

func (s *Scanner) byte() (byte, error) {
	c, err := s.in.ReadByte()
	if err == nil {
		if c == '\n' {
			s.line++
		}
		return c, nil
	}
	if errors.Is(err, io.EOF) {
		return 0, &shortError{SyntaxError{Line: s.line, What: errShort.Error()}}
	}
	return 0, err
}

func (s *Scanner) skipSpace() (byte, error) {
	for {
		c, err := s.byte()
		if err != nil {
			return 0, err
		}
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c, nil
		}
	}
}

func (s *Scanner) keep(c byte) error {
	if len(s.buf) >= MaxElement {
		return s.broken("one row is longer than 8 MB")
	}
	s.buf = append(s.buf, c)
	return nil
}

// value reads one value that begins with c, and keeps its bytes when asked to.
func (s *Scanner) value(c byte, keep bool) error {
	if keep {
		if err := s.keep(c); err != nil {
			return err
		}
	}
	switch c {
	case '"':
		return s.text(keep)
	case '{', '[':
		return s.nested(keep)
	case '}', ']', ',', ':':
		return s.broken("a value is missing")
	}
	for { // a number, true, false or null: up to what ends it
		next, err := s.in.Peek(1)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch next[0] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return nil
		}
		_, _ = s.in.Discard(1)
		if keep {
			if err := s.keep(next[0]); err != nil {
				return err
			}
		}
	}
}

// nested reads up to the bracket that closes the one just read.
func (s *Scanner) nested(keep bool) error {
	for depth := 1; depth > 0; {
		c, err := s.byte()
		if err != nil {
			return err
		}
		if keep {
			if err := s.keep(c); err != nil {
				return err
			}
		}
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			if err := s.text(keep); err != nil {
				return err
			}
		}
	}
	return nil
}

// text reads the rest of a string, its closing quote included.
func (s *Scanner) text(keep bool) error {
	for {
		if err := s.plain(keep); err != nil {
			return err
		}
		c, err := s.byte()
		if err != nil {
			return err
		}
		if keep {
			if err := s.keep(c); err != nil {
				return err
			}
		}
		switch c {
		case '"':
			return nil
		case '\n':
			return s.broken("a string is not closed on its line")
		case '\\':
			if c, err = s.byte(); err != nil {
				return err
			}
			if keep {
				if err := s.keep(c); err != nil {
					return err
				}
			}
		}
	}
}

// plain takes, of what is read already, the bytes of a string that mean themselves: most of them, at once.
func (s *Scanner) plain(keep bool) error {
	ready, _ := s.in.Peek(s.in.Buffered())
	n := 0
	for n < len(ready) && ready[n] != '"' && ready[n] != '\\' && ready[n] != '\n' {
		n++
	}
	if keep {
		if len(s.buf)+n > MaxElement {
			return s.broken("one row is longer than 8 MB")
		}
		s.buf = append(s.buf, ready[:n]...)
	}
	_, err := s.in.Discard(n)
	return err
}
