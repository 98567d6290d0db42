package grading

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"xinshu/internal/duck"
)

// Repeatable readies a database to run the models again and again over the few records of one entity,
// where planning is all the work: every model becomes a table, filled by a statement that is planned
// once. The settled relations and run must be tables whose rows change; one that is made anew costs
// the plans. It is instead of Views, not after it.
func (m Models) Repeatable(ctx context.Context, db *duck.DB) error {
	// A plan made over empty tables must not be built on what their statistics say.
	if err := db.Exec(ctx, "set disabled_optimizers = 'statistics_propagation,compressed_materialization'"); err != nil {
		return err
	}
	if err := m.joinNobody(ctx, db); err != nil {
		return err
	}
	for _, model := range m.Models {
		if err := db.Table(ctx, model.Name, model.Columns, nil); err != nil {
			return err
		}
	}
	for _, model := range m.Models {
		if err := db.Exec(ctx, "prepare "+fill(model)+" as insert into "+duck.Ident(model.Name)+"\n"+model.Query); err != nil {
			return err
		}
	}
	return nil
}

// Repeat computes every model from the settled relations as they are now.
func (m Models) Repeat(ctx context.Context, db *duck.DB) error { return repeat(ctx, db, m.Models) }

// RepeatDay computes anew what can be another on another day: the models that name as_of, and those that
// read one of them. It is after Repeat, when nothing but the as_of of run was changed since.
func (m Models) RepeatDay(ctx context.Context, db *duck.DB) error { return repeat(ctx, db, m.ofDay()) }

func (m Models) ofDay() (models []duck.Model) {
	moved := map[string]bool{}
	for _, model := range m.Models {
		if asOf.MatchString(model.Query) || slices.ContainsFunc(model.Inputs, func(name string) bool { return moved[name] }) {
			moved[model.Name] = true
			models = append(models, model)
		}
	}
	return models
}

// A model that takes every column of run takes as_of.
var asOf = regexp.MustCompile(`\bas_of\b|\brun\.\*`)

func repeat(ctx context.Context, db *duck.DB, models []duck.Model) error {
	from := sources{}
	var pending strings.Builder // statements not run yet: a call for each would cost more than most of them
	for _, model := range models {
		pending.WriteString("truncate " + duck.Ident(model.Name) + ";\n")
		if _, rare := rareFrom[model.Name]; rare {
			if err := db.Exec(ctx, pending.String()); err != nil { // its source may be among them
				return err
			}
			pending.Reset()
			none, err := from.none(ctx, db, model.Name)
			if err != nil {
				return err
			}
			if none {
				continue
			}
		}
		pending.WriteString("execute " + fill(model) + ";\n")
	}
	return db.Exec(ctx, pending.String())
}

func fill(m duck.Model) string { return duck.Ident("fill_" + m.Name) }
