package results

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

var errTooShort = errors.New("the text is too short")

// Entity is a registered code as the registry knows it now.
type Entity struct {
	USCC     string `json:"uscc"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Division string `json:"division,omitempty"`
	Industry string `json:"industry,omitempty"`
	MergedTo string `json:"merged_to,omitempty"` // the code that has its records now
}

// Query says which entities are wanted. Empty limits do not limit; areas and industries are the
// beginnings of codes.
type Query struct {
	Text       string // a code, its beginning, or part of a name
	Areas      []string
	Industries []string
	Entities   []string
	After      string // the code that the last page ended with
	Most       int
}

// Registry is the search index of entities: what a settled snapshot says of every one, in the order of
// codes, with the pairs of characters of its name. Decision 0060 says why. It may be asked by several
// goroutines.
type Registry struct {
	seq   int64
	pages *os.File
	parts []*part
	words words
}

// OpenRegistry makes the index of the settled snapshot as it stands. It lies in a file of a
// folder that has no name, so that nothing is left of it whatever happens. The caller closes it.
func OpenRegistry(ctx context.Context, lake Lake, o duck.Options, dir string) (*Registry, error) {
	return openRegistry(ctx, lake, o, dir, partSize)
}

func openRegistry(ctx context.Context, lake Lake, o duck.Options, dir string, partOf int) (*Registry, error) {
	pages, err := nameless(dir)
	if err != nil {
		return nil, err
	}
	r := &Registry{pages: pages}
	if err := r.fill(ctx, lake, o, partOf); err != nil {
		_ = pages.Close() // the first error is the one to report
		return nil, err
	}
	return r, nil
}

// Seq is the settled snapshot that the index was made of.
func (r *Registry) Seq() int64 { return r.seq }

// Close ends it. Nobody may be asking.
func (r *Registry) Close() error { return r.pages.Close() }

// shortest is how many characters of a name are looked for at least; one alone is in every tenth.
const shortest = 2

// Find gives entities whose code begins with the text, or whose name has it, by code. Those whose name
// is the text itself come first.
func (r *Registry) Find(ctx context.Context, q Query) ([]Entity, error) {
	text := strings.ToUpper(strings.TrimSpace(q.Text))
	if len([]rune(text)) < shortest {
		return nil, &fault.Error{Op: "search", Code: fault.Invalid, Err: errTooShort, Hint: "give a code, at least two characters of its beginning, or at least two characters of a name"}
	}
	s := r.search(q)
	if LooksLikeCode(text) {
		return s.take(ctx, sought{from: max(text, behind(q.After)), to: text + "~", most: q.Most})
	}
	return s.names(ctx, strings.TrimSpace(q.Text), q.After, q.Most)
}

// Entity gives one code.
func (r *Registry) Entity(ctx context.Context, uscc string) (Entity, error) {
	found, err := r.search(Query{}).take(ctx, sought{from: uscc, to: behind(uscc), most: 1})
	if err != nil {
		return Entity{}, err
	}
	if len(found) == 0 {
		return Entity{}, &fault.Error{Op: "look up " + uscc, Code: fault.NotFound, Hint: "no settled record names this code"}
	}
	return found[0], nil
}

// LooksLikeCode says whether a text can be the beginning of a code: digits and letters alone, with a
// digit among them.
func LooksLikeCode(text string) bool {
	digit := false
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			digit = true
		case c >= 'A' && c <= 'Z':
		default:
			return false
		}
	}
	return digit
}

// words are the divisions and industries that entities have, each once.
type words struct {
	list []string
	at   map[string]uint32
}

func (w *words) number(word string) uint32 {
	if n, known := w.at[word]; known {
		return n
	}
	if w.at == nil {
		w.at = map[string]uint32{}
	}
	word = strings.Clone(word)
	n := uint32(len(w.list))
	w.list = append(w.list, word)
	w.at[word] = n
	return n
}

// beginning marks the words that begin with one of some beginnings; nil, where there are none: all do.
func (w *words) beginning(with []string) []bool {
	if len(with) == 0 {
		return nil
	}
	marked := make([]bool, len(w.list))
	for i, word := range w.list {
		marked[i] = slices.ContainsFunc(with, func(beginning string) bool { return strings.HasPrefix(word, beginning) })
	}
	return marked
}
