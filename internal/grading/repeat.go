package grading

import (
	"context"
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
func (m Models) Repeat(ctx context.Context, db *duck.DB) error {
	from := sources{}
	var pending strings.Builder // statements not run yet: a call for each would cost more than most of them
	for _, model := range m.Models {
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
