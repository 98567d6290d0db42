package catalog

import "slices"

// PolicyTable is one table of a policy as scoring reads it. Columns are name and DuckDB type; points
// are hundredths; a cell is nil, string, bool, int64 or Date.
type PolicyTable struct {
	Name    string
	Columns [][2]string
	Rows    [][]any
}

// Tables gives the policy as the tables of protocol.md section 4, in the order of the file, and
// policy_match: the kinds and levels that each rule and override (its number negative) stands for.
func (p Policy) Tables() []PolicyTable {
	tables := []PolicyTable{
		{Name: "policy", Columns: [][2]string{{"id", "VARCHAR"}, {"extends", "VARCHAR"}, {"base", "BIGINT"}, {"floor", "BIGINT"},
			{"cap", "BIGINT"}, {"plus_cap", "BIGINT"}, {"status", "VARCHAR"}, {"valid_from", "VARCHAR"}, {"valid_to", "VARCHAR"},
			{"cycle", "VARCHAR"}, {"cut_off", "VARCHAR"}, {"maker", "VARCHAR"}, {"wording", "VARCHAR"}},
			Rows: [][]any{{p.ID, textCell(p.Extends), int64(p.Base), pointsCell(p.Floor), pointsCell(p.Cap), pointsCell(p.PlusCap), p.Status,
				textCell(p.ValidFrom), textCell(p.ValidTo), p.Cycle, textCell(p.AsOf), p.Maker.ZH, p.Wording.ZH}}},
		{Name: "policy_category", Columns: [][2]string{{"category", "VARCHAR"}, {"listed", "BOOLEAN"}}},
		{Name: "policy_indicator", Columns: [][2]string{{"seq", "BIGINT"}, {"indicator", "VARCHAR"}, {"title", "VARCHAR"}, {"side", "VARCHAR"},
			{"pick", "VARCHAR"}, {"neutral", "BIGINT"}, {"floor", "BIGINT"}, {"cap", "BIGINT"}}},
		{Name: "policy_rule", Columns: [][2]string{{"seq", "BIGINT"}, {"indicator_seq", "BIGINT"}, {"indicator", "VARCHAR"}, {"rule", "VARCHAR"},
			{"kind", "VARCHAR"}, {"level", "VARCHAR"}, {"points", "BIGINT"}, {"months", "BIGINT"}, {"cap", "BIGINT"}, {"origin", "VARCHAR"}, {"clause", "VARCHAR"}}},
		{Name: "policy_match", Columns: [][2]string{{"seq", "BIGINT"}, {"kind", "VARCHAR"}, {"level", "VARCHAR"}, {"months", "BIGINT"}}},
		{Name: "policy_band", Columns: [][2]string{{"seq", "BIGINT"}, {"grade", "VARCHAR"}, {"total_min", "BIGINT"}, {"total_max", "BIGINT"},
			{"plus_min", "BIGINT"}, {"plus_max", "BIGINT"}, {"minus_min", "BIGINT"}, {"minus_max", "BIGINT"}, {"net_min", "BIGINT"}, {"net_max", "BIGINT"}}},
		{Name: "policy_override", Columns: [][2]string{{"seq", "BIGINT"}, {"override", "VARCHAR"}, {"kind", "VARCHAR"}, {"level", "VARCHAR"},
			{"forced", "VARCHAR"}, {"ceiling", "VARCHAR"}, {"cap", "BIGINT"}, {"origin", "VARCHAR"}, {"clause", "VARCHAR"}}},
		{Name: "policy_grade", Columns: [][2]string{{"grade", "VARCHAR"}, {"rank", "BIGINT"}, {"class", "VARCHAR"}}},
	}
	add := func(name string, row ...any) {
		i := slices.IndexFunc(tables, func(t PolicyTable) bool { return t.Name == name })
		tables[i].Rows = append(tables[i].Rows, row)
	}
	for _, c := range p.Admits.Categories {
		add("policy_category", c, false)
	}
	for _, c := range p.Admits.Listed {
		add("policy_category", c, true)
	}
	seq := int64(0)
	for i, x := range p.Indicators {
		add("policy_indicator", int64(i+1), x.ID, x.Title.ZH, x.Side, x.Pick, int64(x.Neutral), pointsCell(x.Floor), pointsCell(x.Cap))
		for _, r := range x.Rules {
			seq++
			var months any
			if r.Months != nil {
				months = int64(*r.Months)
			}
			for _, level := range r.levels {
				add("policy_match", seq, r.Kind, level, months)
			}
			add("policy_rule", seq, int64(i+1), x.ID, r.ID, r.Kind, r.Level, int64(r.Points), months, pointsCell(r.Cap), r.Origin, textCell(r.Clause))
		}
	}
	for i, b := range p.limits() {
		add("policy_band", int64(i+1), b.grade, b.total.min.cell(), b.total.max.cell(), b.plus.min.cell(), b.plus.max.cell(),
			b.minus.min.cell(), b.minus.max.cell(), b.net.min.cell(), b.net.max.cell())
	}
	for i, o := range p.Overrides {
		if !o.Off {
			for _, level := range o.levels {
				add("policy_match", int64(-i-1), o.When, level, nil)
			}
			add("policy_override", int64(i+1), o.ID, o.When, o.Level, textCell(o.Grade), textCell(o.Ceiling), pointsCell(o.Cap), o.Origin, textCell(o.Clause))
		}
	}
	for i, g := range p.Grades {
		add("policy_grade", g.Grade, int64(i+1), g.Class.ZH)
	}
	return tables
}

func pointsCell(p *Points) any {
	if p == nil {
		return nil
	}
	return int64(*p)
}

func textCell(s string) any {
	if s == "" {
		return nil
	}
	return s
}
