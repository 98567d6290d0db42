package simulate

import (
	"fmt"
	"strconv"
	"strings"
)

// recordID is the department's own number of the record.
func (p *Province) recordID(d *dataset, i, n int) string {
	return d.letters + strconv.Itoa(1_000_000+i) + "-" + strconv.Itoa(n+1)
}

// docNo numbers a decision; the double report of an act has the act's number.
func (p *Province) docNo(d *dataset, i int, f *fact) string {
	if f.about != nil {
		return p.docNo(f.about.dataset, i, &f.about.first)
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
		return authorityOwner(f.about.dataset, &f.about.first)
	case f.echo != nil:
		return f.echo.owner
	case d.native():
		return "emergency"
	}
	return d.owner
}

func (p *Province) authority(d *dataset, e *Entity, f *fact) string {
	if f.about != nil && f.about.dataset.family == "honour" { // whoever awarded it
		awarded := &row{f: &fact{salt: f.about.first.salt}, col: hashOf("awarded_by")}
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
