package settle

import (
	"context"

	"xinshu/catalog"
	"xinshu/internal/duck"
)

// rules makes the tables of dated rules that the penalties' model reads. A rule is in force for what
// was decided from valid_from until the day before valid_until.
func (w *work) rules(ctx context.Context) error {
	if err := w.db.Table(ctx, "severity_rule", severityColumns, severityRows(w.settler.Catalog.Rules)); err != nil {
		return err
	}
	return w.db.Table(ctx, "publicity_rule", publicityColumns, publicityRows(w.settler.Catalog.Rules))
}

var severityColumns = []duck.Column{
	{Name: "rule", Type: "VARCHAR", Doc: "id of the dated set"},
	{Name: "valid_from", Type: "DATE"}, {Name: "valid_until", Type: "DATE"},
	{Name: "department", Type: "VARCHAR", Doc: "whose penalties it grades; null: everybody's"},
	{Name: "word", Type: "VARCHAR", Doc: "how a penalty category begins; *: any that no word begins"},
	{Name: "level", Type: "VARCHAR"},
	{Name: "rank", Type: "INTEGER", Doc: "the graver, the greater"},
}

var publicityColumns = []duck.Column{
	{Name: "rule", Type: "VARCHAR", Doc: "id of the dated set"},
	{Name: "valid_from", Type: "DATE"}, {Name: "valid_until", Type: "DATE"},
	{Name: "department", Type: "VARCHAR", Doc: "whose penalties it speaks of; null: everybody's"},
	{Name: "level", Type: "VARCHAR", Doc: "*: any"},
	{Name: "months", Type: "INTEGER", Doc: "longest publicity, from the day of decision"},
}

// simpleProcedure is the word under which the model looks for a penalty under simple procedure.
const simpleProcedure = "简易程序"

var rankOf = map[string]int32{"minor": 1, "general": 2, "serious": 3}

func severityRows(rules catalog.Rules) [][]any {
	var rows [][]any
	for _, set := range rules.Severity {
		add := func(word, level string) {
			if level != "" {
				rows = append(rows, []any{set.ID, day(set.ValidFrom), day(set.ValidUntil), text(set.Department), word, level, rankOf[level]})
			}
		}
		for _, w := range set.Words {
			add(w.Word, w.Level)
		}
		add(simpleProcedure, set.SimpleProcedure)
		add("*", set.Otherwise)
	}
	return rows
}

func publicityRows(rules catalog.Rules) [][]any {
	var rows [][]any
	for _, set := range rules.Publicity {
		for _, p := range set.Periods {
			department := p.Department
			if department == "" {
				department = set.Department
			}
			rows = append(rows, []any{set.ID, day(set.ValidFrom), day(set.ValidUntil), text(department), p.Level, int32(p.Longest)})
		}
	}
	return rows
}

// text and day are cells: what is absent is null.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func day(d *catalog.Date) any {
	if d == nil || *d == catalog.NoDate {
		return nil
	}
	return d.Time()
}
