package explain

import (
	"context"
	"database/sql"
	"fmt"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// hit is one record that counts under one rule or, with a negative seq, one override.
type hit struct {
	seq                           int
	record, dataset, title, docNo string
	code                          string // that it came with, where that is not the entity's own
	status                        string
	decided                       *catalog.Date
	until                         *catalog.Date
}

// hits reads what counts on as_of, in the order in which a latest record is picked: newest last, of
// one day the later rule last.
func (x *Explainer) hits(ctx context.Context) ([]hit, error) {
	rows, err := x.db.Query(ctx, `select h.seq, r.record_id, r.dataset, coalesce(r.title, ''), coalesce(r.doc_no, ''),
			case when r.uscc <> e.uscc then r.uscc else '' end, r.status, h.decided_on, h.ends_on
		from int_hit as h
		join record as r on r.record_id = h.record_id
		cross join (select max(uscc) as uscc from entity) as e
		where h.starts_on <= h.as_of
		order by h.decided_on, h.seq, r.record_id`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var hits []hit
	for rows.Next() {
		var h hit
		var decided, until sql.NullTime
		if err := rows.Scan(&h.seq, &h.record, &h.dataset, &h.title, &h.docNo, &h.code, &h.status, &decided, &until); err != nil {
			return nil, err
		}
		h.decided, h.until = dateOf(decided), dateOf(until)
		hits = append(hits, h)
	}
	return hits, rows.Err()
}

// teller writes lines and keeps their sum.
type teller struct {
	p     catalog.Policy
	lines []Line
	sum   catalog.Points
}

func (t *teller) add(l Line) {
	t.lines = append(t.lines, l)
	t.sum += l.Points
}

// bound adds an adjustment line where a value had to be brought to a limit.
func (t *teller) bound(indicator, title string, by catalog.Points, s catalog.Source) {
	if by != 0 {
		t.add(Line{Indicator: indicator, Title: title, Kind: "adjustment", Points: by, Clause: s.Clause, Origin: s.Origin})
	}
}

// lines tells the score as contributions: what everyone starts with, each record, and one adjustment
// for each cap, clamp and override. It fails when they do not sum to the score that the models gave.
func lines(p catalog.Policy, hits []hit, g graded) ([]Line, error) {
	t := &teller{p: p}
	if p.Base != 0 {
		t.add(Line{Title: "基础分", Kind: "neutral", Points: p.Base, Clause: p.Numbers.Clause, Origin: p.Numbers.Origin})
	}
	byRule := map[int][]hit{}
	for _, h := range hits {
		byRule[h.seq] = append(byRule[h.seq], h)
	}
	plus, seq := catalog.Points(0), 1
	for _, x := range p.Indicators {
		before := t.sum
		t.indicator(x, seq, hits, byRule)
		seq += len(x.Rules)
		if x.Side == "plus" {
			plus += t.sum - before
		}
	}
	if p.PlusCap != nil {
		t.bound("", "加分合计上限 "+p.PlusCap.String(), min(0, *p.PlusCap-plus), p.Numbers)
	}
	if p.Floor != nil {
		t.bound("", "总分下限 "+p.Floor.String(), max(0, *p.Floor-t.sum), p.Numbers)
	}
	if p.Cap != nil {
		t.bound("", "总分上限 "+p.Cap.String(), min(0, *p.Cap-t.sum), p.Numbers)
	}
	t.overrides(byRule)
	if t.sum != g.score {
		return nil, &fault.Error{Op: "explain", Code: fault.Internal, Err: fmt.Errorf("the lines sum to %s, the score is %s", t.sum, g.score),
			Hint: "the explanation and the models disagree; report this with the policy and the code"}
	}
	return t.lines, nil
}

// indicator tells one indicator; first is the number of its first rule in the policy.
func (t *teller) indicator(x catalog.Indicator, first int, hits []hit, byRule map[int][]hit) {
	t.add(Line{Indicator: x.ID, Title: x.Title.ZH, Kind: "neutral", Points: x.Neutral, Clause: x.Clause, Origin: x.Origin})
	value := x.Neutral
	if x.Pick == "sum" {
		value += t.summed(x, first, byRule)
	} else {
		value = t.picked(x, first, hits)
	}
	bounded := value
	if x.Floor != nil {
		bounded = max(bounded, *x.Floor)
	}
	if x.Cap != nil {
		bounded = min(bounded, *x.Cap)
	}
	t.bound(x.ID, fmt.Sprintf("%s 不超出指标上下限", x.Title.ZH), bounded-value, x.Source)
}

// summed tells the records of an indicator that adds them up, each rule within its cap.
func (t *teller) summed(x catalog.Indicator, first int, byRule map[int][]hit) (all catalog.Points) {
	for i, r := range x.Rules {
		given := catalog.Points(0)
		for _, h := range byRule[first+i] {
			t.record(x, r, h, r.Points, nil)
			given += r.Points
		}
		capped := given
		switch {
		case r.Cap == nil:
		case *r.Cap < 0:
			capped = max(given, *r.Cap)
		default:
			capped = min(given, *r.Cap)
		}
		if r.Cap != nil {
			t.bound(x.ID, fmt.Sprintf("%s 合计以 %s 为限", r.ID, r.Cap), capped-given, r.Source)
		}
		all += capped
	}
	return all
}

// picked tells the records of an indicator in which one value replaces the neutral one: the line of
// the record that decides carries the difference. A mean has no such record and gets its own line.
func (t *teller) picked(x catalog.Indicator, first int, hits []hit) catalog.Points {
	var mine []hit
	for _, h := range hits {
		if h.seq >= first && h.seq < first+len(x.Rules) {
			mine = append(mine, h)
		}
	}
	if len(mine) == 0 {
		return x.Neutral
	}
	of := func(h hit) catalog.Points { return x.Rules[h.seq-first].Points }
	chosen, sum := len(mine)-1, catalog.Points(0) // hits come in the order in which the latest is last
	for i, h := range mine {
		sum += of(h)
		if x.Pick == "best" && of(h) > of(mine[chosen]) || x.Pick == "worst" && of(h) < of(mine[chosen]) {
			chosen = i
		}
	}
	value := of(mine[chosen])
	if x.Pick == "mean" {
		n := catalog.Points(len(mine))
		value, chosen = (2*sum+n)/(2*n), -1
	}
	for i, h := range mine {
		points, given := catalog.Points(0), of(h)
		if i == chosen {
			points = value - x.Neutral
		}
		t.record(x, x.Rules[h.seq-first], h, points, &given)
	}
	if chosen < 0 {
		t.bound(x.ID, fmt.Sprintf("%d 项的平均值 %s 代替中性分", len(mine), value), value-x.Neutral, x.Source)
	}
	return value
}

func (t *teller) record(x catalog.Indicator, r catalog.Rule, h hit, points catalog.Points, value *catalog.Points) {
	l := Line{Indicator: x.ID, Title: h.title, Kind: "record", Points: points, Rule: r.ID, Value: value, Record: h.record, Dataset: h.dataset,
		DocNo: h.docNo, Code: h.code, DecidedOn: h.decided, CountsUntil: h.until, Clause: r.Clause, Origin: r.Origin}
	if l.Title == "" {
		l.Title = x.Title.ZH
	}
	if h.status == "disputed" {
		l.Status = h.status
	}
	t.add(l)
}

// overrides tells what each override that holds does; one that forces a grade changes no points.
func (t *teller) overrides(byRule map[int][]hit) {
	for i, o := range t.p.Overrides {
		holding := byRule[-i-1]
		if len(holding) == 0 {
			continue
		}
		h := holding[len(holding)-1]
		l := Line{Kind: "adjustment", Rule: o.ID, Record: h.record, Dataset: h.dataset, DocNo: h.docNo, DecidedOn: h.decided, CountsUntil: h.until,
			Clause: o.Clause, Origin: o.Origin}
		switch {
		case o.Cap != nil:
			l.Title, l.Points = "在列期间总分不超过 "+o.Cap.String(), min(0, *o.Cap-t.sum)
		case o.Grade != "":
			l.Title = "直接评为 " + o.Grade
		default:
			l.Title = "等级不高于 " + o.Ceiling
		}
		t.add(l)
	}
}
