package settle

import (
	"context"
	"path/filepath"

	"xinshu/internal/fault"
)

// caseFamily is the one family whose rows become marks and never records.
const caseFamily = "case"

// load runs each family's model over its new rows: records go to files, statements to a table.
func (w *work) load(ctx context.Context, in news, marks []Statement) error {
	for _, g := range w.settler.families(in.batches) {
		if err := w.stage(ctx, g); err != nil {
			return err
		}
		if err := w.deliver(ctx, g); err != nil {
			return err
		}
		for _, b := range g.batches {
			w.result.Rows += b.accepted
		}
		if g.family.ID == caseFamily {
			if err := w.state(ctx, "stg_case"); err != nil {
				return err
			}
			continue
		}
		if err := w.state(ctx, "stg_withdrawal"); err != nil {
			return err
		}
		if err := w.records(ctx, "stg_"+g.family.ID, &w.incoming); err != nil {
			return err
		}
		if g.family.ID == "registration" {
			if err := w.records(ctx, "stg_entity", &w.entities); err != nil {
				return err
			}
		}
	}
	return w.db.Append(ctx, "statement", w.columns("stg_case"), statementRows(marks))
}

// state adds the rows of a model to the statements.
func (w *work) state(ctx context.Context, model string) error {
	return w.db.Exec(ctx, "insert into statement by name\n"+w.query(model))
}

// records writes what a model gives to a file of the working folder.
func (w *work) records(ctx context.Context, model string, files *[]string) error {
	if _, known := w.models.named[model]; !known {
		return &fault.Error{Op: "settle " + model, Code: fault.NotFound,
			Hint: "a family needs a model of this name in the folder staging"}
	}
	path := filepath.Join(w.dir, model+".parquet")
	rows, err := w.db.Copy(ctx, w.query(model), path)
	if err == nil && rows > 0 {
		*files = append(*files, path)
	}
	return err
}
