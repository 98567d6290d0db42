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

// rowChecker judges one row after another. It keeps the last row's values in place, so that a clean
// row allocates nothing.
type rowChecker struct {
	*contract
	today catalog.Date

	words []*word // by contract field; set before judge
	row   []value // by contract field
	out   []value // by family column; text as it may be stored
	op    string  // I, U or D; empty for a word that is none of them
	kind  string
	code  string // the subject's code, normalised

	own      []word   // of a row that comes by itself
	warnings []string // verdict codes about a code that is valid all the same

	// Why the row was refused: the reason and the field at fault, -1 for none.
	reason string
	fault  int
}

func newRowChecker(c *contract, today catalog.Date) *rowChecker {
	r := &rowChecker{contract: c, today: today, row: make([]value, len(c.fields)), out: make([]value, len(c.columns)), words: make([]*word, len(c.fields))}
	return r
}

// check judges one row by itself: raw gives each field as received.
func (r *rowChecker) check(raw []string) verdict {
	if r.own == nil {
		r.own = make([]word, len(r.fields))
	}
	for i := range r.fields {
		warnings := r.judge(&r.own[i], i, raw[i])
		if i == r.contract.uscc {
			r.warnings = warnings
		}
		r.words[i] = &r.own[i]
	}
	return r.verdict()
}

// verdict judges the row whose words are set. It answers accepted, quarantined or skipped; whether an
// accepted row is a duplicate is for the index to say.
func (r *rowChecker) verdict() verdict {
	r.reason, r.fault = "", -1
	// Facts 2.3: rows about natural persons are routed away. The category says so in words, or by a
	// code of its list that stands for them.
	if r.sort >= 0 && r.words[r.sort].natural {
		return skipped
	}
	if !r.typed() || !r.keyed() || !r.present() || !r.mapped() || !r.consistent() {
		return quarantined
	}
	return accepted
}

func namesNaturalPerson(s string) bool {
	return strings.Contains(s, "自然人") && !strings.Contains(s, "非自然人")
}

func (r *rowChecker) refuse(reason string, field int) bool {
	r.reason, r.fault = reason, field
	return false
}

// typed takes each field's typed value, the subject's code first.
func (r *rowChecker) typed() bool {
	if subject := r.words[r.contract.uscc]; subject.reason != "" {
		return r.refuse(subject.reason, r.contract.uscc)
	}
	r.code = r.words[r.contract.uscc].text
	for i, w := range r.words {
		if w.reason != "" {
			return r.refuse(w.reason, i)
		}
		r.row[i] = w.value
	}
	r.op = r.operation()
	return true
}

// keyed refuses a row without a record key, and one whose key is a person's number: a personal
// number never becomes a key.
func (r *rowChecker) keyed() bool {
	for _, i := range r.key {
		if r.words[i].blank {
			return r.refuse(KeyEmpty, i)
		}
		if r.words[i].person && i != r.contract.uscc {
			return r.refuse(PersonalID, i)
		}
	}
	return true
}

// present refuses a row that lacks a required field. A deletion needs only its key and its subject.
func (r *rowChecker) present() bool {
	deletion := r.op == "D"
	for _, i := range r.required {
		if !r.row[i].set && (!deletion || !r.fields[i].exempt) {
			return r.refuse(Required, i)
		}
	}
	return true
}

// operation gives I, U or D; a source that says nothing inserts.
func (r *rowChecker) operation() string {
	if r.contract.op < 0 || !r.row[r.contract.op].set {
		return "I"
	}
	switch text := r.row[r.contract.op].text; text {
	case "I", "U", "D":
		return text
	default:
		switch strings.ToUpper(text) {
		case "I", "INSERT":
			return "I"
		case "U", "UPDATE":
			return "U"
		case "D", "DELETE":
			return "D"
		}
	}
	return ""
}

// mapped fills the family columns and judges kind and level.
func (r *rowChecker) mapped() bool {
	if r.op == "" {
		return r.refuse(CodeList, r.contract.op)
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
		if k.direct >= 0 { // the field's own value, as it may be stored
			r.out[i] = r.row[k.direct]
			r.out[i].text = r.words[k.direct].kept
			continue
		}
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
	return r.words[r.name].kept
}

// consistent runs the rules across fields; a deletion states nothing they could judge.
func (r *rowChecker) consistent() bool {
	if r.op == "D" {
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
