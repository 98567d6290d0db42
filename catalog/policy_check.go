package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Check holds a policy against its own sums, its bands against every total, and its kinds and levels
// against the families. It gives all faults at once, each with file and line.
func (p Policy) Check(families map[string]Family) []Fault {
	c := policyCheck{p: p, kinds: kindsOf(families)}
	c.words()
	c.groups()
	c.indicators()
	c.overrides()
	c.grades()
	if len(c.faults) == 0 { // the points to try come from sound bands only
		c.coverage()
	}
	if p.Evaluation == "industry" {
		c.industry()
	}
	return c.faults
}

type policyCheck struct {
	p      Policy
	kinds  map[string][]string
	faults []Fault
}

func kindsOf(families map[string]Family) map[string][]string {
	kinds := map[string][]string{}
	for _, f := range families {
		maps.Copy(kinds, f.Kinds)
	}
	return kinds
}

func (c *policyCheck) fail(at []any, format string, args ...any) {
	c.faults = append(c.faults, c.p.fault(at, format, args...))
}

func (c *policyCheck) oneOf(at []any, value string, words ...string) {
	if !slices.Contains(words, value) {
		c.fail(at, "%v is %q; it must be one of %s", at[len(at)-1], value, strings.Join(words, ", "))
	}
}

// sourced demands that a number names its clause or says that it is ours.
func (c *policyCheck) sourced(at []any, s Source, what string) {
	switch {
	case s.Origin == "":
		c.fail(at, "%s names no clause and is not marked origin: proposal", what)
	case s.Origin != "proposal" && s.Origin != "notice":
		c.fail(at, "origin of %s is %q; it must be proposal or notice", what, s.Origin)
	case s.Origin == "notice" && s.Clause == "":
		c.fail(at, "%s is said to be the notice's but names no clause", what)
	}
}

func (c *policyCheck) words() {
	p := c.p
	if want := strings.TrimSuffix(p.File[strings.LastIndex(p.File, "/")+1:], ".yaml"); p.ID != want {
		c.fail([]any{"id"}, "id is %q, the file is named for %q", p.ID, want)
	}
	for key, t := range map[string]Text{"title": p.Title, "notice": p.Notice, "maker": p.Maker, "wording": p.Wording} {
		if t.ZH == "" || t.EN == "" {
			c.fail([]any{key}, "%s must be given in zh and en", key)
		}
	}
	c.oneOf([]any{"evaluation"}, p.Evaluation, "public", "industry")
	c.oneOf([]any{"status"}, p.Status, "draft", "trial", "official", "expired")
	c.oneOf([]any{"cycle"}, p.Cycle, "yearly", "dynamic")
	for i, a := range p.Audience {
		c.oneOf([]any{"audience", i}, a, "departments", "financial_institutions", "industry_associations", "society")
	}
	if len(p.Audience) == 0 {
		c.fail([]any{"audience"}, "the policy names no audience; nobody could receive its results")
	}
	if _, err := ParseDate("2024-" + p.AsOf); (p.Cycle == "yearly") != (err == nil) {
		c.fail([]any{"as_of"}, "as_of is %q; a yearly policy needs its cut-off as MM-DD, a dynamic one has none", p.AsOf)
	}
	for key, day := range map[string]string{"valid_from": p.ValidFrom, "valid_to": p.ValidTo} {
		if _, err := ParseDate(day); day != "" && err != nil {
			c.fail([]any{key}, "%s is %q, not a date such as 2021-10-01", key, day)
		}
	}
	if p.ValidFrom != "" && p.ValidTo != "" && p.ValidFrom > p.ValidTo {
		c.fail([]any{"valid_to"}, "the policy ends on %s, before it begins on %s", p.ValidTo, p.ValidFrom)
	}
	if len(p.Admits.Categories) == 0 {
		c.fail([]any{"admits"}, "the policy admits no category of codes; it would grade nobody")
	}
	for _, category := range p.Admits.Listed {
		if slices.Contains(p.Admits.Categories, category) {
			c.fail([]any{"admits", "listed"}, "category %s is graded anyway and need not be listed", category)
		}
	}
	c.sourced([]any{"numbers"}, p.Numbers, "the policy's base, floor and cap (numbers:)")
}

// groups demands a first-level group for each indicator and that declared sums hold.
func (c *policyCheck) groups() {
	p := c.p
	sums := map[string]Points{}
	known := map[string]bool{}
	for i, g := range p.Groups {
		if known[g.ID] {
			c.fail([]any{"groups", i}, "group %s is there twice", g.ID)
		}
		known[g.ID] = true
	}
	for i, x := range p.Indicators {
		if !known[x.Group] {
			c.fail([]any{"indicators", i}, "indicator %s belongs to no first-level group (group is %q)", x.ID, x.Group)
		}
		if x.Cap != nil {
			sums[x.Group] += *x.Cap
		}
	}
	declared, all := Points(0), 0
	for i, g := range p.Groups {
		if g.Total == nil {
			continue
		}
		c.sourced([]any{"groups", i}, g.Source, "the total of group "+g.ID)
		declared, all = declared+*g.Total, all+1
		if sums[g.ID] != *g.Total {
			c.fail([]any{"groups", i}, "group %s declares %s points, its indicators give at most %s", g.ID, g.Total, sums[g.ID])
		}
	}
	if all > 0 && (all < len(p.Groups) || declared != p.Total) {
		c.fail([]any{"total"}, "the groups declare %s points, the policy %s", declared, p.Total)
	}
}

func (c *policyCheck) indicators() {
	seen, rules := map[string]bool{}, map[string]bool{}
	for i, x := range c.p.Indicators {
		at := []any{"indicators", i}
		if x.ID == "" || seen[x.ID] {
			c.fail(at, "indicator id %q is empty or there twice", x.ID)
		}
		seen[x.ID] = true
		c.oneOf([]any{"indicators", i, "side"}, x.Side, "plain", "plus", "minus")
		c.oneOf([]any{"indicators", i, "pick"}, x.Pick, "sum", "best", "worst", "mean", "latest")
		c.sourced(at, x.Source, "indicator "+x.ID)
		if x.Floor != nil && x.Neutral < *x.Floor || x.Cap != nil && x.Neutral > *x.Cap {
			c.fail(at, "indicator %s starts at %s, outside its own floor and cap", x.ID, x.Neutral)
		}
		if x.Side == "plus" && x.Neutral < 0 || x.Side == "minus" && x.Neutral > 0 {
			c.fail(at, "indicator %s starts at %s on the wrong side of nought for a %s item", x.ID, x.Neutral, x.Side)
		}
		if len(x.Rules) == 0 {
			c.fail(at, "indicator %s has no rule", x.ID)
		}
		for j, r := range x.Rules {
			at := []any{"indicators", i, "rules", j}
			if r.ID == "" || rules[r.ID] {
				c.fail(at, "rule id %q is empty or there twice", r.ID)
			}
			rules[r.ID] = true
			c.rule(at, x, r)
		}
	}
}

func (c *policyCheck) rule(at []any, x Indicator, r Rule) {
	c.level(at, r.Kind, r.Level)
	c.sourced(at, r.Source, "rule "+r.ID)
	if r.Months != nil && *r.Months < 1 {
		c.fail(at, "rule %s counts for %d months; leave months out for as long as the fact holds", r.ID, *r.Months)
	}
	if r.Cap != nil && (x.Pick != "sum" || r.Points == 0 || (*r.Cap < 0) != (r.Points < 0)) {
		c.fail(at, "the cap of rule %s must bound a sum on the side of its points", r.ID)
	}
	if x.Side == "plus" && r.Points < 0 || x.Side == "minus" && r.Points > 0 {
		c.fail(at, "rule %s gives %s, the wrong sign for a %s item", r.ID, r.Points, x.Side)
	}
	if x.Pick == "mean" && r.Points < 0 {
		c.fail(at, "rule %s gives %s; a mean rounds half up and is of points that are not negative", r.ID, r.Points)
	}
}

func (c *policyCheck) level(at []any, kind, level string) {
	levels, known := c.kinds[kind]
	switch {
	case !known:
		c.fail(at, "kind %q is of no family", kind)
	case level == "*" && slices.Contains(levels, "*"):
		c.fail(at, "kind %s has a scale of its own: name the levels", kind)
	case level == "*" || slices.Contains(levels, "*"):
	case !slices.Contains(levels, level):
		c.fail(at, "kind %s has no level %q; it has %s", kind, level, strings.Join(levels, ", "))
	}
}

func (c *policyCheck) overrides() {
	seen := map[string]bool{}
	for i, o := range c.p.Overrides {
		at := []any{"overrides", i}
		if o.ID == "" || seen[o.ID] {
			c.fail(at, "override id %q is empty or there twice", o.ID)
		}
		seen[o.ID] = true
		c.level(at, o.When, o.Level)
		c.sourced(at, o.Source, "override "+o.ID)
		effects := 0
		for _, set := range []bool{o.Grade != "", o.Ceiling != "", o.Cap != nil} {
			if set {
				effects++
			}
		}
		if effects != 1 {
			c.fail(at, "override %s must have one effect: grade, ceiling or cap", o.ID)
		}
		for _, g := range []string{o.Grade, o.Ceiling} {
			if g != "" && c.p.Rank(g) == 0 {
				c.fail(at, "override %s names grade %q, which the policy does not have", o.ID, g)
			}
		}
	}
	if len(c.p.Admits.Listed) > 0 && !slices.ContainsFunc(c.p.Overrides, func(o Override) bool { return o.Grade != "" && !o.Off }) {
		c.fail([]any{"admits", "listed"}, "no override forces a grade, so no listed body of another category would ever be graded")
	}
}

func (c *policyCheck) grades() {
	seen, reached := map[string]bool{}, map[string]bool{}
	for i, b := range c.p.Bands {
		at := []any{"bands", i}
		reached[b.Grade] = true
		c.sourced(at, b.Source, "the band of grade "+b.Grade)
		if c.p.Rank(b.Grade) == 0 {
			c.fail(at, "band of grade %q, which the policy does not have", b.Grade)
		}
		if b.From != nil && b.Above != nil {
			c.fail(at, "a band says from or above, not both")
		}
		if (b.From != nil || b.Above != nil) && (b.Plus != nil || b.Minus != nil || b.Net != nil) {
			c.fail(at, "a band bounds the total, or plus, minus and net, not both")
		}
	}
	for i, g := range c.p.Grades {
		at := []any{"grades", i}
		if seen[g.Grade] {
			c.fail(at, "grade %s is there twice", g.Grade)
		}
		seen[g.Grade] = true
		if !reached[g.Grade] {
			c.fail(at, "no band gives grade %s", g.Grade)
		}
		if g.Class.ZH == "" || g.Class.EN == "" {
			c.fail(at, "grade %s has no class in zh and en", g.Grade)
		}
		if len(g.Measures) == 0 {
			c.fail(at, "grade %s names no supervisory measure", g.Grade)
		}
	}
}

// coverage tries every limit of every band and its neighbours: each total that can come out must
// have exactly one grade.
func (c *policyCheck) coverage() {
	p := c.p
	bands := p.limits()
	tried := map[[3]int64]bool{}
	for _, t := range p.triedSums(bands) {
		if tried[t] {
			continue
		}
		tried[t] = true
		var holding []string
		for _, b := range bands {
			if b.holds(t[0], t[1], t[2]) {
				holding = append(holding, b.grade)
			}
		}
		where := "total " + Points(t[0]).String()
		if t[1] != 0 || t[2] != 0 {
			where += fmt.Sprintf(" (plus %s, minus %s)", Points(t[1]), Points(t[2]))
		}
		switch len(holding) {
		case 0:
			c.fail([]any{"bands"}, "no band holds %s", where)
			return
		case 1:
		default:
			c.fail([]any{"bands"}, "bands %s all hold %s", strings.Join(holding, ", "), where)
			return
		}
	}
}

// triedSums gives the totals, plus sums and minus sums to try.
func (p Policy) triedSums(bands []band) [][3]int64 {
	near := func(get func(band) extent) []int64 {
		values := []int64{0, 1}
		for _, b := range bands {
			for _, end := range []limit{get(b).min, get(b).max} {
				if end.v != nil {
					values = append(values, *end.v-1, *end.v, *end.v+1)
				}
			}
		}
		return values
	}
	const far = 1_000_000_00 // beyond any sum of points
	totals := near(func(b band) extent { return b.total })
	totals = append(totals, -far, far)
	pluses := near(func(b band) extent { return b.plus })
	minuses := append(near(func(b band) extent { return b.minus }), far)
	nets := near(func(b band) extent { return b.net })
	most := int64(far)
	if p.PlusCap != nil {
		most = int64(*p.PlusCap)
	}
	pluses = append(pluses, most-1, most)

	var tries [][3]int64
	add := func(plus, minus int64) {
		if plus >= 0 && minus >= 0 && plus <= most {
			tries = append(tries, [3]int64{int64(p.clamp(p.Base + Points(plus-minus))), plus, minus})
		}
	}
	for _, plus := range pluses {
		for _, minus := range minuses {
			add(plus, minus)
			for _, net := range nets {
				add(minus+net, minus)
				add(plus, plus-net)
			}
		}
	}
	for _, total := range totals {
		tries = append(tries, [3]int64{int64(p.clamp(Points(total))), 0, 0})
	}
	return tries
}

func (p Policy) clamp(total Points) Points {
	if p.Floor != nil {
		total = max(total, *p.Floor)
	}
	if p.Cap != nil {
		total = min(total, *p.Cap)
	}
	return total
}

// industry holds an industry policy against the notices: the public result is one of its indicators
// with a weight not below the average (HLJ (六)); it says what it collects (Wugang 三).
func (c *policyCheck) industry() {
	p := c.p
	if p.Scope.ZH == "" || p.Scope.EN == "" {
		c.fail([]any{"scope"}, "an industry policy must say what it collects (Wugang 三, HLJ (十七))")
	}
	sum, public := Points(0), Points(-1)
	at := []any{"indicators"}
	for i, x := range p.Indicators {
		weight := Points(0)
		if x.Cap != nil {
			weight = *x.Cap
		}
		sum += weight
		if slices.ContainsFunc(x.Rules, func(r Rule) bool { return r.Kind == "public_grade" }) {
			public, at = max(public, weight), []any{"indicators", i}
		}
	}
	switch {
	case public < 0:
		c.fail(at, "no indicator reads the public result (kind public_grade); HLJ (六) demands it")
	case int64(public)*int64(len(p.Indicators)) < int64(sum):
		c.fail(at, "the public result weighs %s points, below the average of %s over %d indicators (HLJ (六))",
			public, Points(int64(sum)/int64(len(p.Indicators))), len(p.Indicators))
	}
}
