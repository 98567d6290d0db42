package score

import (
	"cmp"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"xinshu/catalog"
)

// The naive scorer: plain Go over records, read from the notices and the policy files once more,
// sharing neither SQL nor the policy loader with the product. It is slow and says what is meant.

type naivePolicy struct {
	base, floor, ceil, plusCap *int64
	yearly                     bool
	admits, listed             []string
	indicators                 []naiveIndicator
	bands                      []map[string]any
	overrides                  []map[string]any
	grades                     []string // best first
}

type naiveIndicator struct {
	id, side, pick string
	neutral        int64
	floor, ceil    *int64
	rules          []naiveRule
}

type naiveRule struct {
	kind, level string
	points      int64
	months      int // 0: while it holds
	limit       *int64
}

// hundredths reads a number by its digits.
func hundredths(n *yaml.Node) int64 {
	whole, part, _ := strings.Cut(strings.TrimPrefix(n.Value, "-"), ".")
	v, err := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	if err != nil {
		panic(err)
	}
	if strings.HasPrefix(n.Value, "-") {
		return -v
	}
	return v
}

func key(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			if v := n.Content[i+1]; v.Kind == yaml.AliasNode {
				return v.Alias
			} else {
				return v
			}
		}
	}
	return nil
}

func word(n *yaml.Node, name, otherwise string) string {
	if v := key(n, name); v != nil && v.Value != "" {
		return v.Value
	}
	return otherwise
}

func number(n *yaml.Node, name string) *int64 {
	if v := key(n, name); v != nil {
		h := hundredths(v)
		return &h
	}
	return nil
}

func list(n *yaml.Node) (out []string) {
	if n != nil {
		for _, c := range n.Content {
			out = append(out, c.Value)
		}
	}
	return out
}

// readNaive reads a policy file; what it does not say, the one it extends says.
func readNaive(t testing.TB, id string) naivePolicy {
	t.Helper()
	var roots []*yaml.Node
	for id != "" {
		text, err := fs.ReadFile(tree, "catalog/policies/"+id+".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		roots = append(roots, doc.Content[0])
		id = word(doc.Content[0], "extends", "")
	}
	find := func(name string) *yaml.Node {
		for _, root := range roots {
			if v := key(root, name); v != nil {
				return v
			}
		}
		return nil
	}
	amount := func(name string) *int64 {
		if v := find(name); v != nil {
			h := hundredths(v)
			return &h
		}
		return nil
	}
	p := naivePolicy{base: amount("base"), floor: amount("floor"), ceil: amount("cap"), plusCap: amount("plus_cap"),
		yearly: find("cycle").Value == "yearly", admits: list(key(find("admits"), "categories")), listed: list(key(find("admits"), "listed"))}
	for _, x := range find("indicators").Content {
		in := naiveIndicator{id: word(x, "id", ""), side: word(x, "side", "plain"), pick: word(x, "pick", "sum"), floor: number(x, "floor"), ceil: number(x, "cap")}
		if n := number(x, "neutral"); n != nil {
			in.neutral = *n
		}
		for _, r := range key(x, "rules").Content {
			rule := naiveRule{kind: word(r, "kind", ""), level: word(r, "level", "*"), points: *number(r, "points"), limit: number(r, "cap")}
			rule.months, _ = strconv.Atoi(word(r, "months", "0"))
			in.rules = append(in.rules, rule)
		}
		p.indicators = append(p.indicators, in)
	}
	for _, g := range find("grades").Content {
		p.grades = append(p.grades, word(g, "grade", ""))
	}
	for _, b := range find("bands").Content {
		band := map[string]any{"grade": word(b, "grade", ""), "from": number(b, "from"), "above": number(b, "above")}
		for _, sum := range []string{"plus", "minus", "net"} {
			if s := key(b, sum); s != nil {
				band[sum] = [4]*int64{number(s, "from"), number(s, "above"), number(s, "to"), number(s, "below")}
			}
		}
		p.bands = append(p.bands, band)
	}
	for _, o := range find("overrides").Content {
		p.overrides = append(p.overrides, map[string]any{"when": word(o, "when", ""), "level": word(o, "level", "*"), "grade": word(o, "grade", ""), "cap": number(o, "cap")})
	}
	return p
}

type naiveResult struct {
	score, plus, minus int64
	grade              string
	points             map[string]int64
}

// naiveRecord is a record as it stood for the run.
type naiveRecord struct {
	wVersion
	counts bool // in force or disputed
	gone   bool // withdrawn: as if it had never been
}

// standing decides which version of a record is seen, and in which state.
func standing(versions []wVersion, marks []wMark, c Clocks, yearly bool) (naiveRecord, bool) {
	byID := map[string]wMark{}
	for _, m := range marks {
		if m.known <= c.MarksSeq && m.known >= byID[m.id].known {
			byID[m.id] = m
		}
	}
	letIn, repaired, upheld := false, false, false
	var withdrawn []wMark
	exit := catalog.NoDate
	for _, m := range byID {
		if m.record == "" {
			continue
		}
		if m.kind == "list_exit" && (exit == catalog.NoDate || m.effective < exit) {
			exit = m.effective
		}
		if m.effective > c.CorrectedTo {
			continue
		}
		switch m.kind {
		case "completion", "correction":
			letIn = true
		case "repair":
			repaired = true
		case "objection_upheld":
			upheld = true
		case "withdrawal":
			withdrawn = append(withdrawn, m)
		}
	}
	var seen []wVersion
	for _, v := range versions {
		inTime := v.known <= c.KnownSeq && (!yearly || v.received <= c.AsOf)
		if inTime || letIn && v.known <= c.MarksSeq {
			seen = append(seen, v)
		}
	}
	if len(seen) == 0 {
		return naiveRecord{}, false
	}
	r := naiveRecord{wVersion: slices.MaxFunc(seen, func(a, b wVersion) int {
		return cmp.Or(a.source.Compare(b.source), cmp.Compare(a.stageN, b.stageN), cmp.Compare(a.rowNo, b.rowNo))
	}), counts: true}
	if exit != catalog.NoDate && (r.until == catalog.NoDate || exit < r.until) {
		r.until = exit
	}
	bySource := r.status != "in_force" && r.statusOn <= c.CorrectedTo
	late := slices.ContainsFunc(withdrawn, func(m wMark) bool { return !m.source.Before(r.source) })
	r.gone = upheld || late || bySource && r.status == "withdrawn"
	r.counts = !(r.gone || repaired || bySource)
	if r.from == catalog.NoDate {
		r.from = r.decided
	}
	return r, true
}

// naive scores one entity; ok is false when the policy does not grade it.
func naive(p naivePolicy, e wEntity, records []naiveRecord, c Clocks) (res naiveResult, ok bool) {
	holds := func(r naiveRecord) bool {
		return r.counts && r.decided <= c.AsOf && r.from <= c.AsOf && (r.until == catalog.NoDate || c.AsOf < r.until)
	}
	res.points = map[string]int64{}
	var plain, plus, minus int64
	for _, in := range p.indicators {
		value := in.value(records, c.AsOf, holds, res.points)
		switch in.side {
		case "plain":
			plain += value
		case "plus":
			plus += value
		case "minus":
			minus -= value
		}
	}
	if p.plusCap != nil {
		plus = min(plus, *p.plusCap)
	}
	total := *p.base + plain + plus - minus
	total = within(total, p.floor, p.ceil)
	forced := ""
	for _, o := range p.overrides {
		hit := slices.ContainsFunc(records, func(r naiveRecord) bool {
			return r.kind == o["when"] && (o["level"] == "*" || o["level"] == r.level) && holds(r)
		})
		if !hit {
			continue
		}
		if limit, _ := o["cap"].(*int64); limit != nil {
			total = min(total, *limit)
		}
		if g, _ := o["grade"].(string); g != "" && slices.Index(p.grades, g) > slices.Index(p.grades, forced) {
			forced = g
		}
	}
	over := e.until != catalog.NoDate && e.until <= c.AsOf
	admitted := slices.Contains(p.admits, e.category) && e.from != catalog.NoDate && e.from <= c.AsOf && !over
	if !admitted && (!slices.Contains(p.listed, e.category) || forced == "" || over) {
		return naiveResult{}, false
	}
	res.score, res.plus, res.minus, res.grade = total, plus, minus, forced
	if forced == "" {
		res.grade = p.band(total, plus, minus)
	}
	return res, true
}

func naiveRecords(versions []wVersion, marks []wMark, c Clocks, yearly bool) []naiveRecord {
	byRecord := map[string][]wVersion{}
	for _, v := range versions {
		byRecord[v.record] = append(byRecord[v.record], v)
	}
	var records []naiveRecord
	ids := map[string]map[string]bool{} // of each record: the marks that mean it now or meant it once
	for _, m := range marks {
		if ids[m.record] == nil {
			ids[m.record] = map[string]bool{}
		}
		ids[m.record][m.id] = true
	}
	for id, vs := range byRecord {
		var all []wMark
		for _, m := range marks {
			if ids[id][m.id] {
				all = append(all, m)
			}
		}
		if r, seen := standing(vs, all, c, yearly); seen {
			records = append(records, r)
		}
	}
	for i, r := range records { // a rating holds until the next one of its dataset
		if r.family != "rating" {
			continue
		}
		for _, next := range records {
			if next.dataset == r.dataset && next.kind == r.kind && !next.gone && next.decided > r.decided &&
				(records[i].until == catalog.NoDate || next.decided < records[i].until) {
				records[i].until = next.decided
			}
		}
	}
	return records
}

func (in naiveIndicator) value(records []naiveRecord, asOf catalog.Date, holds func(naiveRecord) bool, points map[string]int64) int64 {
	sum, raw, n := int64(0), int64(0), int64(0)
	var best, worst, latest *int64
	newest, newestRule := catalog.NoDate, -1
	for i, rule := range in.rules {
		count := int64(0)
		for _, r := range records {
			if r.kind != rule.kind || rule.level != "*" && rule.level != r.level {
				continue
			}
			if rule.months == 0 && !holds(r) {
				continue
			}
			if rule.months > 0 && !(r.counts && r.decided <= asOf && r.decided > asOf.AddMonths(-rule.months)) {
				continue
			}
			count++
			if r.decided > newest || r.decided == newest && i > newestRule {
				newest, newestRule, latest = r.decided, i, &rule.points
			}
		}
		if count == 0 {
			continue
		}
		given := rule.points * count
		raw += given
		if rule.limit != nil && *rule.limit < 0 {
			given = max(given, *rule.limit)
		} else if rule.limit != nil {
			given = min(given, *rule.limit)
		}
		sum, n = sum+given, n+count
		if best == nil || rule.points > *best {
			best = &rule.points
		}
		if worst == nil || rule.points < *worst {
			worst = &rule.points
		}
	}
	if n == 0 {
		return in.neutral
	}
	value := map[string]func() int64{
		"sum": func() int64 { return in.neutral + sum }, "best": func() int64 { return *best }, "worst": func() int64 { return *worst },
		"latest": func() int64 { return *latest }, "mean": func() int64 { return (2*raw + n) / (2 * n) },
	}[in.pick]()
	value = within(value, in.floor, in.ceil)
	points[in.id] = value - in.neutral
	return value
}

func within(v int64, low, high *int64) int64 {
	if low != nil {
		v = max(v, *low)
	}
	if high != nil {
		v = min(v, *high)
	}
	return v
}

// band gives the first band that holds, as the file is written.
func (p naivePolicy) band(total, plus, minus int64) string {
	for _, b := range p.bands {
		from, _ := b["from"].(*int64)
		above, _ := b["above"].(*int64)
		ok := (from == nil || total >= *from) && (above == nil || total > *above)
		for name, sum := range map[string]int64{"plus": plus, "minus": minus, "net": plus - minus} {
			if s, has := b[name].([4]*int64); has {
				ok = ok && (s[0] == nil || sum >= *s[0]) && (s[1] == nil || sum > *s[1]) && (s[2] == nil || sum <= *s[2]) && (s[3] == nil || sum < *s[3])
			}
		}
		if ok {
			return b["grade"].(string)
		}
	}
	return ""
}
