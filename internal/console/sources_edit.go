package console

import (
	"errors"
	"net/http"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/pipelines/stage"
)

// previewRows is how many rows are looked at before a source is taken in.
const previewRows = 10

func (c *Console) newSource(q *Request) error {
	if q.Method == http.MethodGet {
		draft := desk.Draft{Role: desk.SourceRole, Kind: q.URL.Query().Get("kind"), Datasets: map[string]map[string]string{}}
		if ds, ok := c.Desk.Catalog.Dataset(q.URL.Query().Get("dataset")); ok {
			draft.Datasets[ds.ID] = map[string]string{}
			if draft.Kind == "" {
				draft.Kind = ds.Way
			}
		}
		return q.Render("sources/edit", c.formOf(draft, nil, nil))
	}
	if err := q.readForm(); err != nil {
		return err
	}
	return c.sourceForm(q, readDraft(desk.SourceRole, q.PostForm))
}

func (c *Console) editSource(q *Request) error {
	id := q.PathValue("id")
	if q.Method == http.MethodPost {
		if err := q.readForm(); err != nil {
			return err
		}
		draft := readDraft(desk.SourceRole, q.PostForm)
		draft.ID = id
		return c.sourceForm(q, draft)
	}
	conn, err := c.Desk.Connection(q.Context(), desk.SourceRole, id)
	if err != nil {
		return err
	}
	if conn.Fixed {
		return &fault.Error{Op: "change the source " + id, Code: fault.Conflict, Err: errors.New("it stands in xinshu.yaml"), Hint: "change it there and start the hub again"}
	}
	draft := desk.Draft{Role: desk.SourceRole, ID: id, Kind: conn.Kind, Values: conn.Values, Datasets: conn.Datasets, Collected: conn.Collected, Version: conn.Version}
	return q.Render("sources/edit", c.formOf(draft, conn.Kept, nil))
}

// sourceForm does what the pressed button of the form says, and shows the form again unless it was saved.
func (c *Console) sourceForm(q *Request, draft desk.Draft) error {
	do := q.PostFormValue("do")
	if id, drops := strings.CutPrefix(do, "drop:"); drops {
		delete(draft.Datasets, id)
	}
	if add := q.PostFormValue("add"); do == "add" && add != "" {
		draft.Datasets[add] = map[string]string{}
	}
	var (
		faults []desk.FieldFault
		trial  desk.Trial
		err    error
	)
	tried := do == "test" || do == "preview" || do == "save" && q.PostFormValue("untested") == ""
	switch {
	case tried:
		rows := 0
		if do == "preview" {
			rows = previewRows
		}
		trial, faults, err = c.Desk.TryConnection(q.Context(), draft, desk.Connection{Datasets: draft.Datasets}.IDs(), rows)
	case do == "check":
		faults, err = c.Desk.CheckConnection(q.Context(), draft)
	}
	if do == "save" && err == nil && len(faults) == 0 {
		var saved desk.Connection
		if saved, faults, err = c.Desk.SaveConnection(q.Context(), draft); err == nil && len(faults) == 0 {
			return q.See(address("/sources", saved.ID), q.Say("sources.saved", saved.ID))
		}
	}
	return c.sourceFormAgain(q, draft, faults, trial, tried, err)
}

func (c *Console) sourceFormAgain(q *Request, draft desk.Draft, faults []desk.FieldFault, trial desk.Trial, tried bool, problem error) error {
	sealed, err := c.Desk.HoldSecrets(q.Context(), draft)
	if err != nil {
		return err
	}
	draft.Sealed = sealed
	held, err := c.Desk.HeldSecrets(q.Context(), draft)
	if err != nil {
		return err
	}
	form := c.formOf(draft, held, faults)
	form.Untested = q.PostFormValue("do") == "save" && problem != nil
	if shown := shownFault(problem); shown != nil {
		form.Problem = shown
	}
	if len(faults) > 0 || problem != nil {
		q.Status = http.StatusUnprocessableEntity
	}
	if tried && len(faults) == 0 && problem == nil {
		form.Trial = c.shownTrial(trial)
	}
	return q.Render("sources/edit", form)
}

// shownFault gives an error as a page shows it.
func shownFault(err error) *fault.Error {
	if err == nil {
		return nil
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	return &fault.Error{Op: "reach the platform", Code: fault.CodeOf(err), Err: err}
}

// shownTrial is a look at a connection as a page shows it.
type shownTrial struct {
	Reached string
	Tables  []shownTable
}

type shownTable struct {
	ID      string
	Title   catalog.Text
	Columns []string
	Rows    []shownRow
	Error   string
	Good    int
}

type shownRow struct {
	stage.Judged
	Sentence catalog.Text
	Cells    []shownCell // in the order of the columns
}

type shownCell struct {
	Value string
	There bool
	Bad   bool
}

func (c *Console) shownTrial(t desk.Trial) *shownTrial {
	shown := &shownTrial{Reached: t.Reached}
	for _, table := range t.Datasets {
		ds, _ := c.Desk.Catalog.Dataset(table.Dataset)
		one := shownTable{ID: table.Dataset, Title: ds.Title, Error: table.Error}
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
			r := shownRow{Judged: row, Cells: make([]shownCell, len(one.Columns))}
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
