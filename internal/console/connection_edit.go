package console

import (
	"errors"
	"net/http"
	"strings"

	"xinshu/internal/desk"
	"xinshu/internal/fault"
)

// connectionSide is one of the two sides of the hub on which connections are made: what it pulls from and what
// it pushes to. Their forms do the same.
type connectionSide struct {
	role     string
	home     string // address of the list
	template string // of the form
	saved    string // words of the notice
}

var (
	sourceSide = connectionSide{role: desk.SourceRole, home: "/sources", template: "sources/edit", saved: "sources.saved"}
	targetSide = connectionSide{role: desk.TargetRole, home: "/settings/targets", template: "settings/target_edit", saved: "target.saved"}
)

// previewRows is how many rows are looked at before a source is taken in.
const previewRows = 10

func (c *Console) newConnection(q *Request, at connectionSide) error {
	if q.Method == http.MethodPost {
		if err := q.readForm(); err != nil {
			return err
		}
		return c.connectionForm(q, at, readDraft(at.role, q.PostForm))
	}
	draft := desk.Draft{Role: at.role, Kind: q.URL.Query().Get("kind"), Datasets: map[string]map[string]string{}}
	if ds, ok := c.Desk.Catalog.Dataset(q.URL.Query().Get("dataset")); ok && at.role == desk.SourceRole {
		draft.Datasets[ds.ID] = map[string]string{}
		if draft.Kind == "" {
			draft.Kind = ds.Way
		}
	}
	return q.Render(at.template, c.formOf(draft, nil, nil))
}

func (c *Console) editConnection(q *Request, at connectionSide) error {
	id := q.PathValue("id")
	if q.Method == http.MethodPost {
		if err := q.readForm(); err != nil {
			return err
		}
		draft := readDraft(at.role, q.PostForm)
		draft.ID = id
		return c.connectionForm(q, at, draft)
	}
	conn, err := c.Desk.Connection(q.Context(), at.role, id)
	if err != nil {
		return err
	}
	if conn.Fixed {
		return &fault.Error{Op: "change the " + at.role + " " + id, Code: fault.Conflict, Err: errors.New("it stands in xinshu.yaml"), Hint: "change it there and start the hub again"}
	}
	draft := desk.Draft{Role: at.role, ID: id, Kind: conn.Kind, Values: conn.Values, Datasets: conn.Datasets, Collected: conn.Collected, Limits: conn.Limits, Version: conn.Version}
	return q.Render(at.template, c.formOf(draft, conn.Kept, nil))
}

// connectionForm does what the pressed button of the form says, and shows the form again unless it was saved.
func (c *Console) connectionForm(q *Request, at connectionSide, draft desk.Draft) error {
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
			return q.See(address(at.home, saved.ID), q.Say(at.saved, saved.ID))
		}
	}
	return c.connectionFormAgain(q, at, draft, faults, trial, tried, err)
}

func (c *Console) connectionFormAgain(q *Request, at connectionSide, draft desk.Draft, faults []desk.FieldFault, trial desk.Trial, tried bool, problem error) error {
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
	return q.Render(at.template, form)
}

func (c *Console) removeConnection(q *Request, at connectionSide, removed string) error {
	version, err := wholeNumber(q.PostFormValue("version"))
	if err != nil {
		return err
	}
	id := q.PathValue("id")
	if err := c.Desk.RemoveConnection(q.Context(), at.role, id, version); err != nil {
		return err
	}
	return q.See(at.home, q.Say(removed, id))
}

// exportConnection gives a connection as YAML, as xinshu.yaml has it; secrets are named, not given.
func (c *Console) exportConnection(q *Request, at connectionSide) error {
	id := q.PathValue("id")
	text, err := c.Desk.ExportConnection(q.Context(), at.role, id)
	if err != nil {
		return err
	}
	return q.File(id+".yaml", "application/yaml; charset=utf-8", strings.NewReader(text))
}
