package console

import (
	"errors"
	"fmt"
	"path"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/pipelines/stage"
)

// shownFault gives an error as a page shows it.
func shownFault(err error) *fault.Error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	return &fault.Error{Op: "reach the platform", Code: fault.CodeOf(err), Err: err}
}

// shownTrial is a look at a connection as a page shows it.
type shownTrial struct {
	Found  connectors.Finding
	Tables []shownTable
}

type shownTable struct {
	ID      string
	Title   catalog.Text
	Columns []string
	Rows    []shownRow
	Err     error
	Good    int
}

type shownRow struct {
	stage.Judged
	Sentence catalog.Text
	Place    string      // the name of the file without its folders, and the line
	Cells    []shownCell // in the order of the columns
}

type shownCell struct {
	Value string
	There bool
	Bad   bool
}

func (c *Console) shownTrial(t desk.Trial) *shownTrial {
	shown := &shownTrial{Found: t.Found}
	for _, table := range t.Datasets {
		ds, _ := c.Desk.Catalog.Dataset(table.Dataset)
		one := shownTable{ID: table.Dataset, Title: ds.Title, Err: table.Err}
		place := map[string]int{}
		for _, row := range table.Rows {
			for _, cell := range row.Values {
				if _, known := place[cell.Name]; !known {
					place[cell.Name] = len(one.Columns)
					one.Columns = append(one.Columns, cell.Name)
				}
			}
		}
		for _, row := range table.Rows {
			r := shownRow{Judged: row, Place: fmt.Sprintf("%s:%d", path.Base(row.File), row.Line), Cells: make([]shownCell, len(one.Columns))}
			if row.Reason != "" {
				r.Sentence = stage.Sentence(row.Reason, ds)
			}
			if row.Verdict == "accepted" {
				one.Good++
			}
			for _, cell := range row.Values {
				if at := &r.Cells[place[cell.Name]]; cell.Value != nil {
					*at = shownCell{Value: *cell.Value, There: true}
				}
				r.Cells[place[cell.Name]].Bad = row.Column != "" && cell.Name == row.Column
			}
			one.Rows = append(one.Rows, r)
		}
		shown.Tables = append(shown.Tables, one)
	}
	return shown
}
