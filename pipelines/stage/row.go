package stage

import (
	"strings"

	"xinshu/catalog"
)

// verdict is what becomes of a row.
type verdict int

const (
	accepted verdict = iota
	duplicate
	quarantined
	skipped
)

// rowChecker reads one row after another. It keeps the last row's values in place, so that a clean
// row allocates nothing.
type rowChecker struct {
	*contract
	today catalog.Date

	row  []value // by contract field
	out  []value // by family column
	kind string
	code string // the subject's code, normalised

	warnings []string // verdict codes about a code that is valid all the same

	// Why the row was refused: the reason and the field at fault, -1 for none.
	reason string
	fault  int
}

func newRowChecker(c *contract, today catalog.Date) *rowChecker {
	return &rowChecker{contract: c, today: today, row: make([]value, len(c.fields)), out: make([]value, len(c.columns))}
}

// check judges one row: raw gives each field as received. It answers accepted, quarantined or
// skipped; whether an accepted row is a duplicate is for the index to say.
func (r *rowChecker) check(raw []string) verdict {
	r.reason, r.fault = "", -1
	if r.sort >= 0 && r.naturalPerson(raw[r.sort]) {
		return skipped
	}
	if !r.subject(raw[r.contract.uscc]) || !r.typed(raw) || !r.keyed() || !r.present() || !r.mapped() || !r.consistent() {
		return quarantined
	}
	return accepted
}

// naturalPerson: facts 2.3, rows about natural persons are routed away. The category says so in
// words, or by a code of its list that stands for them.
func (r *rowChecker) naturalPerson(raw string) bool {
	if namesNaturalPerson(raw) {
		return true
	}
	f := &r.fields[r.sort]
	return len(f.natural) > 0 && f.natural[f.codes[trim(raw)]]
}

func namesNaturalPerson(s string) bool {
	return strings.Contains(s, "自然人") && !strings.Contains(s, "非自然人")
}

func (r *rowChecker) refuse(reason string, field int) bool {
	r.reason, r.fault = reason, field
	return false
}

// subject judges the code of the entity the row is about.
func (r *rowChecker) subject(raw string) bool {
	v := r.words.CheckUSCC(raw)
	if !v.Valid {
		return r.refuse(v.Reason, r.contract.uscc)
	}
	r.code, r.warnings = v.Normalized, v.Warnings
	return true
}

// typed gives each field its typed value.
func (r *rowChecker) typed(raw []string) bool {
	for i := range r.fields {
		f := &r.fields[i]
		if i == r.contract.uscc {
			r.row[i] = value{set: true, text: r.code}
			continue
		}
		v, reason := f.read(raw[i])
		if f.personal && f.plain() && isMasked(raw[i]) { // a person that was masked before: nothing else of it is kept anyway
			v, reason = value{set: true, text: Masked}, ""
		}
		if reason == "" && v.set && f.Type == "uscc" {
			v, reason = r.otherCode(v.text)
		}
		if reason != "" {
			return r.refuse(reason, i)
		}
		r.row[i] = v
	}
	return true
}

// otherCode judges a code that is not the subject's: an authority's, a supplier's. A word that
// stands for nothing leaves the field empty.
func (r *rowChecker) otherCode(raw string) (value, string) {
	v := r.words.CheckUSCC(raw)
	switch {
	case v.Valid:
		return value{set: true, text: v.Normalized}, ""
	case v.Reason == catalog.USCCPlaceholder:
		return value{}, ""
	}
	return value{}, v.Reason
}

// keyed refuses a row without a record key, and one whose key is a person's number: a personal
// number never becomes a key.
func (r *rowChecker) keyed() bool {
	for _, i := range r.key {
		v := r.row[i]
		if !v.set || v.text != "" && isBlankWord(v.text) {
			return r.refuse(KeyEmpty, i)
		}
		if v.text != "" && i != r.contract.uscc {
			if _, found := catalog.MaskIDs(v.text); found {
				return r.refuse(PersonalID, i)
			}
		}
	}
	return true
}

// present refuses a row that lacks a required field. A deletion needs only its key and its subject.
func (r *rowChecker) present() bool {
	deletion := r.operation() == "D"
	for i := range r.fields {
		if f := &r.fields[i]; f.Required && !r.row[i].set && (!deletion || !f.exempt) {
			return r.refuse(Required, i)
		}
	}
	return true
}

// operation gives I, U or D; a source that says nothing inserts.
func (r *rowChecker) operation() string {
	if r.op < 0 || !r.row[r.op].set {
		return "I"
	}
	switch strings.ToUpper(r.row[r.op].text) {
	case "I", "INSERT":
		return "I"
	case "U", "UPDATE":
		return "U"
	case "D", "DELETE":
		return "D"
	}
	return ""
}

// mapped fills the family columns and judges kind and level.
func (r *rowChecker) mapped() bool {
	if r.operation() == "" {
		return r.refuse(CodeList, r.op)
	}
	kind, from, reason := r.contract.kind.of(r.contract, r.row)
	if reason != "" {
		return r.refuse(reason, from)
	}
	levels, known := r.levels[kind.text]
	if !known {
		if len(r.contract.kind.from) > 0 {
			from = r.contract.kind.from[0]
		}
		return r.refuse(KindUnknown, from)
	}
	r.kind = kind.text
	for i := range r.columns {
		k := &r.columns[i]
		v, from, reason := k.of(r.contract, r.row)
		if reason != "" {
			return r.refuse(reason, from)
		}
		if k.Name == "level" && v.set && levels != nil && !levels[v.text] {
			return r.refuse(LevelUnknown, from)
		}
		r.out[i] = r.storable(v, from)
	}
	return true
}

// storable masks what may not be written: a person field whole, a resident id inside any text. A
// code that passed its check is no id.
func (r *rowChecker) storable(v value, from int) value {
	switch {
	case v.text == "" || from >= 0 && r.fields[from].Type == "uscc":
	case from >= 0 && r.fields[from].personal:
		v.text = Masked
	default:
		v.text, _ = catalog.MaskIDs(v.text)
	}
	return v
}

// entityName gives the subject's name as far as it may be stored.
func (r *rowChecker) entityName() string {
	if r.name < 0 || !r.row[r.name].set {
		return ""
	}
	return r.storable(r.row[r.name], r.name).text
}

// consistent runs the rules across fields; a deletion states nothing they could judge.
func (r *rowChecker) consistent() bool {
	if r.operation() == "D" {
		return true
	}
	for i := range r.checks {
		if k := &r.checks[i]; !k.kept(r.contract, r.row, r.today) {
			return r.refuse(k.code, k.fields[0])
		}
	}
	return true
}

// happenedBy says whether everything the row tells of had happened by a day, as far as the
// contract's rules know its dates.
func (r *rowChecker) happenedBy(day catalog.Date) bool {
	for i := range r.checks {
		if k := &r.checks[i]; k.past && !k.kept(r.contract, r.row, day) {
			return false
		}
	}
	return true
}
