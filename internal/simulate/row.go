package simulate

import (
	"fmt"
	"strconv"

	"xinshu/catalog"
)

// row is what a column needs to know to write its value.
type row struct {
	p       *Province
	d       *dataset
	e       *Entity
	i       int
	f       *fact
	col     uint64 // hash of the column being written
	minutes int    // taken off the operation time
	suffix  string // of the record id, on rows that are dirt
}

// number gives the same number below n for this record and column, in each of its versions.
func (r *row) number(n int) int { return int(mix(r.f.salt^r.col) % uint64(n)) }

func (r *row) pick(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[r.number(len(words))]
}

// writer gives the way to write one column. What says most decides: the subject, the common fields,
// kind and level, then names with a meaning of their own, the role in the family, the code list, the type.
func (d *dataset) writer(f catalog.Field, role string, listed []string) func(*row) string {
	switch f.Name {
	case d.contract.Subject.USCC:
		return func(r *row) string { return r.e.USCC }
	case d.contract.Subject.Name:
		return func(r *row) string { return r.e.Name }
	case d.contract.Subject.Category:
		return counterpart
	}
	if w, ok := commonFields[f.Name]; ok {
		return w
	}
	if f.Name == d.contract.Kind.Field && d.contract.Kind.Values != nil {
		return func(r *row) string { return r.pick(d.kinds[r.f.kind]) }
	}
	if f.Name == d.contract.Map["level"].Field {
		if d.contract.Map["level"].Values == nil { // its own scale, such as the public grades
			return func(r *row) string { return r.f.level }
		}
		return func(r *row) string { return r.pick(d.levels[r.f.level]) }
	}
	if w, ok := ownFields[f.Name]; ok {
		return w
	}
	if f.Type == "date" {
		return d.dateWriter(f, role)
	}
	words, ok := phrases[d.id+" "+f.Name]
	if !ok {
		words, ok = phrases[f.Name]
	}
	if ok && listed == nil {
		return func(r *row) string { return r.pick(words) }
	}
	switch {
	case listed != nil:
		return func(r *row) string { return r.pick(listed) }
	case role == "doc_no":
		return func(r *row) string { return r.p.docNo(r.d, r.i, r.f) }
	case role == "authority":
		return func(r *row) string { return r.p.authority(r.d, r.e, r.f) }
	case role == "authority_uscc":
		return func(r *row) string { return r.p.authorityCode(r.d, r.e, r.f) }
	case f.Type == "yuan":
		return func(r *row) string { return strconv.Itoa(1000+r.number(900_000)) + ".00" }
	case f.Type == "wan":
		return func(r *row) string { return strconv.Itoa(10 + r.number(5000)) }
	case f.Type == "integer":
		return func(r *row) string { return strconv.Itoa(1 + r.number(60)) }
	case f.Type == "decimal":
		return func(r *row) string { return fmt.Sprintf("%d.%02d", 1+r.number(90), r.number(100)) }
	}
	title := f.Title.ZH
	if !f.Required {
		return func(*row) string { return "" }
	}
	return func(r *row) string { return title + strconv.Itoa(1+r.number(400)) }
}

func counterpart(r *row) string {
	if r.e.Category == "92" {
		return "个体工商户"
	}
	return "法人及非法人组织"
}
