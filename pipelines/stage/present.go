package stage

import (
	"slices"
	"strings"
)

// present knows which records a pull names, so that those it leaves out can be told. A row that is
// refused names its record all the same, as far as its key can be read: a bad cell is no departure.
type present struct {
	index   *index
	partial [][]string // keys of rows whose key could be read in part, an unread field empty
	blind   bool       // some row's key could not be read at all: it may be any record
	rows    int64      // rows behind the two
}

// mostPartial bounds the partial keys that are remembered; with more of them the pull is blind.
const mostPartial = 1000

func newPresent(dir string) *present { return &present{index: newIndex(dir)} }

// mayHold says whether a record that was not named by its key may be one of the rows that were not read.
func (p *present) mayHold(recordKey string, fields int) bool {
	if p.blind || len(p.partial) == 0 {
		return p.blind
	}
	parts := strings.Split(recordKey, "|")
	if len(parts) != fields { // a value holds the separator: the parts cannot be told apart
		return true
	}
	return slices.ContainsFunc(p.partial, func(key []string) bool {
		for i, part := range key {
			if part != "" && part != parts[i] {
				return false
			}
		}
		return true
	})
}

// stockWhole says that what a whole pull leaves out has left.
func (c *contract) stockWhole() bool { return c.Stock == "whole" }

// named notes a record that the pull names.
func (b *batch) named(record hash16) error {
	if b.present == nil {
		return nil
	}
	return b.present.index.put(record, hash16{})
}

// unnamed notes a row of which nothing could be read.
func (b *batch) unnamed() {
	if b.present != nil {
		b.present.blind = true
		b.present.rows++
	}
}

// namedAnyway notes what can be read of a refused row's key.
func (b *batch) namedAnyway() error {
	p := b.present
	if p == nil {
		return nil
	}
	key := make([]string, len(b.key))
	whole, some := true, false
	for n, i := range b.key {
		key[n] = b.keyPart(i)
		whole = whole && key[n] != ""
		some = some || key[n] != ""
	}
	switch {
	case whole:
		return p.index.put(recordOf(b.ID, key), hash16{})
	case !some || len(p.partial) == mostPartial:
		p.blind = true
	default:
		p.partial = append(p.partial, key)
	}
	p.rows++
	return nil
}

// keyPart reads one field of the key as identity would, empty where it cannot.
func (b *batch) keyPart(i int) string {
	if i == b.contract.uscc {
		if v := b.words.CheckUSCC(b.raw[i]); v.Valid {
			return v.Normalized
		}
		return ""
	}
	v, reason := b.fields[i].read(b.raw[i])
	if reason == "" && v.set && b.fields[i].Type == "uscc" {
		v, reason = b.otherCode(v.text)
	}
	if reason != "" || !v.set || v.text != "" && isBlankWord(v.text) {
		return ""
	}
	return b.fields[i].canonical(v)
}
