package simulate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

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
func (d *dataset) writer(f catalog.Field, hash uint64, role string, listed []string) func(*row) string {
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

// dateWriter writes a date field by the part it plays in the fact.
func (d *dataset) dateWriter(f catalog.Field, role string) func(*row) string {
	form := dateForms[d.hash%uint64(len(dateForms))]
	date := func(of func(r *row) catalog.Date) func(*row) string {
		return func(r *row) string { return writeDate(of(r), form) }
	}
	on := func(r *row) catalog.Date { return r.f.on }
	until := func(r *row) catalog.Date { return r.f.until }
	if f.Required { // an end that must be given: without one, the day that stands for none
		until = func(r *row) catalog.Date {
			if r.f.until == catalog.NoDate {
				return endless
			}
			return r.f.until
		}
	}
	switch role {
	case "changed":
		return date(func(r *row) catalog.Date { return r.f.changed })
	case "confirmed_on":
		if d.family == "honour" { // the day on which somebody stood for a self-reported matter
			return date(until)
		}
	case "status_on", "removed_on", "settled_on", "valid_through", "due_on", "expires_on", "expires_through", "effective_through", "publicity_through":
		return date(until)
	case "closed_on":
		return date(func(r *row) catalog.Date {
			if r.f.level == "open" {
				return catalog.NoDate
			}
			return min(max(r.f.on.AddDays(20), r.f.changed), r.f.sent)
		})
	case "filed_on":
		return date(func(r *row) catalog.Date {
			if r.f.level == "not_filed" && !f.Required {
				return catalog.NoDate
			}
			return r.f.on
		})
	case "effective_on": // of a case: the decision
		return date(func(r *row) catalog.Date {
			if r.f.until != catalog.NoDate {
				return r.f.until
			}
			return r.f.on
		})
	case "":
		if strings.Contains(f.Name, "due") {
			return date(func(r *row) catalog.Date { return r.f.on.AddDays(30) })
		}
	}
	return date(on)
}

// endless stands in sources for a validity without end (facts.md 2.1).
var endless = day("2099-12-31")

// The written forms of dates that circulate; a department keeps to one.
var dateForms = []string{"2006-01-02", "2006-01-02", "2006/1/2", "20060102", "2006年1月2日", "2006-01-02 15:04:05"}

func writeDate(d catalog.Date, form string) string {
	if d == catalog.NoDate {
		return ""
	}
	if form == "2006-01-02" {
		return d.String()
	}
	return d.Time().Format(form)
}

// opTime is when the department touched the row: on the day it was sent, at some minute of the working day.
func (r *row) opTime() string {
	minute := 8*60 + 5 + int(mix(r.f.salt^uint64(r.f.day))%(9*60)) - r.minutes
	at := time.Unix(int64(r.f.sent)*86400+int64(minute)*60, 0).UTC()
	return at.Format("2006-01-02 15:04:05")
}

// recordID is the department's own number of the record.
func (p *Province) recordID(d *dataset, i, n int) string {
	return d.letters + strconv.Itoa(1_000_000+i) + "-" + strconv.Itoa(n+1)
}

// docNo numbers a decision; the double report of an act has the act's number.
func (p *Province) docNo(d *dataset, i int, f *fact) string {
	if f.about != nil {
		t := f.about
		return p.docNo(t.dataset, i, &fact{n: t.n, on: t.on})
	}
	n := f.n
	if f.echo != nil {
		d, n = f.echo, f.echoN
	}
	if m := d.contract.Map["doc_no"]; m.Field == "source_record_id" {
		return p.recordID(d, i, n)
	}
	year, _, _ := f.on.Civil()
	return fmt.Sprintf("%s〔%d〕第%d号", docWords(d), year, 10*(i+1)+n)
}

func docWords(d *dataset) string {
	word := shortNames[authorityOwner(d, &fact{})]
	switch d.family {
	case "penalty":
		return word + "罚决字"
	case "licence":
		return word + "许字" + strconv.Itoa(d.place)
	case "listing":
		if d.owner == "court" {
			return "执" + strconv.Itoa(d.place) + "字"
		}
		return word + "列字" + strconv.Itoa(d.place)
	}
	return word + "字" + strconv.Itoa(d.place)
}

// authorityOwner is the unit that decided: of a double report the department, of a platform's own rows
// one of the departments that report nothing else.
func authorityOwner(d *dataset, f *fact) string {
	switch {
	case f.about != nil:
		return authorityOwner(f.about.dataset, &fact{})
	case f.echo != nil:
		return f.echo.owner
	case d.native():
		return "emergency"
	}
	return d.owner
}

func (p *Province) authority(d *dataset, e *Entity, f *fact) string {
	if f.about != nil && f.about.dataset.family == "honour" { // whoever awarded it
		awarded := &row{f: &fact{salt: f.about.salt}, col: hashOf("awarded_by")}
		return awarded.pick(phrases["awarded_by"])
	}
	owner := authorityOwner(d, f)
	if owner == "court" {
		return places[e.Division] + "人民法院"
	}
	if unit, ok := strings.CutPrefix(unitNames[owner], "市"); ok {
		return places[e.Division] + unit
	}
	return unitNames[owner]
}

func (p *Province) authorityCode(d *dataset, e *Entity, f *fact) string {
	return p.authorities[authorityOwner(d, f)+e.Division]
}

func counterpart(r *row) string {
	if r.e.Category == "92" {
		return "个体工商户"
	}
	return "法人及非法人组织"
}
