package console

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sentences are the words for what other packages say in plain English: hints and causes of faults, what
// was being tried, notes of steps. They lie in locales/<lang>/sentences/*.yaml under the English sentence,
// in which {} stands for what differs: a name, a number. English needs none.
type sentences struct {
	tried phrases                          // ops.yaml: what was being tried
	said  phrases                          // all the rest
	value func(name string) (string, bool) // words for a value that fills a place: a state, an account; nil: there are none
}

type phrases struct {
	exact    map[string]string
	patterns []phrase // the one with most letters of its own first
}

type phrase struct {
	form  *regexp.Regexp
	words string
	own   int // bytes that are not {}
}

func readSentences(files fs.FS, lang string) (sentences, error) {
	s := sentences{tried: phrases{exact: map[string]string{}}, said: phrases{exact: map[string]string{}}}
	names, err := fs.Glob(files, "locales/"+lang+"/sentences/*.yaml")
	if err != nil {
		return s, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return s, err
		}
		var part map[string]string
		if err := yaml.Unmarshal(text, &part); err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
		to := &s.said
		if path.Base(name) == "ops.yaml" {
			to = &s.tried
		}
		for english, words := range part {
			if err := to.add(english, words); err != nil {
				return s, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	s.tried.sort()
	s.said.sort()
	return s, nil
}

func (p *phrases) add(english, words string) error {
	if !strings.Contains(english, "{}") {
		p.exact[english] = words
		return nil
	}
	pieces := strings.Split(english, "{}")
	own := len(strings.Join(pieces, ""))
	if places := len(pieces) - 1; strings.Count(words, "{}") != places {
		return fmt.Errorf("%q has %d places and its words have %d", english, places, strings.Count(words, "{}"))
	}
	for i := range pieces {
		pieces[i] = regexp.QuoteMeta(pieces[i])
	}
	form, err := regexp.Compile(`(?s)^` + strings.Join(pieces, `(.*?)`) + `$`)
	p.patterns = append(p.patterns, phrase{form, words, own})
	return err
}

func (p *phrases) sort() {
	slices.SortFunc(p.patterns, func(a, b phrase) int {
		return cmp.Or(cmp.Compare(b.own, a.own), strings.Compare(a.form.String(), b.form.String()))
	})
}

// longestSentence bounds what is looked at: no sentence of ours is longer, and what a platform answers may be.
const longestSentence = 2000

// prose cannot fill a place: it would leave half a sentence in another language.
var prose = regexp.MustCompile(`[a-z]{2,} [a-z]{2,} [a-z]{2,}`)

// list is the one kind of text in parts that fills a place: names, without a blank in any of them.
var list = regexp.MustCompile(`^\S+(, \S+)*$`)

func (p phrases) find(text string, inner func(string) (string, bool)) (string, bool) {
	if words, known := p.exact[text]; known {
		return words, true
	}
	if text == "" || len(text) > longestSentence {
		return text, false
	}
	for _, one := range p.patterns {
		found := one.form.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		words, whole := one.words, true
		for _, filled := range found[1:] {
			said, known := inner(filled)
			whole = whole && (known || !prose.MatchString(filled) && (list.MatchString(filled) || !strings.Contains(filled, ", ") && !strings.Contains(filled, "; ")))
			words = strings.Replace(words, "{}", said, 1)
		}
		if whole {
			return words, true
		}
	}
	return text, false
}

// doing gives the words for what was being tried.
func (s sentences) doing(op string) (string, bool) { return s.tried.find(op, s.filling) }

// filling gives the words for what fills a place: a sentence, a value, or a list of values as code writes
// it: "a, b" or "[a b]".
func (s sentences) filling(text string) (string, bool) {
	if words, known := s.in(text); known || s.value == nil {
		return words, known
	}
	names := strings.Split(text, ", ")
	if inner, is := strings.CutPrefix(text, "["); is && strings.HasSuffix(inner, "]") {
		names = strings.Fields(strings.TrimSuffix(inner, "]"))
	}
	if len(names) > mostValues {
		return text, false
	}
	all := len(names) > 0
	for i, name := range names {
		words, known := s.value(name)
		names[i], all = words, all && known
	}
	if !all {
		return text, false
	}
	return strings.Join(names, "、"), true
}

// mostValues bounds a list that fills a place.
const mostValues = 40

// mostPieces bounds how often a text is cut: one of ours has few parts, and what a platform answers may have many.
const mostPieces = 8

// in gives the words for a text; false when it is not known. A text put together with "; " or ", " is known
// when its parts are, and what fills a place is put into words where there are some.
func (s sentences) in(text string) (string, bool) {
	if len(text) > longestSentence {
		return text, false
	}
	if words, known := s.said.find(text, s.filling); known {
		return words, true
	}
	if strings.Count(text, ", ")+strings.Count(text, "; ") >= mostPieces {
		return text, false
	}
	for at := len(text) - 2; at > 0; at-- {
		mark, cuts := marks[text[at:at+2]]
		if !cuts {
			continue
		}
		last, known := s.said.find(text[at+2:], s.filling)
		if !known {
			continue
		}
		if first, known := s.in(text[:at]); known {
			return first + mark + last, true
		}
	}
	return text, false
}

// marks are what stands between the parts of a text, and what stands there in other languages than English.
var marks = map[string]string{"; ": "；", ", ": "，"}
