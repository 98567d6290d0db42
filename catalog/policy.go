package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Points is an amount of points in hundredths of a point, so that 849.99 is exact everywhere.
type Points int64

// ParsePoints reads a decimal number with at most two places.
func ParsePoints(s string) (Points, error) {
	whole, part, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	n, err := strconv.ParseUint(whole+(part + "00")[:2], 10, 50)
	if err != nil || whole == "" || len(part) > 2 {
		return 0, fmt.Errorf("%q is not a number of points with at most two places", s)
	}
	if strings.HasPrefix(s, "-") {
		return -Points(n), nil
	}
	return Points(n), nil
}

// String writes the shortest decimal form: 850, 849.99, -0.5.
func (p Points) String() string {
	sign := ""
	if p < 0 {
		sign, p = "-", -p
	}
	s := fmt.Sprintf("%s%d.%02d", sign, p/100, p%100)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// MarshalJSON writes a number, not a text.
func (p Points) MarshalJSON() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalYAML reads the number as it is written, never through a binary float.
func (p *Points) UnmarshalYAML(node *yaml.Node) error {
	v, err := ParsePoints(node.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	*p = v
	return nil
}

// Source says where a number comes from: a clause of the notice, or us. A number that no notice
// gives is a proposal and is shown as ours wherever it is shown.
type Source struct {
	Origin string `yaml:"origin" json:"origin,omitempty"` // proposal, or notice (the default where a clause is named)
	Clause string `yaml:"clause" json:"clause,omitempty"` // the clause that states it, or that a proposal serves
}

// Policy is an evaluation policy as data: what counts, for how much, and which grade a total gives.
// Scoring reads it as tables (PolicyTables); no SQL and no Go names a city.
type Policy struct {
	ID         string      `yaml:"id" json:"id"`
	Extends    string      `yaml:"extends" json:"extends,omitempty"` // takes over what this file does not say itself
	Title      Text        `yaml:"title" json:"title"`
	Notice     Text        `yaml:"notice" json:"notice"`         // the document it serves
	Evaluation string      `yaml:"evaluation" json:"evaluation"` // public, industry
	Status     string      `yaml:"status" json:"status"`         // draft, trial, official, expired
	StatusNote Text        `yaml:"status_note" json:"status_note"`
	Maker      Text        `yaml:"maker" json:"maker"`       // who makes the result
	Audience   []string    `yaml:"audience" json:"audience"` // departments, financial_institutions, industry_associations, society
	Wording    Text        `yaml:"wording" json:"wording"`   // the sentence that travels with every result
	Scope      Text        `yaml:"scope" json:"scope"`       // what is collected for it; an industry policy must say
	Cycle      string      `yaml:"cycle" json:"cycle"`       // yearly, dynamic
	AsOf       string      `yaml:"as_of" json:"as_of,omitempty"`
	ValidFrom  string      `yaml:"valid_from" json:"valid_from,omitempty"` // first day; empty: unknown
	ValidTo    string      `yaml:"valid_to" json:"valid_to,omitempty"`     // last day; empty: without end
	Total      Points      `yaml:"total" json:"total"`                     // what the notice calls the full score; 0: none
	Base       Points      `yaml:"base" json:"base"`
	Floor      *Points     `yaml:"floor" json:"floor,omitempty"`
	Cap        *Points     `yaml:"cap" json:"cap,omitempty"`
	PlusCap    *Points     `yaml:"plus_cap" json:"plus_cap,omitempty"` // most that plus items give together
	Numbers    Source      `yaml:"numbers" json:"numbers"`             // of base, floor, cap and plus_cap
	Admits     Admits      `yaml:"admits" json:"admits"`
	Objection  Objection   `yaml:"objection" json:"objection"`
	Groups     []Group     `yaml:"groups" json:"groups"`
	Bands      []Band      `yaml:"bands" json:"bands"`
	Overrides  []Override  `yaml:"overrides" json:"overrides"`
	Grades     []Grade     `yaml:"grades" json:"grades"` // best first
	Indicators []Indicator `yaml:"indicators" json:"indicators"`

	File   string `yaml:"-" json:"file"`
	SHA256 string `yaml:"-" json:"sha256"` // of the file, and of the one it extends before it

	places []policyPlace // where each value was written, the policy's own file first
}

// Admits says which categories (first two characters of the code) are graded.
type Admits struct {
	Categories []string `yaml:"categories" json:"categories"`
	Listed     []string `yaml:"listed" json:"listed,omitempty"` // graded only while an override forces their grade
	Source     `yaml:",inline"`
}

// Objection is the time in which an objection must be settled.
type Objection struct {
	WorkingDays int  `yaml:"working_days" json:"working_days,omitempty"` // 0: the notice names none
	Pauses      bool `yaml:"pauses" json:"pauses,omitempty"`             // the time stands still while the applicant owes papers
	Source      `yaml:",inline"`
}

// Group is a first-level indicator.
type Group struct {
	ID     string  `yaml:"id" json:"id"`
	Title  Text    `yaml:"title" json:"title"`
	Total  *Points `yaml:"total" json:"total,omitempty"` // sum of its indicators' caps, where the notice declares one
	Source `yaml:",inline"`
}

// Indicator is a second-level indicator. Its rules make one value out of the records that hit:
// sum (neutral plus all), best, worst, mean or latest (these replace neutral).
type Indicator struct {
	ID      string  `yaml:"id" json:"id"`
	Group   string  `yaml:"group" json:"group"`
	Title   Text    `yaml:"title" json:"title"`
	Side    string  `yaml:"side" json:"side"` // plain (default), plus, minus
	Pick    string  `yaml:"pick" json:"pick"` // sum (default), best, worst, mean, latest
	Neutral Points  `yaml:"neutral" json:"neutral"`
	Floor   *Points `yaml:"floor" json:"floor,omitempty"`
	Cap     *Points `yaml:"cap" json:"cap,omitempty"` // the most it gives: its weight
	Source  `yaml:",inline"`
	Rules   []Rule `yaml:"rules" json:"rules"`
}

// Rule gives points to each record of a kind and level that counts on the cut-off date.
type Rule struct {
	ID     string  `yaml:"id" json:"id"`
	Kind   string  `yaml:"kind" json:"kind"`
	Level  string  `yaml:"level" json:"level"` // * (default): any
	Points Points  `yaml:"points" json:"points"`
	Months *int    `yaml:"months" json:"months,omitempty"` // counts for so long from the decision; absent: while the fact holds
	Cap    *Points `yaml:"cap" json:"cap,omitempty"`       // the most all its records give together; negative where they lower
	Source `yaml:",inline"`

	levels []string // those that Level stands for; bind fills it
}

// Band gives a grade to totals. From includes its number, above does not. A policy with plus and
// minus items may bound their sums and their difference instead.
type Band struct {
	Grade  string  `yaml:"grade" json:"grade"`
	From   *Points `yaml:"from" json:"from,omitempty"`
	Above  *Points `yaml:"above" json:"above,omitempty"`
	Plus   *Span   `yaml:"plus" json:"plus,omitempty"`
	Minus  *Span   `yaml:"minus" json:"minus,omitempty"`
	Net    *Span   `yaml:"net" json:"net,omitempty"`
	Source `yaml:",inline"`
}

// Span is a range with open or closed ends; an end left out is without limit.
type Span struct {
	From  *Points `yaml:"from" json:"from,omitempty"`
	Above *Points `yaml:"above" json:"above,omitempty"`
	To    *Points `yaml:"to" json:"to,omitempty"`
	Below *Points `yaml:"below" json:"below,omitempty"`
}

// Override is what a record does to the result beside its points: it forces a grade, keeps the grade
// from being better than one (ceiling), or caps the total.
type Override struct {
	ID      string  `yaml:"id" json:"id"`
	When    string  `yaml:"when" json:"when"`   // kind of record, counted while it holds
	Level   string  `yaml:"level" json:"level"` // * (default): any
	Grade   string  `yaml:"grade" json:"grade,omitempty"`
	Ceiling string  `yaml:"ceiling" json:"ceiling,omitempty"`
	Cap     *Points `yaml:"cap" json:"cap,omitempty"`
	Off     bool    `yaml:"off" json:"off,omitempty"` // switched off by the installation
	Source  `yaml:",inline"`

	levels []string
}

// Grade is one grade, its class, and what follows from it.
type Grade struct {
	Grade    string `yaml:"grade" json:"grade"`
	Class    Text   `yaml:"class" json:"class"`
	Meaning  Text   `yaml:"meaning" json:"meaning"`
	Measures []Text `yaml:"measures" json:"measures"`
	Source   `yaml:",inline"`
}

// CutOff says whether a result of this day is one the policy publishes: for a yearly policy its
// cut-off date, for a dynamic one any day.
func (p Policy) CutOff(day Date) bool {
	return p.Cycle != "yearly" || strings.HasSuffix(day.String(), "-"+p.AsOf)
}

// InForce says whether the day lies within the policy's validity, both ends included.
func (p Policy) InForce(day Date) bool {
	s := day.String() // ISO dates order as text
	return (p.ValidFrom == "" || s >= p.ValidFrom) && (p.ValidTo == "" || s <= p.ValidTo)
}

// Trial says whether a result of this day is a trial, and why: everything that is not the official
// policy on one of its own days is.
func (p Policy) Trial(day Date) (trial bool, reasons []string) {
	if p.Status != "official" {
		reasons = append(reasons, "status_"+p.Status)
	}
	if !p.InForce(day) {
		reasons = append(reasons, "outside_validity")
	}
	if !p.CutOff(day) {
		reasons = append(reasons, "not_a_cut_off_date")
	}
	return len(reasons) > 0, reasons
}

// Indicator finds an indicator by its id.
func (p Policy) Indicator(id string) (Indicator, bool) {
	i := slices.IndexFunc(p.Indicators, func(x Indicator) bool { return x.ID == id })
	if i < 0 {
		return Indicator{}, false
	}
	return p.Indicators[i], true
}

// Rank is the grade's place, 1 the best; 0 when the policy has no such grade.
func (p Policy) Rank(grade string) int {
	return slices.IndexFunc(p.Grades, func(g Grade) bool { return g.Grade == grade }) + 1
}
