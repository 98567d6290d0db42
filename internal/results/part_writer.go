package results

import (
	"encoding/binary"
	"math"
	"strings"

	"xinshu/internal/fault"
)

var errBroken = fault.Newf(fault.Internal, "read the search index", "the entities of a pair of characters cannot be read")

// partWriter makes a part: what is said goes into the file at once, rows and pairs at its end.
type partWriter struct {
	part
	out   *appender
	words *words
	rows  []byte
	pairs [2 * places][]byte // steps from one entity to the next, the first from 0 to its number plus one
	last  [2 * places]uint32 // the entity that was noted last, plus one
}

func newPartWriter(out *appender, words *words) *partWriter {
	return &partWriter{part: part{said: out.at}, out: out, words: words}
}

func (p *partWriter) add(e Entity) error {
	at := p.out.at - p.said
	if at > math.MaxUint32 {
		return fault.Newf(fault.Internal, "make the search index", "what is said of %d entities takes more than 4 GB", p.entities)
	}
	if p.entities == 0 {
		p.low = strings.Clone(e.USCC)
	}
	if err := p.out.append([]byte(e.USCC + sign + e.Category + sign + e.MergedTo + sign + e.Name)); err != nil {
		return err
	}
	p.rows = binary.LittleEndian.AppendUint32(p.rows, uint32(at))
	p.rows = binary.LittleEndian.AppendUint32(p.rows, p.words.number(e.Division))
	p.rows = binary.LittleEndian.AppendUint32(p.rows, p.words.number(e.Industry))
	p.entities++
	p.note(placeOfWhole(e.Name))
	for place := range pairsOf(e.Name) {
		p.note(place)
	}
	return nil
}

// note puts the entity added last at a place, once.
func (p *partWriter) note(place uint32) {
	if p.last[place] != p.entities {
		p.pairs[place] = binary.AppendUvarint(p.pairs[place], uint64(p.entities-p.last[place]))
		p.last[place] = p.entities
	}
}

// finish gives the part, with nothing left of what it took to make it.
func (p *partWriter) finish() (*part, error) {
	p.part.rows = p.out.at
	if err := p.out.append(p.rows); err != nil {
		return nil, err
	}
	p.part.pairs = p.out.at
	for i, b := range p.pairs {
		if err := p.out.append(b); err != nil {
			return nil, err
		}
		p.ends[i+1] = p.ends[i] + uint32(len(b))
	}
	p.end = p.out.at
	done := p.part
	return &done, nil
}
