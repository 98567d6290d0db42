package desk

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"xinshu/connectors"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/state"
	"xinshu/pipelines"
	"xinshu/pipelines/stage"
)

// CheckConnection says everything that is wrong with a draft. Nothing is reached and nothing is kept.
func (d *Desk) CheckConnection(ctx context.Context, draft Draft) ([]FieldFault, error) {
	_, faults, err := d.complete(ctx, draft)
	return faults, err
}

// Trial is what a look at a connection came to.
type Trial struct {
	Reached  string             `json:"reached"`  // Found in English words
	Found    connectors.Finding `json:"found"`    // zero: nothing was reached
	Datasets []TrialTable       `json:"datasets"` // of a source
}

// TrialTable is a dataset's first rows with the verdicts that staging would give.
type TrialTable struct {
	Dataset string         `json:"dataset"`
	Rows    []stage.Judged `json:"rows"`
	Error   string         `json:"error,omitempty"`
	Err     error          `json:"-"` // the same, for who has words for it
}

// TryConnection reaches a connection as filled in, and looks at the first rows of the datasets named. A
// dataset that cannot be read does not keep the others from being shown. Nothing is staged or kept.
func (d *Desk) TryConnection(ctx context.Context, draft Draft, datasets []string, rows int) (Trial, []FieldFault, error) {
	g, faults, err := d.complete(ctx, draft)
	if err != nil || len(faults) > 0 {
		return Trial{}, faults, err
	}
	t, err := d.triedAndNoted(ctx, g, datasets, rows)
	return t, nil, err
}

// TrySaved does the same with a connection that is there.
func (d *Desk) TrySaved(ctx context.Context, role, id string, datasets []string, rows int) (Trial, error) {
	g, err := d.given(ctx, role, id)
	if err != nil {
		return Trial{}, err
	}
	if len(datasets) == 0 {
		datasets = slices.Sorted(maps.Keys(g.Datasets))
	}
	return d.triedAndNoted(ctx, g, datasets, rows)
}

// triedAndNoted is a look that is written down: it uses kept secrets and shows rows of others.
func (d *Desk) triedAndNoted(ctx context.Context, g Given, datasets []string, rows int) (Trial, error) {
	act := auth.Act{Action: g.Role + ".try", Kind: g.Role, ID: g.ID, Detail: map[string]string{"kind": g.Kind}}
	if rows > 0 && len(datasets) > 0 {
		act.Detail["datasets"] = strings.Join(datasets, " ")
	}
	return noting(ctx, d, act, func() (Trial, error) { return d.try(ctx, g, datasets, rows) })
}

// mostTried bounds the rows shown of a dataset.
const mostTried = 100

func (d *Desk) try(ctx context.Context, g Given, datasets []string, rows int) (Trial, error) {
	t := Trial{Datasets: []TrialTable{}}
	if g.Kind == PostedKind {
		return t, fault.Newf(fault.Invalid, "try "+g.ID, "it posts to the hub; there is nothing to reach")
	}
	reach, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	source := g.source()
	var err error
	if t.Found, err = d.Pipeline.Test(reach, source); err != nil {
		return t, tooLong(ctx, reach, "try "+g.ID, err)
	}
	t.Reached = t.Found.String()
	for _, id := range datasets {
		if rows <= 0 {
			break
		}
		look, cancel := context.WithTimeout(ctx, reachWithin)
		judged, err := d.Pipeline.Preview(look, source, id, min(rows, mostTried))
		table := TrialTable{Dataset: id, Rows: append([]stage.Judged{}, judged...)}
		if err != nil {
			table.Err = tooLong(ctx, look, "read the first rows", err)
			table.Error = table.Err.Error()
		}
		cancel()
		t.Datasets = append(t.Datasets, table)
	}
	return t, nil
}

// tooLong says so where our own patience ended a look.
func tooLong(ctx, look context.Context, op string, err error) error {
	if ctx.Err() == nil && errors.Is(look.Err(), context.DeadlineExceeded) {
		return &fault.Error{Op: op, Code: fault.Unavailable, Err: errors.New("no answer within " + reachWithin.String()), Hint: "check address, firewall and whether the platform is up"}
	}
	return err
}

// SaveConnection keeps a draft that has no faults. From then on it is pulled from, or pushed to.
func (d *Desk) SaveConnection(ctx context.Context, draft Draft) (Connection, []FieldFault, error) {
	op := "save the " + draft.Role + " " + draft.ID
	g, faults, err := d.complete(ctx, draft)
	if err != nil || len(faults) > 0 {
		return Connection{}, faults, err
	}
	b, secrets := d.parted(g)
	b.Values = withoutDefaults(d.Drivers[g.Kind].Settings, b.Values)
	for id, job := range b.Datasets {
		b.Datasets[id] = withoutDefaults(d.Drivers[g.Kind].Job, job)
	}
	b.Secrets = slices.Sorted(maps.Keys(secrets))
	k := state.Connection{Role: g.Role, ID: g.ID, Kind: g.Kind, Version: draft.Version, ChangedBy: auth.From(ctx).ID}
	text, err := json.Marshal(b)
	if err != nil {
		return Connection{}, nil, err
	}
	k.Body = string(text)
	if k.Secrets, err = d.sealed(k.SecretPlace(), secrets); err != nil {
		return Connection{}, nil, &fault.Error{Op: op, Code: fault.CodeOf(err), Err: err}
	}
	act := auth.Act{Action: k.Role + ".save", Kind: k.Role, ID: k.ID, Detail: map[string]string{"kind": k.Kind, "datasets": strings.Join(slices.Sorted(maps.Keys(g.Datasets)), " ")}}
	if err := d.noted(ctx, act, func() (err error) {
		k, err = d.State.SaveConnection(ctx, k)
		return err
	}); err != nil {
		return Connection{}, nil, err
	}
	if err := d.targetsChanged(ctx, k.Role); err != nil {
		return Connection{}, nil, err
	}
	c, err := d.readKept(k)
	return c, nil, err
}

func (d *Desk) sealed(place string, secrets map[string]string) (string, error) {
	if len(secrets) == 0 {
		return "", nil
	}
	text, err := json.Marshal(secrets)
	if err != nil {
		return "", err
	}
	defer clear(text)
	return d.Vault.Seal(place, text)
}

// RemoveConnection forgets a connection that was made in the console. What it brought stays, and so
// does the place up to which its datasets were read: a source of the same name goes on from there.
func (d *Desk) RemoveConnection(ctx context.Context, role, id string, version int64) error {
	if _, fixed := d.fixed(role, id); fixed {
		return &fault.Error{Op: "remove the " + role + " " + id, Code: fault.Conflict, Err: errors.New("it stands in xinshu.yaml"), Hint: "take it out of the file and start the hub again"}
	}
	if err := d.noted(ctx, auth.Act{Action: role + ".remove", Kind: role, ID: id}, func() error {
		return d.State.RemoveConnection(ctx, role, id, version)
	}); err != nil {
		return err
	}
	return d.targetsChanged(ctx, role)
}

func (d *Desk) targetsChanged(ctx context.Context, role string) error {
	if role != TargetRole {
		return nil
	}
	return d.SetTargets(ctx)
}

// withoutDefaults leaves out what says what the kind says anyway, and what does not matter beside the
// other values, so that a better default reaches connections that never chose.
func withoutDefaults(settings []connectors.Setting, values map[string]string) map[string]string {
	kept := map[string]string{}
	for _, s := range settings {
		if v, given := values[s.Name]; given && strings.TrimSpace(v) != s.Default {
			kept[s.Name] = strings.TrimSpace(v)
		}
	}
	return kept
}

func jobsOf(draft Draft) map[string]connectors.Values {
	jobs := map[string]connectors.Values{}
	for id, job := range draft.Datasets {
		jobs[id] = job
	}
	return jobs
}

var _ pipelines.Made = (*Desk)(nil)
