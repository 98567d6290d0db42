package settle

import (
	"context"
	"fmt"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/duck"
)

// stagedCommon are the columns that staging writes before those of the family.
var stagedCommon = []duck.Column{
	{Name: "row_no", Type: "BIGINT"}, {Name: "record_id", Type: "VARCHAR"}, {Name: "record_key", Type: "VARCHAR"},
	{Name: "uscc", Type: "VARCHAR"}, {Name: "entity_name", Type: "VARCHAR"}, {Name: "op", Type: "VARCHAR"},
	{Name: "source_time", Type: "TIMESTAMP"}, {Name: "received_on", Type: "DATE"}, {Name: "row_sha", Type: "VARCHAR"},
	{Name: "kind", Type: "VARCHAR"},
}

// stagedPlace are the columns that say where a row was staged and by whom.
var stagedPlace = []duck.Column{
	{Name: "dataset", Type: "VARCHAR"}, {Name: "department", Type: "VARCHAR"}, {Name: "share", Type: "VARCHAR"},
	{Name: "stage_n", Type: "BIGINT"},
}

// stagedColumns are the columns of the view that a family's model reads as staged.
func stagedColumns(f catalog.Family) []duck.Column {
	columns := append([]duck.Column{}, stagedCommon...)
	for _, c := range f.Columns {
		columns = append(columns, duck.Column{Name: c.Name, Type: columnType(c.Type)})
	}
	return append(columns, stagedPlace...)
}

func columnType(t string) string {
	switch t {
	case "date":
		return "DATE"
	case "timestamp":
		return "TIMESTAMP"
	case "integer", "fen":
		return "BIGINT"
	case "boolean":
		return "BOOLEAN"
	}
	return "VARCHAR"
}

// stage makes the view staged over a family's new files. A file written under an older contract may
// lack a column that the family has since got; it is null there.
func (w *work) stage(ctx context.Context, g familyBatch) error {
	var paths []string
	var places [][]any
	for _, b := range g.batches {
		for _, f := range b.files {
			path, err := w.settler.Lake.Local(ctx, f)
			if err != nil {
				return fmt.Errorf("read %s: %w", f.Key, err)
			}
			paths = append(paths, path)
			places = append(places, []any{path, b.dataset.ID, b.dataset.Owner, b.dataset.Share, f.N})
		}
	}
	columns := append([]duck.Column{{Name: "filename", Type: "VARCHAR"}}, stagedPlace...)
	if err := w.db.Table(ctx, "staged_file", columns, places); err != nil {
		return err
	}
	there, err := w.db.Describe(ctx, "select * from "+duck.Parquet(paths))
	if err != nil {
		return err
	}
	has := map[string]bool{}
	for _, c := range there {
		has[c.Name] = true
	}
	var parts []string
	for _, c := range stagedColumns(g.family) {
		source := "r." + duck.Ident(c.Name)
		switch {
		case isPlace(c.Name):
			source = "f." + duck.Ident(c.Name)
		case !has[c.Name]:
			source = "null"
		}
		parts = append(parts, "cast("+source+" as "+c.Type+") as "+duck.Ident(c.Name))
	}
	return w.db.Exec(ctx, "create or replace view staged as select "+strings.Join(parts, ", ")+
		" from "+duck.Parquet(paths)+" as r join staged_file as f on f.filename = r.filename")
}

func isPlace(name string) bool {
	for _, c := range stagedPlace {
		if c.Name == name {
			return true
		}
	}
	return false
}
