package push

import (
	"errors"
	"iter"
)

// member is one member of a flat JSON object: its name, and its text with the name.
type member struct {
	name string
	text []byte
}

var errNotFlat = errors.New("the body is not a flat JSON object")

// each gives the members of a flat JSON object: of text, numbers, truth values and null, without
// blanks, as encoding/json writes it. Anything else is an error.
func each(body []byte) iter.Seq2[member, error] {
	return func(yield func(member, error) bool) {
		if len(body) < 2 || body[0] != '{' || body[len(body)-1] != '}' {
			yield(member{}, errNotFlat)
			return
		}
		for rest := body[1 : len(body)-1]; len(rest) > 0; {
			name := text(rest)
			if name < 0 || name+1 >= len(rest) || rest[name] != ':' {
				yield(member{}, errNotFlat)
				return
			}
			end := value(rest[name+1:])
			if end < 1 {
				yield(member{}, errNotFlat)
				return
			}
			end += name + 1
			if !yield(member{name: string(rest[1 : name-1]), text: rest[:end]}, nil) {
				return
			}
			if end == len(rest) {
				return
			}
			if rest = rest[end+1:]; len(rest) == 0 {
				yield(member{}, errNotFlat)
			}
		}
	}
}

// text gives the length of the JSON string that b begins with; less than 0 where it begins with none.
func text(b []byte) int {
	if len(b) == 0 || b[0] != '"' {
		return -1
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// value gives the length of the plain JSON value that b begins with, up to the comma or the end.
func value(b []byte) int {
	if len(b) == 0 {
		return -1
	}
	if b[0] == '"' {
		n := text(b)
		if n < 0 || n < len(b) && b[n] != ',' {
			return -1
		}
		return n
	}
	for i, c := range b {
		switch c {
		case ',':
			return i
		case '{', '[', '"', ' ':
			return -1
		}
	}
	return len(b)
}
