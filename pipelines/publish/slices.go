package publish

import (
	"context"
	"fmt"
	"path/filepath"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
)

// What fits into memory: rows compared at once for each MB that DuckDB has beyond its own needs. They
// are wide, with the notice's wording in each; 4,000 for each MB did not fit, nor did five million at once.
const rowsPerMB, ownMB = 1_000, 120

// mostSlices: the last two characters of a code, both check digits, tell so many apart.
const mostSlices = 31 * 11

// checkDigits are the 31 characters a code can end in. Check digits fall evenly, so that codes with
// the same ones are a fair share of any registry, and everything about one entity is in one slice.
const checkDigits = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// sliceCount says in how many parts the published and the scored results are compared.
func sliceCount(published, scored chain.Entry, memoryMB int) int {
	if memoryMB == 0 {
		memoryMB = 512
	}
	rows := int64(0)
	for _, e := range []chain.Entry{published, scored} {
		here := int64(0)
		for _, f := range e.Table(gradeModel) {
			here += f.Rows
		}
		rows = max(rows, here)
	}
	room := int64(max(memoryMB-ownMB, 1)) * rowsPerMB
	return int(min(max((rows+room-1)/room, 1), mostSlices))
}

// cut gives the models the part of every code that belongs to a slice.
func cut(ctx context.Context, db *duck.DB, slice, of int) error {
	for _, name := range []string{"scored", "published"} {
		query := "create or replace view " + name + " as select * from every_" + name
		if of > 1 {
			query += fmt.Sprintf(" where (strpos('%[1]s', uscc[18]) + 31 * strpos('%[1]s', uscc[17])) %% %[2]d = %[3]d", checkDigits, of, slice)
		}
		if err := db.Exec(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// table is a file of rows of one slice.
type table struct {
	name, path string
	slice      int
	rows       int64
}

// write runs the two models into Parquet files, slice by slice: the changes first, then the state,
// which reads the changes back from their file instead of working them out again. Nothing is written
// where nothing changes. Afterwards change is the view of all changes.
func write(ctx context.Context, db *duck.DB, dir string, of int) ([]table, error) {
	change, err := model(changeModel)
	if err != nil {
		return nil, err
	}
	grade, err := model(gradeModel)
	if err != nil {
		return nil, err
	}
	copied := func(m duck.Model, slice int) (table, error) {
		t := table{name: m.Name, slice: slice, path: filepath.Join(dir, fmt.Sprintf("%s-%03d.parquet", m.Name, slice))}
		t.rows, err = db.Copy(ctx, m.Query+"\norder by uscc", t.path)
		return t, err
	}
	var tables []table
	changed := make([][]string, of) // files of changes, by slice
	var all []string
	for slice := range of {
		if err := cut(ctx, db, slice, of); err != nil {
			return nil, err
		}
		t, err := copied(change, slice)
		if err != nil {
			return nil, err
		}
		if t.rows > 0 {
			tables, changed[slice], all = append(tables, t), []string{t.path}, append(all, t.path)
		}
	}
	if len(tables) == 0 {
		return nil, nil
	}
	for slice := range of {
		if err := cut(ctx, db, slice, of); err != nil {
			return nil, err
		}
		if err := db.View(ctx, changeModel, changed[slice], change.Columns); err != nil {
			return nil, err
		}
		t, err := copied(grade, slice)
		if err != nil {
			return nil, err
		}
		if t.rows > 0 {
			tables = append(tables, t)
		}
	}
	return tables, db.View(ctx, changeModel, all, change.Columns)
}
