package results

import (
	"bytes"
	"context"
	"slices"
)

// search is what a question limits beside its text.
type search struct {
	*Registry
	divisions  []bool // by number, that are wanted; nil: all
	industries []bool
	only       []string // codes, in order; nil: all
}

func (r *Registry) search(q Query) *search {
	s := &search{Registry: r, divisions: r.words.beginning(q.Areas), industries: r.words.beginning(q.Industries)}
	if len(q.Entities) > 0 {
		s.only = slices.Compact(slices.Sorted(slices.Values(q.Entities)))
	}
	return s
}

// sought is what is looked for: from one code up to, but not with, another; empty: to the end.
type sought struct {
	from, to string
	places   []uint32               // that names which are meant are at; nil: any name
	name     func(name []byte) bool // nil: any
	most     int
}

// behind is the text that follows right after a code; nothing follows after nothing.
func behind(code string) string {
	if code == "" {
		return ""
	}
	return code + "\x00"
}

// names gives the entities that have a text as their name, by code, and then those that have it in
// their name, by code. after is the code that the last page ended with: whether its name is the text
// tells among which it ended.
func (s *search) names(ctx context.Context, text, after string, most int) ([]Entity, error) {
	is := sought{places: []uint32{placeOfWhole(text)}, name: func(name []byte) bool { return string(name) == text }, most: most}
	has := sought{places: slices.Compact(slices.Sorted(pairsOf(text))), most: most,
		name: func(name []byte) bool { return string(name) != text && bytes.Contains(name, []byte(text)) }}
	among := after == ""
	if !among {
		ended := is
		ended.from, ended.to, ended.most = after, behind(after), 1
		here, err := s.take(ctx, ended)
		if err != nil {
			return nil, err
		}
		among = len(here) > 0
	}
	if !among {
		has.from = behind(after)
		return s.take(ctx, has)
	}
	is.from = behind(after)
	first, err := s.take(ctx, is)
	if err != nil || len(first) >= most {
		return first, err
	}
	has.most = most - len(first)
	rest, err := s.take(ctx, has)
	return append(first, rest...), err
}

// take gives what is sought, by code.
func (s *search) take(ctx context.Context, w sought) (found []Entity, err error) {
	for i, p := range s.parts {
		if len(found) >= w.most || w.to != "" && p.low >= w.to {
			break
		}
		if i+1 < len(s.parts) && s.parts[i+1].low < w.from {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if found, err = s.takeOf(ctx, p, w, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (s *search) takeOf(ctx context.Context, p *part, w sought, found []Entity) (_ []Entity, err error) {
	r := p.reader(s.pages, s.words.list)
	first, last := uint32(0), p.entities
	if w.from > p.low {
		if first, err = r.from(w.from); err != nil {
			return nil, err
		}
	}
	if w.to != "" {
		if last, err = r.from(w.to); err != nil {
			return nil, err
		}
	}
	list, some, err := s.candidates(r, w)
	if err != nil {
		return nil, err
	}
	if !some {
		for no := first; no < last; no++ {
			list = append(list, no)
		}
	}
	for i, no := range list {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if no < first || no >= last {
			continue
		}
		if found, err = s.look(r, no, w, found); err != nil || len(found) >= w.most {
			return found, err
		}
	}
	return found, nil
}

// look gives an entity to the found ones, if it is meant.
func (s *search) look(r *reader, no uint32, w sought, found []Entity) ([]Entity, error) {
	at, err := r.row(no)
	if err != nil || s.divisions != nil && !s.divisions[at.division] || s.industries != nil && !s.industries[at.industry] {
		return found, err
	}
	line, err := r.line(no, at.at)
	if err != nil || w.name != nil && !w.name(nameOf(line)) {
		return found, err
	}
	return append(found, r.entity(at, line)), nil
}

// candidates are the entities of a part that can be meant, in order; all of them where it cannot be said.
func (s *search) candidates(r *reader, w sought) (list []uint32, some bool, err error) {
	if s.only == nil {
		if w.places == nil {
			return nil, false, nil
		}
		list, err = r.havingAll(s.pages, slices.Clone(w.places))
		return list, true, err
	}
	for _, code := range s.only {
		if code < r.low {
			continue
		}
		from, err := r.from(code)
		if err != nil {
			return nil, false, err
		}
		to, err := r.from(behind(code))
		if err != nil {
			return nil, false, err
		}
		for ; from < to; from++ {
			list = append(list, from)
		}
	}
	return list, true, nil
}
