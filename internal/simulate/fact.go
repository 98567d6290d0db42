package simulate

import "xinshu/catalog"

// fact is one row as its department means it, in the catalogue's canonical words; how it is written
// is the contract's matter. Several facts may be versions of one record.
type fact struct {
	n       int    // which record of the entity in this dataset; equal n, equal record key
	day     int    // of Days, on which it is handed over
	op      string // I, U, D
	kind    string // empty: as the contract's constant
	level   string
	on      catalog.Date // date of the act
	until   catalog.Date // end of validity, exit, settlement, due day; NoDate: none, or not known yet
	changed catalog.Date // day of the newest change; NoDate in a first version
	sent    catalog.Date // day it left the department
	salt    uint64       // what is left to taste: amounts, wording
	echo    *dataset     // the department's dataset this double report repeats; nil: an act of its own
	echoN   int          // and the record there
	about   *target      // what a case speaks of
}

// late says whether a record missed a yearly cut-off that it should have made.
func (f fact) late() bool {
	if f.op != "I" {
		return false
	}
	for _, c := range cutoffs {
		if f.on <= c && hubDates[f.day-1] > c {
			return true
		}
	}
	return false
}

// facts makes everything a dataset holds about the ith entity, on all days, versions in their order.
// The slice is good until the next call.
func (p *Province) facts(c *chance, d *dataset, i int, e *Entity, into []fact) []fact {
	switch {
	case d.cases:
		return p.caseFacts(c, d, i, e, into)
	case d.id == "prov-credit.penalty" || d.id == "prov-credit.licence":
		into = p.echoes(c, d, i, e, into)
	}
	s := d.source
	if !d.concerns(e) {
		return into
	}
	c.begin(p.seed, d.hash, uint64(i))
	if !c.permille(s.rate[e.Nature]) && !d.pinned(i) {
		return into
	}
	records := 1
	for records < s.most && c.permille(350) {
		records++
	}
	for n := range records {
		into = p.record(c, d, e, n, into)
	}
	return into
}

// record makes the versions of one record.
func (p *Province) record(c *chance, d *dataset, e *Entity, n int, into []fact) []fact {
	s := d.source
	f := fact{n: n, op: "I", until: catalog.NoDate, changed: catalog.NoDate, salt: c.rand.Uint64()}
	f.kind, f.level = d.kindOf(c, e), c.draw(s.levels[e.Nature])
	if f.kind == "donation" || f.kind == "volunteering" {
		f.level = "" // a gift has no level
	}
	if d.family == "registration" {
		return registrationFacts(d, e, f, into)
	}
	var ok bool
	if f.on, ok = d.dateOf(c, e, f.level); !ok {
		return into
	}
	end := catalog.NoDate
	if c.permille(s.ends) && s.term[1] > 0 {
		end = f.on.AddDays(c.between(s.term[0], s.term[1]))
	}
	f.sent = f.on.AddDays(c.between(1, 6))
	if c.permille(lateShare(d)) && !s.fixed {
		f.sent = f.on.AddDays(c.between(15, 110))
	}
	if f.day = received(f.sent); f.day == 0 {
		return into // it will reach the hub after the last of our days
	}
	if d.endsAhead() || end < f.sent {
		f.until = end
	}
	into = append(into, f)
	if !d.endsAhead() && end >= f.sent && end != catalog.NoDate {
		g := f
		g.until, g.changed = end, end
		into = follow(into, g, end.AddDays(c.between(1, 5)))
	}
	if c.permille(s.changes) {
		into = p.change(c, d, e, into)
	}
	if c.permille(s.withdrawn) {
		g := into[len(into)-1]
		g.op, g.changed = "D", laterDay(c, g)
		into = follow(into, g, g.changed)
	}
	return into
}

// change lets the level of a record turn into another one, later.
func (p *Province) change(c *chance, d *dataset, e *Entity, into []fact) []fact {
	g := into[len(into)-1]
	if d.source.was != "" && g.level != d.source.was {
		return into
	}
	if g.level = d.source.becomes; g.level == "" {
		g.level = c.draw(d.source.levels[e.Nature])
	}
	if g.level == into[len(into)-1].level {
		return into
	}
	g.changed = laterDay(c, g)
	return follow(into, g, g.changed)
}

// follow appends a version that was sent on a day; one that would reach the hub together with an
// earlier version takes that one's place, as a register shows its newest state.
func follow(into []fact, f fact, sent catalog.Date) []fact {
	at := received(sent)
	if at == 0 || at < into[len(into)-1].day {
		return into
	}
	f.day, f.sent = at, sent
	if f.op == "I" {
		f.op = "U"
	}
	last := len(into) - 1
	if into[last].day != at {
		return append(into, f)
	}
	if f.op != "D" { // a row and its own withdrawal on one day: the withdrawal waits for no day of ours
		f.op = into[last].op
		into[last] = f
	}
	return into
}

// laterDay is a day after the fact on which the hub is already listening.
func laterDay(c *chance, f fact) catalog.Date {
	from := max(f.on.AddDays(5), f.sent, hubDates[0])
	return from.AddDays(c.between(1, max(1, int(lastDay-from)-2)))
}

// registrationFacts gives an entity's registration: in force at the first load, unless its end is older.
func registrationFacts(d *dataset, e *Entity, f fact, into []fact) []fact {
	f.on, f.day, f.sent, f.level = e.Established, 1, e.Established.AddDays(1), "active"
	if e.Status == "active" || !d.writes(e.Status) {
		return append(into, f)
	}
	into = append(into, f)
	f.level, f.until, f.changed = e.Status, e.StatusOn, e.StatusOn
	return follow(into, f, e.StatusOn)
}

// lateShare is how many in a thousand records leave their department weeks late: of penalties, whose
// lateness is what supervision of double publicity is about, more than of the rest.
func lateShare(d *dataset) int {
	if d.family == "penalty" {
		return 130
	}
	return 50
}

// dateOf draws the date of a fact: more of the last year than of the time before, never before the
// entity was there to do anything, never after its registration ended.
func (d *dataset) dateOf(c *chance, e *Entity, level string) (catalog.Date, bool) {
	from, to := d.source.from, d.source.to
	if from == 0 {
		from = lastDay.AddDays(-3 * 365)
	}
	if to == 0 {
		to = lastDay.AddDays(-3)
	}
	if d.id == "amr.annual" { // the reporting season ends on 30 June
		switch level {
		case "on_time":
			to = day("2025-06-30")
		case "late":
			from = day("2025-07-02")
		default:
			from, to = day("2025-07-01"), day("2025-07-01")
		}
	}
	if from < lastDay.AddDays(-420) && c.permille(600) {
		from = lastDay.AddDays(-420)
	}
	from = max(from, e.Established.AddDays(30))
	if e.StatusOn != catalog.NoDate && e.Status != "suspended" {
		to = min(to, e.StatusOn)
	}
	if from > to {
		return 0, false
	}
	return from.AddDays(c.between(0, int(to-from))), true
}

// kindOf draws the kind where the contract reads it from a field.
func (d *dataset) kindOf(c *chance, e *Entity) string {
	if d.id == "prov-credit.list" { // the honour list for the best, the others for the worst
		if e.Nature <= Good {
			return "honour_list"
		}
		return c.draw([]weighed{{"adverse_list", 60}, {"severe_list", 40}})
	}
	if d.id == "edu.training" && e.Nature <= Good {
		return "white_list"
	}
	return c.draw(d.source.kinds)
}

// echoes are the double reports: acts of departments that the province's platform sends once more.
func (p *Province) echoes(c *chance, d *dataset, i int, e *Entity, into []fact) []fact {
	for _, other := range p.order {
		if other.family != d.family || other == d || other.native() {
			continue
		}
		first := len(into)
		into = p.facts(c, other, i, e, into)
		kept := first
		for _, f := range into[first:] {
			if f.op != "I" || mix(f.salt^echoWord)%1000 >= echoShare {
				continue
			}
			f.echo, f.echoN = other, f.n
			f.n = 100*(other.place+1) + f.n
			f.sent = f.sent.AddDays(1 + int(mix(f.salt)%4))
			if f.day = received(f.sent); f.day == 0 {
				continue
			}
			into[kept] = f
			kept++
		}
		into = into[:kept]
	}
	return into
}

// echoShare is how many in a thousand acts of departments come a second time through the platform.
const (
	echoShare = 250
	echoWord  = 0xec40
)
