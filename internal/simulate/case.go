package simulate

import "xinshu/catalog"

// target is the record a case speaks of.
type target struct {
	dataset *dataset
	first   fact // its first version
}

// The words by which a record's further fate is told from its salt.
const (
	fateWord = 0xfa7e
	pathWord = 0x9a78
	whenWord = 0x3e11
)

// fate is what becomes of a record by decision of an authority; most records have none.
type fate struct {
	kind   string       // canonical kind of the case family; empty: none
	opened catalog.Date // an objection is on file from this day
	on     catalog.Date // day of the decision; NoDate: open
}

// fateOf tells a record's fate. It depends on the first version of the record alone, so that the two
// platforms that could report it agree on it without asking each other.
func (d *dataset) fateOf(f fact) fate {
	m := int(mix(f.salt^fateWord) % 1000)
	none := fate{on: catalog.NoDate, opened: catalog.NoDate}
	pick := func(from, to catalog.Date) (catalog.Date, bool) {
		if from > to {
			return catalog.NoDate, false
		}
		return from.AddDays(int(mix(f.salt^whenWord) % uint64(to-from+1))), true
	}
	decided := func(kind string, from, to catalog.Date) fate {
		on, ok := pick(from, to)
		if !ok {
			return none
		}
		return fate{kind: kind, on: on, opened: catalog.NoDate}
	}
	end := lastDay.AddDays(-3)
	switch {
	case d.family == "listing":
		if m < 300 && f.until == catalog.NoDate {
			return decided("list_exit", max(f.on.AddDays(365), hubDates[0]), end)
		}
		return none
	case f.late() && d.family == "penalty" && m < 400: // decided while the record is still on its way: the mark waits for it
		return decided("repair", f.on.AddDays(7), hubDates[f.day-2].AddDays(-1))
	case f.late() && m < 700: // what was missing at the cut-off comes in by a case
		return decided("completion", max(hubDates[3].AddDays(3), f.sent), end)
	case d.family != "penalty":
		return none
	case m < 260:
		return decided("repair", max(f.on.AddDays(90), day("2025-09-20")), end) // three months at least (facts.md 6.1)
	case m < 340:
		opened, ok := pick(max(f.on.AddDays(3), hubDates[0].AddDays(-15)), end.AddDays(-2))
		if !ok {
			return none
		}
		kind := "objection_rejected"
		if m%10 < 4 {
			kind = "objection_upheld"
		}
		return fate{kind: kind, opened: opened, on: opened.AddDays(4 + m%12)}
	case m < 360:
		return decided("withdrawal", max(f.on.AddDays(10), hubDates[0]), end)
	case m < 375:
		return decided("correction", max(f.on.AddDays(10), hubDates[0]), end)
	}
	return none
}

// reporter is the platform dataset that reports a decision about a record.
func reporter(kind string, salt uint64) string {
	switch kind {
	case "repair", "withdrawal", "list_exit":
		if mix(salt^pathWord)%10 < 6 {
			return "nat-credit.repair"
		}
		return "prov-credit.repair"
	case "":
		return ""
	}
	return "prov-credit.objection"
}

// caseFacts gives what a platform decided about the entity's records, each decision the day after it
// was made.
func (p *Province) caseFacts(c *chance, d *dataset, i int, e *Entity, into []fact) []fact {
	var buf [24]fact
	for _, other := range p.order {
		if !other.caseable() {
			continue
		}
		var last fact
		facts := p.facts(c, other, i, e, buf[:0])
		for k, f := range facts {
			if f.op != "I" || f.echo != nil || k+1 < len(facts) && facts[k+1].n == f.n && facts[k+1].op == "D" {
				continue // a second report shares the fate of the first; what was withdrawn has none
			}
			last = f
			if k+1 < len(facts) && facts[k+1].n == f.n {
				last.until = facts[k+1].until
			}
			fate := other.fateOf(last)
			if reporter(fate.kind, f.salt) != d.id {
				continue
			}
			into = p.decision(other, f, fate, into)
		}
	}
	return into
}

func (p *Province) decision(other *dataset, f fact, ft fate, into []fact) []fact {
	g := fact{
		n: 100*(other.place+1) + f.n, op: "I", kind: ft.kind, on: ft.on, until: catalog.NoDate, changed: catalog.NoDate,
		salt: mix(f.salt), about: &target{dataset: other, first: f},
	}
	if ft.opened == catalog.NoDate {
		g.sent = ft.on.AddDays(1)
		if g.day = received(g.sent); g.day == 0 {
			return into
		}
		return append(into, g)
	}
	g.kind, g.on, g.sent = "objection_open", ft.opened, ft.opened.AddDays(1)
	if g.day = received(g.sent); g.day == 0 {
		return into
	}
	into = append(into, g)
	g.kind, g.until = ft.kind, ft.on // until: the day of the decision, beside that of the application
	return follow(into, g, ft.on.AddDays(1))
}
