package simulate

import (
	"iter"

	"xinshu/catalog"
)

// Tally is what a hub that makes no mistake reports of rows.
type Tally struct {
	Rows     int64
	Verdicts map[string]int64 // accepted, duplicate, quarantined, skipped
	Reasons  map[string]int64 // of the quarantined
	Faults   map[Fault]int64  // dirt of each kind, the harmless included
	Late     int64            // records received after a yearly cut-off that they should have made
}

// Truth counts one day's rows of a dataset.
func (p *Province) Truth(dataset string, day int) Tally {
	t := Tally{Verdicts: map[string]int64{}, Reasons: map[string]int64{}, Faults: map[Fault]int64{}}
	for r := range p.Rows(dataset, day) {
		t.Rows++
		t.Verdicts[r.Want]++
		if r.Want == Quarantined {
			t.Reasons[r.Reason]++
		}
		if r.Fault != "" {
			t.Faults[r.Fault]++
		}
		if r.Late && r.Want == Accepted {
			t.Late++
		}
	}
	return t
}

// Add counts another tally in.
func (t *Tally) Add(o Tally) {
	if t.Verdicts == nil {
		t.Verdicts, t.Reasons, t.Faults = map[string]int64{}, map[string]int64{}, map[Fault]int64{}
	}
	t.Rows += o.Rows
	t.Late += o.Late
	for k, n := range o.Verdicts {
		t.Verdicts[k] += n
	}
	for k, n := range o.Reasons {
		t.Reasons[k] += n
	}
	for k, n := range o.Faults {
		t.Faults[k] += n
	}
}

// Mark is a statement about a record: a case that a platform reports, or a department's own withdrawal.
type Mark struct {
	Kind        string // of the case family: repair, objection_open, withdrawal, …
	From        string // dataset that states it
	Entity      int
	Dataset     string   // of the record meant
	Record      string   // its record id at the source
	Key         []string // values of its record key, canonical
	DocNo       string   // its document number; empty where its contract has none
	EffectiveOn catalog.Date
	Day         int  // on which the hub receives it
	Waits       bool // it comes before its record
}

// Marks are all statements of the province, entity by entity; an entity's come in no order of time.
func (p *Province) Marks() iter.Seq[Mark] {
	return func(yield func(Mark) bool) {
		c := newChance()
		for i := range p.entities {
			for _, m := range p.marksOf(c, i) {
				if !yield(m) {
					return
				}
			}
		}
	}
}

func (p *Province) marksOf(c *chance, i int) (marks []Mark) {
	e := &p.entities[i]
	for _, d := range p.order {
		for _, f := range p.facts(c, d, i, e, nil) {
			switch {
			case f.about != nil:
				t := f.about
				m := Mark{
					Kind: f.kind, From: d.id, Entity: i, Dataset: t.dataset.id, Record: p.recordID(t.dataset, i, t.first.n), Key: p.keyOf(t.dataset, i, t.first), DocNo: p.docNo(d, i, &f),
					EffectiveOn: f.on, Day: f.day, Waits: f.day < t.first.day,
				}
				if f.until != catalog.NoDate {
					m.EffectiveOn = f.until
				}
				marks = append(marks, m)
			case f.op == "D":
				m := Mark{Kind: "withdrawal", From: d.id, Entity: i, Dataset: d.id, Record: p.recordID(d, i, f.n), Key: p.keyOf(d, i, f), EffectiveOn: f.sent, Day: f.day}
				if d.contract.Map["doc_no"].Field != "" {
					m.DocNo = p.docNo(d, i, &f)
				}
				marks = append(marks, m)
			}
		}
	}
	return marks
}

// Record is what a hub that makes no mistake knows of one record of a dataset.
type Record struct {
	Entity   int
	Record   string   // record id at the source
	Key      []string // values of the contract's record key, canonical
	Kind     string
	Level    string       // - where the kind has none
	On       catalog.Date // date of the act in its newest version
	Received int          // day on which its first version came
	Versions int
	Status   string // in_force, disputed, repaired, withdrawn; unconfirmed: a self-report for which nobody has stood yet
}

// Records are a dataset's records as known at the end of one of Days.
func (p *Province) Records(dataset string, day int) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		d, ok := p.byID[dataset]
		if !ok || d.cases {
			return
		}
		c := newChance()
		for i := range p.entities {
			for _, r := range p.recordsOf(c, d, i, day) {
				if !yield(r) {
					return
				}
			}
		}
	}
}

func (p *Province) recordsOf(c *chance, d *dataset, i, day int) (records []Record) {
	for _, f := range p.facts(c, d, i, &p.entities[i], nil) {
		if f.day > day {
			continue
		}
		id := p.recordID(d, i, f.n)
		at := len(records) - 1
		if at < 0 || records[at].Record != id {
			records = append(records, Record{Entity: i, Record: id, Key: p.keyOf(d, i, f), Received: f.day})
			at++
		}
		r := &records[at]
		if f.op == "D" {
			r.Status = "withdrawn"
			continue
		}
		r.Kind, r.Level, r.On, r.Versions, r.Status = d.kindWord(f), d.levelWord(f), f.on, r.Versions+1, "in_force"
		if d.id == "prov-credit.selfreport" && f.until == catalog.NoDate {
			r.Status = "unconfirmed"
		}
		if d.moves && f.changed != catalog.NoDate {
			r.On = f.changed
		}
	}
	if len(records) == 0 || !d.caseable() {
		return records
	}
	for _, m := range p.marksOf(c, i) {
		for k := range records {
			if m.Dataset == d.id && m.Record == records[k].Record && m.Day <= day {
				records[k].Status = statusUnder(records[k].Status, m.Kind)
			}
		}
	}
	return records
}

// keyOf gives the values of the record key as the hub will read them.
func (p *Province) keyOf(d *dataset, i int, f fact) []string {
	r := &row{p: p, d: d, e: &p.entities[i], i: i, f: &f}
	key := make([]string, len(d.contract.Key))
	for k, name := range d.contract.Key {
		col := d.columns[d.at(name)]
		if r.col = col.hash; col.field.Type == "date" {
			key[k] = f.on.String() // however the department writes it
			continue
		}
		key[k] = col.write(r)
	}
	return key
}

// kindWord and levelWord give the canonical words of a fact, those that the contract fixes included.
func (d *dataset) kindWord(f fact) string {
	if f.kind == "" {
		return d.contract.Kind.Const
	}
	return f.kind
}

func (d *dataset) levelWord(f fact) string {
	switch {
	case d.contract.Map["level"].Const != "":
		return d.contract.Map["level"].Const
	case d.contract.Kind.Const == "tax_arrears", d.contract.Kind.Const == "wage_arrears": // told by the day of settling
		if f.until == catalog.NoDate {
			return "open"
		}
		return "settled"
	case f.level == "":
		return "-"
	}
	return f.level
}

// statusUnder gives the status of a record under one more mark. A record has one fate, so no two
// decisions meet.
func statusUnder(status, mark string) string {
	switch mark {
	case "repair":
		return "repaired"
	case "withdrawal", "objection_upheld":
		return "withdrawn"
	case "objection_open":
		if status == "in_force" {
			return "disputed"
		}
	case "objection_rejected":
		return "in_force"
	}
	return status
}
