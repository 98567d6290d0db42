package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// penaltyLevels are the levels of a penalty, the gravest first.
var penaltyLevels = []string{"serious", "general", "minor"}

// Rules are the dated rule sets: how grave a penalty is, and how long it is public. A set without a department is
// the national one of its time; a department's own set is laid over it while it holds, because the industry
// department sets and publishes its concrete standard (Order 36).
type Rules struct {
	Severity  []SeverityRules
	Publicity []PublicityRules
}

// Term is when a rule set holds and for whom: decisions made in [ValidFrom, ValidUntil); nil is open.
type Term struct {
	ID         string `yaml:"id" json:"id"`
	Title      Text   `yaml:"title" json:"title"`
	Department string `yaml:"department" json:"department,omitempty"` // owner of the datasets it holds for; empty: all
	ValidFrom  *Date  `yaml:"valid_from" json:"valid_from,omitempty"`
	ValidUntil *Date  `yaml:"valid_until" json:"valid_until,omitempty"`
	Source     `yaml:",inline"`

	File string `yaml:"-" json:"file"`
}

// SeverityRules give a penalty its level where the source gives none. Of several categories the gravest decides.
type SeverityRules struct {
	Term            `yaml:",inline"`
	SimpleProcedure string         `yaml:"simple_procedure" json:"simple_procedure,omitempty"` // level of a penalty under simple procedure
	Words           []SeverityWord `yaml:"words" json:"words"`
	Otherwise       string         `yaml:"otherwise" json:"otherwise,omitempty"` // level of a category that no word begins
}

// SeverityWord gives a level to penalty categories that begin with a word.
type SeverityWord struct {
	Word   string `yaml:"word" json:"word"`
	Level  string `yaml:"level" json:"level"`
	Source `yaml:",inline"`
}

// PublicityRules say how long penalties are public. A period of the department stands before one of all, and that
// of a level before the one of any.
type PublicityRules struct {
	Term    `yaml:",inline"`
	Periods []PublicityPeriod `yaml:"periods" json:"periods"`
}

// PublicityPeriod is the period of one level, counted from the day of the decision.
type PublicityPeriod struct {
	Level      string `yaml:"level" json:"level"`                     // or *
	Department string `yaml:"department" json:"department,omitempty"` // owner of the datasets it holds for; empty: all
	Shortest   int    `yaml:"shortest_months" json:"shortest_months"` // repair is possible from then on
	Longest    int    `yaml:"longest_months" json:"longest_months"`   // publicity and sharing stop by themselves then
	Published  bool   `yaml:"published" json:"published"`             // false: in principle not shown to the public at all
	Source     `yaml:",inline"`
}

func (l *loader) rules() Rules {
	var r Rules
	load(l, "rules/severity-*.yaml", &r.Severity, l.severity)
	load(l, "rules/publicity-*.yaml", &r.Publicity, l.publicity)
	seamless(l, r.Severity, func(s SeverityRules) Term { return s.Term })
	seamless(l, r.Publicity, func(p PublicityRules) Term { return p.Term })
	return r
}

func (l *loader) severity(s *SeverityRules, at place) []Fault {
	c := checker{place: at}
	l.term(&c, &s.Term)
	c.level([]any{"simple_procedure"}, s.SimpleProcedure, s.Department != "")
	c.level([]any{"otherwise"}, s.Otherwise, s.Department != "")
	seen := map[string]bool{}
	for i, w := range s.Words {
		if w.Word == "" || strings.ContainsAny(w.Word, ";；") || seen[w.Word] {
			c.fail([]any{"words", i}, "a word is one category or its beginning, and stands once; %q does not", w.Word)
		}
		seen[w.Word] = true
		c.level([]any{"words", i}, w.Level, false)
	}
	return c.faults
}

func (l *loader) publicity(p *PublicityRules, at place) []Fault {
	c := checker{place: at}
	l.term(&c, &p.Term)
	for i, period := range p.Periods {
		here := []any{"periods", i}
		c.level(here, period.Level, period.Level == "*")
		l.owner(&c, here, period.Department)
		if period.Shortest < 0 || period.Longest < 1 || period.Shortest > period.Longest {
			c.fail(here, "months from %d to %d are no period", period.Shortest, period.Longest)
		}
	}
	for _, level := range penaltyLevels {
		holds := func(x PublicityPeriod) bool { return (x.Level == level || x.Level == "*") && x.Department == "" }
		if p.Department == "" && !slices.ContainsFunc(p.Periods, holds) {
			c.fail([]any{"periods"}, "no period holds for level %s", level)
		}
	}
	return c.faults
}

func (l *loader) term(c *checker, t *Term) {
	t.File = c.file
	c.named(t.ID, t.Title)
	l.owner(c, []any{"department"}, t.Department)
	if t.ValidFrom != nil && t.ValidUntil != nil && *t.ValidFrom >= *t.ValidUntil {
		c.fail([]any{"valid_until"}, "the set would end before it begins")
	}
	if t.Origin == "" && t.Clause == "" {
		c.fail([]any{"title"}, "a rule set names its clause, or origin: proposal")
	}
}

func (l *loader) owner(c *checker, at []any, id string) {
	_, department := l.cat.Department(id)
	_, platform := l.cat.Platform(id)
	if id != "" && !department && !platform {
		c.fail(at, "%q is no department and no platform", id)
	}
}

func (c *checker) level(at []any, level string, optional bool) {
	if !optional || level != "" && level != "*" {
		c.oneOf(at, level, penaltyLevels...)
	}
}

// seamless demands that for each department, and nationally, no day has two sets, and that nationally none has none.
func seamless[T any](l *loader, sets []T, term func(T) Term) {
	last := map[string]Term{}
	ordered := slices.SortedFunc(slices.Values(sets), func(a, b T) int { return cmp.Compare(term(a).from(), term(b).from()) })
	for _, set := range ordered {
		t := term(set)
		before, ok := last[t.Department]
		last[t.Department] = t
		switch {
		case ok && before.until() > t.from():
			l.faults = append(l.faults, Fault{File: t.File, Line: 1, Message: fmt.Sprintf("the term overlaps that of %s", before.ID)})
		case t.Department == "" && (ok && before.until() < t.from() || !ok && t.ValidFrom != nil):
			l.faults = append(l.faults, Fault{File: t.File, Line: 1, Message: fmt.Sprintf("no national set holds just before %s", t.from())})
		}
	}
	if t, ok := last[""]; ok && t.ValidUntil != nil {
		l.faults = append(l.faults, Fault{File: t.File, Line: 1, Message: fmt.Sprintf("no national set holds from %s on", t.until())})
	}
}

// Period gives the publicity period of a penalty decided on a day, of a level, in data of an owner. A
// set or a period of the owner stands before one of all, and that of a level before the one of any.
func (r Rules) Period(decided Date, owner, level string) (best PublicityPeriod, found bool) {
	nearest := 0
	for _, set := range r.Publicity {
		if decided < set.from() || decided >= set.until() {
			continue
		}
		for _, p := range set.Periods {
			whose, near := cmp.Or(p.Department, set.Department), 1
			if whose != "" && whose != owner || p.Level != "*" && p.Level != level {
				continue
			}
			if whose != "" {
				near += 2
			}
			if p.Level != "*" {
				near++
			}
			if near > nearest {
				best, found, nearest = p, true, near
			}
		}
	}
	return best, found
}

// from and until give the term with its open ends as the first and last day there is.
func (t Term) from() Date {
	if t.ValidFrom == nil {
		return firstDay
	}
	return *t.ValidFrom
}

func (t Term) until() Date {
	if t.ValidUntil == nil {
		return lastDay
	}
	return *t.ValidUntil
}

var firstDay, lastDay = civil(1, 1, 1), civil(9999, 12, 31)
