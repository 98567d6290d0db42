package simulate

import (
	"testing"

	"xinshu/catalog"
)

func TestDirtKeepsItsStatedRates(t *testing.T) {
	p := province(t, 5, DefaultEntities)
	got, chances := map[Fault]int{}, map[Fault]int{}
	for _, d := range p.order {
		seen := map[string]bool{}
		for day := range Days {
			for r := range p.Rows(d.id, day+1) {
				if r.Fault != "" {
					got[r.Fault]++
				}
				if key := r.Values[d.at("op")]; key != "D" && (r.Want == Accepted || r.Want == Duplicated) && !seen[r.Record+key] {
					for _, f := range d.faults {
						chances[f]++
					}
				}
			}
		}
	}
	for _, dirt := range Dirt {
		per100k := float64(got[dirt.Fault]) / float64(chances[dirt.Fault]) * 100_000
		if low, high := 0.6*float64(dirt.Rate), 1.5*float64(dirt.Rate)+40; per100k < low || per100k > high {
			t.Errorf("%s: %.0f in 100,000 rows that can have it, stated %d (%d rows)", dirt.Fault, per100k, dirt.Rate, got[dirt.Fault])
		}
	}
}

func TestTruthSumsUp(t *testing.T) {
	p := province(t, 5, 2000)
	for _, id := range p.Datasets() {
		accepted := map[string]bool{} // record ids the hub keeps
		for day := range Days {
			truth := p.Truth(id, day+1)
			sum := int64(0)
			for _, n := range truth.Verdicts {
				sum += n
			}
			reasons := int64(0)
			for _, n := range truth.Reasons {
				reasons += n
			}
			if sum != truth.Rows || reasons != truth.Verdicts[Quarantined] {
				t.Errorf("%s day %d: %d rows, verdicts %v, reasons %v", id, day+1, truth.Rows, truth.Verdicts, truth.Reasons)
			}
			for r := range p.Rows(id, day+1) {
				if r.Want == Accepted {
					accepted[r.Record] = true
				}
				if (r.Reason != "") != (r.Want == Quarantined) {
					t.Errorf("%s: a row %s with reason %q", id, r.Want, r.Reason)
				}
			}
		}
		if d := p.byID[id]; d.cases {
			continue
		}
		records := 0
		for r := range p.Records(id, len(Days)) {
			if records++; !accepted[r.Record] {
				t.Errorf("%s: record %s is known and was never sent", id, r.Record)
			}
		}
		if records != len(accepted) {
			t.Errorf("%s: %d records known, %d sent", id, records, len(accepted))
		}
	}
}

// The turns that records take in the province's life; each is a promise of the hub that wants showing.
func TestEveryTurnOfARecordHappens(t *testing.T) {
	p := province(t, 20251231, 5000)
	kinds, waits, later := map[string]int{}, 0, 0
	for m := range p.Marks() {
		kinds[m.Kind]++
		if m.Waits {
			waits++
		}
		if m.Day == len(Days) && m.Kind == "repair" && m.EffectiveOn > cutoffs[1] {
			later++
		}
		if m.DocNo == "" && p.byID[m.From].cases {
			t.Errorf("a case without a document number: %+v", m)
		}
	}
	for _, k := range []string{"repair", "objection_open", "objection_upheld", "objection_rejected", "withdrawal", "correction", "completion", "list_exit"} {
		if kinds[k] == 0 {
			t.Errorf("no %s in the province", k)
		}
	}
	if waits == 0 {
		t.Error("no repair comes before its record")
	}
	if later == 0 {
		t.Error("no repair on the last day corrects the yearly result of 31 December")
	}

	late, ops, status := [len(Days) + 1]int{}, map[string]int{}, map[string]int{}
	each(p, func(dataset string, day int, r Row) {
		if r.Late && r.Want == Accepted {
			late[day]++
		}
		if at := p.byID[dataset].at("op"); r.Want == Accepted {
			ops[r.Values[at]]++
		}
	})
	if late[1] != 0 || late[2] == 0 || late[3] == 0 || late[4] == 0 {
		t.Errorf("records that missed a cut-off, by day: %v", late)
	}
	if ops["I"] == 0 || ops["U"] == 0 || ops["D"] == 0 {
		t.Errorf("operations: %v", ops)
	}
	for r := range p.Records("prov-credit.penalty", len(Days)) {
		status[r.Status]++
	}
	for _, s := range []string{"in_force", "disputed", "repaired", "withdrawn"} {
		if status[s] == 0 {
			t.Errorf("no penalty is %s at the end: %v", s, status)
		}
	}
}

func TestTheMixOfEntities(t *testing.T) {
	p := province(t, 1, 10_000)
	natures, categories := map[Nature]int{}, map[string]int{}
	for _, e := range p.Entities() {
		natures[e.Nature]++
		categories[e.Category]++
	}
	for n, share := range natureShare {
		if natures[Nature(n)] != share*10 {
			t.Errorf("nature %d: %d of 10,000, want %d", n, natures[Nature(n)], share*10)
		}
	}
	for _, c := range []string{"91", "92", "93", "51", "52", "12", "11", "31"} {
		if categories[c] == 0 {
			t.Errorf("no entity of category %s", c)
		}
	}
}

// A person's number stands in many rows of the province, as it does in life: the hub must find it.
func TestResidentIDsAreReal(t *testing.T) {
	p := province(t, 1, 2000)
	found := 0
	each(p, func(dataset string, _ int, r Row) {
		if r.Fault != IDInText && r.Fault != ResidentID && r.Fault != NaturalPerson {
			return
		}
		masked := false
		for _, v := range r.Values {
			_, hit := catalog.MaskIDs(v)
			masked = masked || hit
		}
		if found++; !masked {
			t.Errorf("%s: %s without a resident id: %v", dataset, r.Fault, r.Values)
		}
	})
	if found == 0 {
		t.Error("no such row")
	}
}
