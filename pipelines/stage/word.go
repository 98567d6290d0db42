package stage

import (
	"math/bits"

	"xinshu/catalog"
)

// word is one value of one field as received, with all that staging has to know of it. Rows repeat
// values (a reason, an authority, a day), so a word is judged once where it repeats.
type word struct {
	raw string
	value
	kept    string // the text as it may be stored
	reason  string // why it cannot be read; empty when it can
	blank   bool   // as a part of a key: a word that stands for nothing
	person  bool   // as a part of a key: holds a person's number
	natural bool   // as the category: the row is about a natural person
}

// judge reads a value into w. Only the subject's code can be valid with warnings.
func (c *contract) judge(w *word, place int, raw string) (warnings []string) {
	*w = word{raw: raw}
	f := &c.fields[place]
	switch place {
	case c.uscc:
		v := c.words.CheckUSCC(raw)
		switch {
		case v.Valid:
			warnings = v.Warnings
		case c.legacyNumber(v): // settling keeps the row until a registration names the number
			warnings = legacyWarning(v.Reason)
		default:
			w.reason = v.Reason
			return nil
		}
		w.value = value{set: true, text: v.Normalized}
	default:
		w.value, w.reason = f.read(raw)
		if f.personal && f.plain() && isMasked(raw) { // a person that was masked before: nothing else of it is kept anyway
			w.value, w.reason = value{set: true, text: Masked}, ""
		}
		if w.reason == "" && w.set && f.Type == "uscc" {
			w.value, w.reason = c.otherCode(w.text)
		}
	}
	if place == c.sort {
		w.natural = namesNaturalPerson(raw) || len(f.natural) > 0 && f.natural[f.codes[trim(raw)]]
	}
	switch {
	case w.text == "" || f.Type == "uscc":
		w.kept = w.text
	case f.personal:
		w.kept = Masked
	case f.stored:
		w.kept, w.person = catalog.MaskIDs(w.text)
	}
	if f.key {
		w.blank = !w.set || w.text != "" && isBlankWord(w.text)
		if place != c.uscc && w.text != "" {
			_, w.person = catalog.MaskIDs(w.text)
		}
	}
	return warnings
}

// otherCode judges a code that is not the subject's: an authority's, a supplier's. A word that
// stands for nothing leaves the field empty.
func (c *contract) otherCode(raw string) (value, string) {
	v := c.words.CheckUSCC(raw)
	switch {
	case v.Valid:
		return value{set: true, text: v.Normalized}, ""
	case v.Reason == catalog.USCCPlaceholder:
		return value{}, ""
	}
	return value{}, v.Reason
}

// Whether a field's values repeat is found out on the first rows of each block.
const (
	tryRows  = 256
	tryWords = 128 // more different values among tryRows than these: the field's values do not repeat
	slots    = 4096
)

// wordList holds the words of one field in one block of rows: each different value once while values
// repeat, and one for each row from the row on where they turn out not to.
type wordList struct {
	list  []word
	at    []int32 // by row: its place in list
	slots []int32
	alone bool // values do not repeat: every row has its own word
}

func (w *wordList) reset() {
	if w.slots == nil {
		w.slots = make([]int32, slots)
	}
	if len(w.list) > 0 {
		clear(w.slots)
	}
	w.list, w.at, w.alone = w.list[:0], w.at[:0], false
}

// find gives the place of a value in the list, and whether its word has yet to be judged.
func (w *wordList) find(raw string) (place int32, fresh bool) {
	if n := len(w.at); n > 0 && !w.alone {
		if last := w.at[n-1]; w.list[last].raw == raw {
			return last, false
		}
		if n == tryRows && len(w.list) > tryWords || len(w.list) == slots/2 {
			w.alone = true
		}
	}
	place = int32(len(w.list)) // a block has few rows
	if w.alone {
		w.list = append(w.list, word{})
		return place, true
	}
	i := hash(raw) % slots
	for ; w.slots[i] != 0; i = (i + 1) % slots {
		if known := w.slots[i] - 1; w.list[known].raw == raw {
			return known, false
		}
	}
	w.slots[i] = place + 1
	w.list = append(w.list, word{})
	return place, true
}

// hash spreads a text over 64 bits, the same way in every process, eight bytes at a step.
func hash(s string) uint64 {
	const k0, k1 = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	h := uint64(len(s)) * k0
	for ; len(s) >= 8; s = s[8:] {
		n := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		high, low := bits.Mul64(h^n, k1)
		h = high ^ low
	}
	rest := uint64(0)
	for i := range len(s) {
		rest |= uint64(s[i]) << (8 * i)
	}
	high, low := bits.Mul64(h^rest, k1)
	h = high ^ low
	h ^= h >> 32
	return h * k0 >> 1
}
