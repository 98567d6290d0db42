package results

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"iter"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// A part of the index holds a stretch of entities in the order of codes. In the file lie one after the
// other what is said of each entity, a row of fixed width for each, and for each pair of characters the
// entities whose name has it. Pairs share places by their hash, so that a part needs the same little
// memory whatever its names are made of; who is found by a pair is looked at before it is given.
type part struct {
	said, rows, pairs int64 // where in the file they begin
	end               int64
	entities          uint32
	low               string               // the first code
	ends              [2*places + 1]uint32 // where the entities of each place begin and end, from pairs on
}

const (
	partSize = 1 << 18 // entities
	places   = 1 << 16 // for pairs; as many follow for whole names
	rowWidth = 12      // where the entity is said, its division, its industry
)

// placeOf gives the place of two characters that follow one another.
func placeOf(a, b rune) uint32 {
	return uint32((uint64(a)<<21 | uint64(b)) * 0x9E3779B97F4A7C15 >> 48)
}

var seed = maphash.MakeSeed()

// placeOfWhole gives the place of a whole name.
func placeOfWhole(name string) uint32 { return places + uint32(maphash.String(seed, name)>>48) }

// pairsOf yields the places of the pairs of a text.
func pairsOf(text string) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		before, size := utf8.DecodeRuneInString(text)
		for _, c := range text[size:] {
			if !yield(placeOf(before, c)) {
				return
			}
			before = c
		}
	}
}

// row is what a part knows of an entity without reading what is said of it.
type row struct{ at, division, industry uint32 }

// reader reads entities of a part.
type reader struct {
	*part
	words      []string
	rows, said window
}

func (p *part) reader(f *os.File, words []string) *reader {
	return &reader{part: p, words: words, rows: window{of: f, end: p.pairs, piece: 1 << 13}, said: window{of: f, end: p.rows, piece: 1 << 13}}
}

func (r *reader) row(no uint32) (row, error) {
	b, err := r.rows.bytes(r.part.rows+int64(no)*rowWidth, rowWidth)
	if err != nil {
		return row{}, err
	}
	return row{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])}, nil
}

// line gives what is said of an entity, from where its row says: code, category, merged to, name. It is
// good until the next call.
func (r *reader) line(no, at uint32) ([]byte, error) {
	end := uint32(r.part.rows - r.part.said)
	if no+1 < r.entities {
		next, err := r.row(no + 1)
		if err != nil {
			return nil, err
		}
		end = next.at
	}
	return r.said.bytes(r.part.said+int64(at), int(end-at))
}

func (r *reader) entity(at row, line []byte) Entity {
	f := strings.SplitN(string(line), sign, 4)
	return Entity{USCC: f[0], Category: f[1], MergedTo: f[2], Name: f[3], Division: r.words[at.division], Industry: r.words[at.industry]}
}

func nameOf(line []byte) []byte {
	for range 3 {
		line = line[bytes.IndexByte(line, sign[0])+1:]
	}
	return line
}

// from gives the first entity whose code is not before one.
func (r *reader) from(code string) (no uint32, err error) {
	low, high := uint32(0), r.entities
	for low < high {
		middle := low + (high-low)/2
		at, err := r.row(middle)
		if err != nil {
			return 0, err
		}
		line, err := r.line(middle, at.at)
		if err != nil {
			return 0, err
		}
		if of, _, _ := bytes.Cut(line, []byte(sign)); string(of) < code {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

// share is how many bytes lie at a place: about as many as entities.
func (p *part) share(place uint32) uint32 { return p.ends[place+1] - p.ends[place] }

// having gives the entities at a place, in order.
func (p *part) having(f *os.File, place uint32) ([]uint32, error) {
	w := window{of: f, end: p.end}
	b, err := w.bytes(p.pairs+int64(p.ends[place]), int(p.share(place)))
	if err != nil {
		return nil, err
	}
	all := make([]uint32, 0, len(b))
	for last := uint32(0); len(b) > 0; {
		step, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errBroken
		}
		b = b[n:]
		last += uint32(step)
		all = append(all, last-1)
	}
	return all, nil
}

// mostLists is how many lists are held against one another; what is left is looked at.
const (
	mostLists = 8
	fewLeft   = 64
)

// havingAll gives the entities at all of some places, in order, and perhaps some more.
func (p *part) havingAll(f *os.File, at []uint32) ([]uint32, error) {
	slices.SortFunc(at, func(a, b uint32) int { return cmp.Compare(p.share(a), p.share(b)) })
	if len(at) == 0 || p.share(at[0]) == 0 {
		return nil, nil
	}
	left, err := p.having(f, at[0])
	for _, place := range at[1:min(len(at), mostLists)] {
		if err != nil || len(left) <= fewLeft {
			break
		}
		var others []uint32
		others, err = p.having(f, place)
		left = both(left, others)
	}
	return left, err
}

// both keeps of one list what the other has too. Both are in order.
func both(a, b []uint32) []uint32 {
	kept := a[:0]
	for i := 0; len(a) > 0 && i < len(b); {
		switch {
		case a[0] < b[i]:
			a = a[1:]
		case a[0] > b[i]:
			i++
		default:
			kept = append(kept, a[0])
			a = a[1:]
			i++
		}
	}
	return kept
}
