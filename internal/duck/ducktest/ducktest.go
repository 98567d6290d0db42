// Package ducktest runs the cases of sql/tests: a case is one txtar archive with the input tables
// as CSV and the rows expected of one model, only the columns that matter. It is for tests alone; a
// data steward can add a case without reading Go.
package ducktest

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"xinshu/internal/duck"
)

// Suite is what the cases of one kind of model share.
type Suite struct {
	Models map[string]duck.Model    // by name; an input that is a model itself is computed unless the case gives it
	Inputs map[string][]duck.Column // the columns of each relation that a case may give; what the case leaves out is null
	Macros fs.FS                    // holds macros/*.sql; nil: none
	// Setup, if set, fills what a case names in another way than CSV, such as the tables of a policy.
	Setup func(ctx context.Context, db *duck.DB, files map[string]string) error
}

// Run runs every case under dir, which holds one folder for each model: <model>/<case>.txtar. In a
// case, <relation>.csv is an input and expect.csv the rows that must come out, in any order. The
// first line of a CSV names the columns; an empty cell is null.
func (s Suite) Run(t *testing.T, cases fs.FS, dir string) {
	t.Helper()
	files, err := fs.Glob(cases, path.Join(dir, "*", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, file := range files {
		model, known := s.Models[path.Base(path.Dir(file))]
		if !known {
			continue // another suite's
		}
		ran++
		name := strings.ReplaceAll(strings.TrimSuffix(path.Base(file), ".txtar"), "-", " ")
		t.Run(model.Name+"/"+name, func(t *testing.T) {
			text, err := fs.ReadFile(cases, file)
			if err != nil {
				t.Fatal(err)
			}
			missing, extra, err := s.Case(t.Context(), model, text, t.TempDir())
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for _, row := range missing {
				t.Errorf("%s: expected, not there: %s", file, row)
			}
			for _, row := range extra {
				t.Errorf("%s: there, not expected: %s", file, row)
			}
		})
	}
	if ran == 0 {
		t.Errorf("no case under %s", dir)
	}
}

// Case runs one archive and gives the expected rows that did not come and the rows nobody expected.
func (s Suite) Case(ctx context.Context, model duck.Model, text []byte, temp string) (missing, extra []string, err error) {
	files := map[string]string{}
	for _, f := range txtar.Parse(text).Files {
		files[f.Name] = string(f.Data)
	}
	if _, found := files["expect.csv"]; !found {
		return nil, nil, fmt.Errorf("the case has no expect.csv")
	}
	db, err := duck.Open(duck.Options{Threads: 1, MemoryMB: 256, TempDir: temp})
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = db.Close() }() // in memory
	if s.Macros != nil {
		if err := db.Scripts(ctx, s.Macros, "macros/*.sql"); err != nil {
			return nil, nil, err
		}
	}
	if err := s.inputs(ctx, db, files); err != nil {
		return nil, nil, err
	}
	if s.Setup != nil {
		if err := s.Setup(ctx, db, files); err != nil {
			return nil, nil, err
		}
	}
	if err := s.create(ctx, db, model, files); err != nil {
		return nil, nil, err
	}
	want, columns, err := table(files["expect.csv"])
	if err != nil {
		return nil, nil, fmt.Errorf("expect.csv: %w", err)
	}
	got, err := read(ctx, db, model, columns)
	if err != nil {
		return nil, nil, err
	}
	missing, extra = differ(want, got)
	return missing, extra, nil
}

// inputs makes every relation of the suite, filled from the case or empty.
func (s Suite) inputs(ctx context.Context, db *duck.DB, files map[string]string) error {
	for name := range files {
		relation, isCSV := strings.CutSuffix(name, ".csv")
		if _, known := s.Inputs[relation]; isCSV && !known && relation != "expect" {
			return fmt.Errorf("%s: no relation of this suite is called %s", name, relation)
		}
	}
	for relation, columns := range s.Inputs {
		if err := db.Table(ctx, relation, columns, nil); err != nil {
			return err
		}
		text, given := files[relation+".csv"]
		if !given {
			continue
		}
		rows, names, err := table(text)
		if err != nil {
			return fmt.Errorf("%s.csv: %w", relation, err)
		}
		for i, row := range rows {
			if err := insert(ctx, db, relation, columns, names, row); err != nil {
				return fmt.Errorf("%s.csv, row %d: %w", relation, i+1, err)
			}
		}
	}
	return nil
}

func insert(ctx context.Context, db *duck.DB, relation string, columns []duck.Column, names, row []string) error {
	var idents, values []string
	for i, name := range names {
		at := slices.IndexFunc(columns, func(c duck.Column) bool { return c.Name == name })
		if at < 0 {
			return fmt.Errorf("%s has no column %q", relation, name)
		}
		idents = append(idents, duck.Ident(name))
		value := "null"
		if row[i] != "" {
			value = "cast(" + duck.Text(row[i]) + " as " + columns[at].Type + ")"
		}
		values = append(values, value)
	}
	return db.Exec(ctx, "insert into "+duck.Ident(relation)+" ("+strings.Join(idents, ", ")+") values ("+strings.Join(values, ", ")+")")
}

// create makes the model and, before it, the models among its inputs that the case does not give.
func (s Suite) create(ctx context.Context, db *duck.DB, model duck.Model, files map[string]string) error {
	for _, input := range model.Inputs {
		inner, isModel := s.Models[input]
		if _, given := files[input+".csv"]; !isModel || given {
			continue
		}
		if err := s.create(ctx, db, inner, files); err != nil {
			return err
		}
	}
	if _, also := s.Inputs[model.Name]; also { // other cases may give it: here it is computed, once for all that read it
		return db.Exec(ctx, "create or replace table "+duck.Ident(model.Name)+" as\n"+model.Query)
	}
	return db.Create(ctx, model)
}

func read(ctx context.Context, db *duck.DB, model duck.Model, columns []string) ([][]string, error) {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = "coalesce(cast(" + duck.Ident(c) + " as varchar), '')"
	}
	rows, err := db.Query(ctx, "select "+strings.Join(parts, ", ")+" from "+duck.Ident(model.Name))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var got [][]string
	for rows.Next() {
		row := make([]string, len(columns))
		cells := make([]any, len(columns))
		for i := range row {
			cells[i] = &row[i]
		}
		if err := rows.Scan(cells...); err != nil {
			return nil, err
		}
		got = append(got, row)
	}
	return got, rows.Err()
}

func table(text string) (rows [][]string, columns []string, err error) {
	r := csv.NewReader(bytes.NewReader([]byte(text)))
	r.TrimLeadingSpace = true
	r.Comment = '#'
	all, err := r.ReadAll()
	if err != nil {
		return nil, nil, err
	}
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("the first line names the columns; there is none")
	}
	for _, row := range all {
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
	}
	return all[1:], all[0], nil
}

func differ(want, got [][]string) (missing, extra []string) {
	count := map[string]int{}
	for _, row := range want {
		count[strings.Join(row, ", ")]++
	}
	for _, row := range got {
		count[strings.Join(row, ", ")]--
	}
	for row, n := range count {
		for ; n > 0; n-- {
			missing = append(missing, row)
		}
		for ; n < 0; n++ {
			extra = append(extra, row)
		}
	}
	slices.Sort(missing)
	slices.Sort(extra)
	return missing, extra
}
