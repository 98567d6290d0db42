// Package simulate owns a province that does not exist: parties and what is recorded about them, and
// the platforms and departments that say so, each in its own words, protocol and carelessness. It
// refuses to know the hub: it is a stranger that speaks to it over its protocols, and it keeps the truth
// of what it said, so that the hub can be held against it. All data come from a seed; they go to the
// servers of this package, and from there to whoever asks.
package simulate

import (
	"fmt"
	"iter"

	"xinshu/catalog"
)

// Province is the data half of the simulated province: who lives in it and what each platform and
// department has to say on each of Days. It is made from a seed alone; the same seed gives the same
// rows, whatever was asked before. It may be read from several goroutines.
type Province struct {
	seed        uint64
	entities    []Entity
	order       []*dataset
	byID        map[string]*dataset
	authorities map[string]string // owner and division to the code of the authority
}

// DefaultEntities is the size of the province that the demo lives in.
const DefaultEntities = 20_000

// Row is one row as a department hands it over, and the truth about it.
type Row struct {
	Values []string // in the order of Columns; empty where the department gives nothing
	Entity int      // place in Entities
	Record string   // the record id at the source
	Fault  Fault    // empty: clean
	Want   string   // accepted, duplicate, quarantined, skipped
	Reason string   // of a quarantined row
	Column string   // of a quarantined row: the column at fault, as its owner heads it
	Late   bool     // received after a yearly cut-off, though the act lies before it
}

// New makes the province of a seed over the datasets of a catalogue.
func New(seed uint64, entities int, cat *catalog.Catalog) (*Province, error) {
	p := &Province{seed: seed, byID: map[string]*dataset{}, authorities: map[string]string{}}
	c := newChance()
	for i := range entities {
		p.entities = append(p.entities, p.entity(c, i))
	}
	for i, owner := range sortedKeys(unitNames) {
		for j, division := range sortedKeys(places) {
			p.authorities[owner+division] = makeCode("11", division, 50_000_000+1000*i+j)
		}
	}
	holds := map[string]source{}
	for _, s := range sources {
		holds[s.dataset] = s
	}
	codes := func(list string) (words []string) {
		l, _ := cat.CodeList(list)
		for _, v := range l.Values {
			words = append(words, v.Code)
		}
		return words
	}
	for _, ds := range cat.Datasets {
		s, known := holds[ds.ID]
		if !known && ds.Family != "case" {
			continue // a city's own dataset: this province knows nothing of it
		}
		d, err := compile(ds, len(p.order), s, codes)
		if err != nil {
			return nil, fmt.Errorf("make simulated province: %w", err)
		}
		d.pin(p.entities)
		p.order = append(p.order, d)
		p.byID[ds.ID] = d
	}
	return p, nil
}

// Entities are the parties of the province, in a fixed order. The caller does not change them.
func (p *Province) Entities() []Entity { return p.entities }

// Datasets are the ids of the datasets the province speaks of.
func (p *Province) Datasets() []string {
	ids := make([]string, len(p.order))
	for i, d := range p.order {
		ids[i] = d.id
	}
	return ids
}

// Columns are a dataset's columns as its owner heads them; nil for a dataset the province does not know.
func (p *Province) Columns(dataset string) []string {
	if d, ok := p.byID[dataset]; ok {
		return d.headings
	}
	return nil
}

// Rows gives what a dataset's owner hands over on one of Days, counted from 1. The values of a row
// are the caller's to keep.
func (p *Province) Rows(dataset string, day int) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		d, ok := p.byID[dataset]
		if !ok {
			return
		}
		c := newChance()
		var buf [32]fact
		first := true
		for _, member := range p.membersOf(d) {
			i := int(member)
			for _, f := range p.facts(c, d, i, &p.entities[i], buf[:0]) {
				if f.day != day {
					continue
				}
				for r := range p.rowsOf(d, i, f, first) {
					if !yield(r) {
						return
					}
				}
				first = false
			}
		}
	}
}

// membersOf gives the entities a dataset holds anything about. Most hold little: to ask every entity
// again on every day would cost more than the rows.
func (p *Province) membersOf(d *dataset) []int32 {
	d.once.Do(func() {
		c := newChance()
		var buf [32]fact
		for i := range p.entities {
			if len(p.facts(c, d, i, &p.entities[i], buf[:0])) > 0 {
				d.members = append(d.members, int32(i))
			}
		}
	})
	return d.members
}

// DayRows gives the same as Rows, the values alone.
func (p *Province) DayRows(dataset string, day int) [][]string {
	var rows [][]string
	for r := range p.Rows(dataset, day) {
		rows = append(rows, r.Values)
	}
	return rows
}

// rowsOf writes a fact, and the dirt that stands beside it. The first row of a day has a fault of its
// dataset's turn, so that a small province lacks none.
func (p *Province) rowsOf(d *dataset, i int, f fact, first bool) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		e := &p.entities[i]
		r := &row{p: p, d: d, e: e, i: i, f: &f}
		clean := Row{Values: d.write(r), Entity: i, Record: p.recordID(d, i, f.n), Want: Accepted, Late: f.late()}
		fault := d.faultOf(f, first)
		if fault == "" {
			yield(clean)
			return
		}
		want := Dirt[dirtOf[fault]].Want
		if want == Accepted { // dirt that the hub puts right stands on the row itself
			if _, _, ok := d.spoil(fault, r, clean.Values); ok {
				clean.Fault = fault
			}
			yield(clean)
			return
		}
		dirty := clean
		dirty.Fault, dirty.Want = fault, want
		if want != Duplicated {
			r.minutes, r.suffix = 1, "X" // a record of its own, touched just before the clean one
			dirty.Record += r.suffix
		}
		dirty.Values = d.write(r)
		var ok bool
		if dirty.Reason, dirty.Column, ok = d.spoil(fault, r, dirty.Values); !ok {
			yield(clean)
			return
		}
		if want == Duplicated {
			_ = yield(clean) && yield(dirty)
			return
		}
		_ = yield(dirty) && yield(clean)
	}
}

// faultOf tells which dirt stands beside a fact. Withdrawals stay clean: they name a record and little else.
func (d *dataset) faultOf(f fact, first bool) Fault {
	if f.op == "D" || len(d.faults) == 0 {
		return ""
	}
	if first && f.op == "I" {
		return d.faults[(d.place+f.day)%len(d.faults)]
	}
	at := int(mix(f.salt^dirtWord^uint64(f.day)) % 100_000)
	for _, fault := range d.faults {
		if at -= Dirt[dirtOf[fault]].Rate; at < 0 {
			return fault
		}
	}
	return ""
}

const dirtWord = 0xd127

// write gives the values of a row.
func (d *dataset) write(r *row) []string {
	values := make([]string, len(d.columns))
	for i, c := range d.columns {
		r.col = c.hash
		values[i] = c.write(r)
	}
	return values
}
