package stage

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"xinshu/catalog"
	"xinshu/connectors"
)

// Masked stands in the place of a person field.
const Masked = "***"

// hashLength is how much of the keyed hash is kept: 64 bits tell the persons of a province apart and
// say nothing without the key.
const hashLength = 16

// masker hides what may not be written anywhere that lasts.
type masker struct {
	*contract
	key []byte // of the keyed hash; empty: none is kept
}

// field gives what may be kept of a field's value: all of a public one but the resident ids in it,
// and of a person's nothing, except a keyed hash by which rows about one person can be matched.
func (m masker) field(place int, raw string) string {
	if raw == "" {
		return ""
	}
	if place < 0 || !m.fields[place].personal {
		if place == m.contract.uscc || place >= 0 && m.fields[place].Type == "uscc" {
			// The code check sees an id through blanks and hyphens that a search in running text leaves alone.
			if v := m.words.CheckUSCC(raw); v.Reason == PersonalID {
				return v.Input
			}
		}
		return m.text(raw)
	}
	if isMasked(raw) { // it comes from our own quarantine: its hash is the person's, a hash of it would be nobody's
		return raw
	}
	if len(m.key) == 0 {
		return Masked
	}
	return Masked + "#" + catalog.KeyedHash(m.key, trim(raw))[:hashLength]
}

// text masks resident ids and puts a mark in the place of bytes that are no text.
func (m masker) text(raw string) string {
	if !utf8.ValidString(raw) {
		raw = strings.ToValidUTF8(raw, "\uFFFD")
	}
	raw, _ = catalog.MaskIDs(raw)
	return raw
}

// original gives a refused row as a JSON object: all source columns in source order, masked.
func (m masker) original(t *bound, row int) []byte {
	b := []byte{'{'}
	for i, name := range t.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, m.text(name))
		b = append(b, ':')
		if t.columns[i].IsNull(row) {
			b = append(b, "null"...)
			continue
		}
		b = appendJSON(b, m.field(t.field[i], t.columns[i].Value(row)))
	}
	return append(b, '}')
}

// unread gives what may be kept of a row that could not be read into columns. Where the contract has
// person fields nobody can say which part of the text they are, so nothing of it is kept: file and
// line lead the steward to it.
func (m masker) unread(r connectors.Reject) string {
	if r.Value == "" {
		return ""
	}
	if m.person && !r.File {
		return fmt.Sprintf("(%d characters withheld: the row may name persons)", utf8.RuneCountInString(r.Value))
	}
	return m.text(r.Value)
}

// appendJSON appends a string as JSON. Text of any kind can be written, so there is no error to report.
func appendJSON(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, quoted...)
}
