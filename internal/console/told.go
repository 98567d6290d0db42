package console

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"xinshu/internal/fault"
)

// told is a fault as a page shows it: what kind it is, what was tried and why it failed, what to do, and
// the sentence as the hub wrote it where that has no words in the reader's language.
type told struct {
	Lead     string
	Why      []string
	Do       []string
	Original []string
}

// tell puts a fault into words. Of what happened earlier its text is kept, and maybe its code.
func (v *views) tell(what any, code ...any) (t told) {
	switch f := what.(type) {
	case *fault.Error:
		if f != nil {
			t.Lead = v.say("fault." + string(f.Code))
			v.layers(&t, f)
		}
	case error:
		t.Lead = v.say("fault." + string(fault.CodeOf(f)))
		v.layers(&t, f)
	case string:
		if len(code) > 0 && fmt.Sprint(code[0]) != "" {
			t.Lead = v.say("fault." + fmt.Sprint(code[0]))
		}
		for line := range strings.SplitSeq(strings.TrimSpace(f), "\n") {
			v.line(&t, line)
		}
	}
	return t
}

// layers walks through a fault: each layer tells what was tried and what to do, the innermost why it failed.
func (v *views) layers(t *told, err error) {
	switch f := err.(type) { //nolint:errorlint // each layer is looked at in turn
	case *fault.Error:
		if words, known := v.sentences.doing(f.Op); known || v.lang == "en" {
			put(&t.Why, words)
		} else if f.Err == nil {
			put(&t.Original, f.Op)
		}
		if f.Hint != "" {
			v.hint(t, f.Hint)
		}
		if f.Err != nil {
			v.layers(t, f.Err)
		}
	case interface{ Unwrap() []error }:
		for _, one := range f.Unwrap() {
			v.layers(t, one)
		}
	default:
		var inner *fault.Error
		if !errors.As(err, &inner) {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				v.line(t, line)
			}
			return
		}
		if around, ends := strings.CutSuffix(err.Error(), ": "+inner.Error()); ends {
			v.line(t, around)
		}
		v.layers(t, inner)
	}
}

func (v *views) hint(t *told, hint string) {
	if words, known := v.sentences.in(hint); known || v.lang == "en" {
		put(&t.Do, words)
	} else {
		put(&t.Original, hint)
	}
}

// line takes apart what a fault wrote of itself: what was tried, a colon, why, and the hint in brackets.
func (v *views) line(t *told, line string) {
	whole := line
	for at := hintAt(line); at >= 0; at = hintAt(line) {
		words, known := v.sentences.in(line[at+2 : len(line)-1])
		if !known {
			break
		}
		put(&t.Do, words)
		line = line[:at]
	}
	for line != "" {
		if words, known := v.sentences.in(line); known {
			put(&t.Why, words)
			return
		}
		op, rest, cut := strings.Cut(line, ": ")
		words, known := v.sentences.doing(op)
		if known {
			put(&t.Why, words)
		}
		if !known || !cut && rest == "" {
			switch {
			case known:
			case v.lang == "en":
				put(&t.Why, whole)
			case chinese(line):
				put(&t.Why, line) // a platform's own words
			default:
				put(&t.Original, whole)
			}
			return
		}
		line = rest
	}
}

func chinese(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func put(to *[]string, words string) {
	if !slices.Contains(*to, words) {
		*to = append(*to, words)
	}
}

// hintAt gives where the bracket that ends a line begins, with the blank before it; -1: there is none.
func hintAt(line string) int {
	if !strings.HasSuffix(line, ")") {
		return -1
	}
	depth := 0
	for i := len(line) - 1; i > 0; i-- {
		switch line[i] {
		case ')':
			depth++
		case '(':
			if depth--; depth == 0 && line[i-1] == ' ' {
				return i - 1
			}
			if depth == 0 {
				return -1
			}
		}
	}
	return -1
}

// sentence gives the words for a text of another package, or the text itself where there are none.
func (v *views) sentence(text string) string {
	words, _ := v.sentences.in(text)
	return words
}
