package catalog

import (
	"cmp"
	"slices"
)

// The words of the table severity_rule that stand for no category.
const (
	SimpleProcedureWord = "#simple" // holds when the penalty was made under simple procedure
	OtherwiseWord       = "#other"  // holds always
)

// SeverityTable gives the rule sets as the table severity_rule. A row holds for a penalty when the decision lies in
// [valid_from, valid_until), department is null or the dataset's owner, and word is #other, or #simple with the simple
// procedure, or begins one of the categories: contains(';' || penalty_category, ';' || word). Of the rows that hold
// the one with the lowest rank decides, and rule goes to level_by. A department with a set of its own has its rows
// whole, with lower ranks, so that the national ones need not be left out.
func (r Rules) SeverityTable() PolicyTable {
	t := PolicyTable{Name: "severity_rule", Columns: [][2]string{{"rule", "VARCHAR"}, {"valid_from", "DATE"}, {"valid_until", "DATE"},
		{"department", "VARCHAR"}, {"word", "VARCHAR"}, {"level", "VARCHAR"}, {"rank", "INTEGER"}}}
	for _, national := range r.Severity {
		if national.Department != "" {
			continue
		}
		t.Rows = append(t.Rows, national.rows(national.from(), national.until(), 10)...)
		for _, own := range r.Severity {
			from, until := max(national.from(), own.from()), min(national.until(), own.until())
			if own.Department != "" && from < until {
				t.Rows = append(t.Rows, own.over(national).rows(from, until, 0)...)
			}
		}
	}
	return t
}

// over gives a department's set with what it leaves unsaid from the national one.
func (s SeverityRules) over(national SeverityRules) SeverityRules {
	s.SimpleProcedure = cmp.Or(s.SimpleProcedure, national.SimpleProcedure)
	s.Otherwise = cmp.Or(s.Otherwise, national.Otherwise)
	own := s.Words
	s.Words = slices.Clone(own)
	for _, w := range national.Words {
		if !slices.ContainsFunc(own, func(o SeverityWord) bool { return o.Word == w.Word }) {
			s.Words = append(s.Words, w)
		}
	}
	return s
}

// rows ranks a whole set: the simple procedure first, then the gravest category named, then what no word begins.
func (s SeverityRules) rows(from, until Date, base int64) [][]any {
	row := func(word, level string, rank int) []any {
		return []any{s.ID, from, openEnd(until), textCell(s.Department), word, level, base + int64(rank)}
	}
	rows := [][]any{row(SimpleProcedureWord, s.SimpleProcedure, 0)}
	for _, w := range s.Words {
		rows = append(rows, row(w.Word, w.Level, 1+slices.Index(penaltyLevels, w.Level)))
	}
	return append(rows, row(OtherwiseWord, s.Otherwise, 1+len(penaltyLevels)))
}

// PublicityTable gives the rule sets as the table publicity_rule: one row per term, level and department, those
// with periods of their own beside the null of all others. A row holds for a penalty of its level decided in
// [valid_from, valid_until) when department is the dataset's owner, else the row with null. Publicity ends
// longest_months after the decision.
func (r Rules) PublicityTable() PolicyTable {
	t := PolicyTable{Name: "publicity_rule", Columns: [][2]string{{"rule", "VARCHAR"}, {"valid_from", "DATE"}, {"valid_until", "DATE"}, {"level", "VARCHAR"},
		{"department", "VARCHAR"}, {"shortest_months", "INTEGER"}, {"longest_months", "INTEGER"}, {"published", "BOOLEAN"}}}
	for _, national := range r.Publicity {
		if national.Department != "" {
			continue
		}
		t.Rows = append(t.Rows, national.rows("", national.Term, national)...)
		for _, department := range r.departments() {
			for _, span := range r.spans(department, national) {
				t.Rows = append(t.Rows, span.rows(department, span.Term, national)...)
			}
		}
	}
	return t
}

// departments that any period names.
func (r Rules) departments() []string {
	var all []string
	for _, set := range r.Publicity {
		all = append(all, set.Department)
		for _, p := range set.Periods {
			all = append(all, p.Department)
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(id string) bool { return id == "" })
}

// spans cuts a national set's term for one department: where a set of its own holds, that one, else the national.
func (r Rules) spans(department string, national PublicityRules) []PublicityRules {
	var all []PublicityRules
	add := func(set PublicityRules, from, until Date) {
		if from < until {
			set.ValidFrom, set.ValidUntil = &from, &until
			all = append(all, set)
		}
	}
	next := national.from()
	own := slices.DeleteFunc(slices.Clone(r.Publicity), func(p PublicityRules) bool { return p.Department != department })
	slices.SortFunc(own, func(a, b PublicityRules) int { return cmp.Compare(a.from(), b.from()) })
	for _, set := range own {
		from, until := max(set.from(), next), min(set.until(), national.until())
		if from < until {
			add(national, next, from)
			add(set, from, until)
			next = until
		}
	}
	add(national, next, national.until())
	return all
}

func (p PublicityRules) rows(department string, term Term, national PublicityRules) [][]any {
	var rows [][]any
	for _, level := range penaltyLevels {
		period, ok := p.period(level, department)
		if !ok {
			period, ok = national.period(level, department)
		}
		if ok {
			rows = append(rows, []any{p.ID, term.from(), openEnd(term.until()), level, textCell(department),
				int64(period.Shortest), int64(period.Longest), period.Published})
		}
	}
	return rows
}

// period gives what the set says of a level: for the department before for all, for the level before for any.
func (p PublicityRules) period(level, department string) (PublicityPeriod, bool) {
	for _, want := range [][2]string{{level, department}, {"*", department}, {level, ""}, {"*", ""}} {
		if i := slices.IndexFunc(p.Periods, func(x PublicityPeriod) bool { return x.Level == want[0] && x.Department == want[1] }); i >= 0 {
			return p.Periods[i], true
		}
	}
	return PublicityPeriod{}, false
}

func openEnd(d Date) any {
	if d == lastDay {
		return nil
	}
	return d
}
