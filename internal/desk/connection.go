package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/fault"
	"xinshu/internal/state"
	"xinshu/pipelines"
)

// The roles of a connection.
const (
	SourceRole = "source"
	TargetRole = "target"
)

// PostedKind is the kind of a source that posts to the hub's own door: nothing is pulled from it.
const PostedKind = "receive"

// Given is a connection with its secrets, as the pipeline opens it. It is never shown.
type Given struct {
	Role, ID, Kind string
	Values         connectors.Values
	Datasets       map[string]connectors.Values // of a source, by dataset id: the job settings
	Collected      string                       // of a source: collection date of the first load's stock, 2006-01-02
	Limits         Limits                       // of a target
}

// Limits are what a target may get. Empty members do not narrow.
type Limits struct {
	Public     bool     `json:"public,omitempty"` // open to society: trial results never go there
	Policies   []string `json:"policies,omitempty"`
	Regions    []string `json:"regions,omitempty"`    // beginnings of division codes
	Industries []string `json:"industries,omitempty"` // beginnings of industry codes
	Fields     []string `json:"fields,omitempty"`     // of a result
}

// Connection is a source or a target as people see it: without its secrets.
type Connection struct {
	Role      string                       `json:"role"`
	ID        string                       `json:"id"`
	Kind      string                       `json:"kind"`
	Values    map[string]string            `json:"values"`
	Kept      []string                     `json:"kept"`               // secrets that are set: password, datasets/court.debtor/token
	Datasets  map[string]map[string]string `json:"datasets,omitempty"` // by dataset id: the job settings
	Collected string                       `json:"collected,omitempty"`
	Limits    Limits                       `json:"limits,omitzero"`
	Fixed     bool                         `json:"fixed"` // it stands in xinshu.yaml and is changed there
	Version   int64                        `json:"version"`
	ChangedBy string                       `json:"changed_by,omitempty"`
	ChangedAt time.Time                    `json:"changed_at,omitzero"`
}

// IDs gives the datasets of a source, sorted.
func (c Connection) IDs() []string { return slices.Sorted(maps.Keys(c.Datasets)) }

// Vault seals what run state keeps of secrets.
type Vault interface {
	Seal(place string, secret []byte) (string, error)
	Open(place, sealed string) ([]byte, error)
}

// body is what run state keeps of a connection beside its secrets.
type body struct {
	Values    map[string]string            `json:"values"`
	Datasets  map[string]map[string]string `json:"datasets,omitempty"`
	Collected string                       `json:"collected,omitempty"`
	Limits    Limits                       `json:"limits,omitzero"`
	Secrets   []string                     `json:"secrets,omitempty"` // their places
}

// Connections gives all connections of a role by id: those of the config and those that were made.
func (d *Desk) Connections(ctx context.Context, role string) ([]Connection, error) {
	kept, err := d.State.Connections(ctx, role)
	if err != nil {
		return nil, err
	}
	var all []Connection
	for _, g := range d.Given {
		if g.Role == role {
			all = append(all, d.shown(g))
		}
	}
	for _, k := range kept {
		c, err := d.readKept(k)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b Connection) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// Connection gives one connection.
func (d *Desk) Connection(ctx context.Context, role, id string) (Connection, error) {
	if g, ok := d.fixed(role, id); ok {
		return d.shown(g), nil
	}
	k, err := d.State.Connection(ctx, role, id)
	if err != nil {
		return Connection{}, err
	}
	return d.readKept(k)
}

// fixed gives a connection of the config.
func (d *Desk) fixed(role, id string) (Given, bool) {
	i := slices.IndexFunc(d.Given, func(g Given) bool { return g.Role == role && g.ID == id })
	if i < 0 {
		return Given{}, false
	}
	return d.Given[i], true
}

// given gives one connection with its secrets.
func (d *Desk) given(ctx context.Context, role, id string) (Given, error) {
	if g, ok := d.fixed(role, id); ok {
		return g, nil
	}
	k, err := d.State.Connection(ctx, role, id)
	if err != nil {
		return Given{}, err
	}
	return d.opened(k)
}

// shown leaves the secrets of a connection of the config out.
func (d *Desk) shown(g Given) Connection {
	b, secrets := d.parted(g)
	return Connection{Role: g.Role, ID: g.ID, Kind: g.Kind, Values: b.Values, Datasets: b.Datasets, Collected: g.Collected, Limits: g.Limits,
		Kept: slices.Sorted(maps.Keys(secrets)), Fixed: true}
}

// readKept reads a connection as run state keeps it. The vault stays closed.
func (d *Desk) readKept(k state.Connection) (Connection, error) {
	var b body
	if err := json.Unmarshal([]byte(k.Body), &b); err != nil {
		return Connection{}, &fault.Error{Op: "read the " + k.Role + " " + k.ID, Code: fault.Internal, Err: err}
	}
	return Connection{Role: k.Role, ID: k.ID, Kind: k.Kind, Values: b.Values, Datasets: b.Datasets, Collected: b.Collected, Limits: b.Limits,
		Kept: b.Secrets, Version: k.Version, ChangedBy: k.ChangedBy, ChangedAt: k.ChangedAt}, nil
}

// opened joins what run state keeps of a connection and its secrets.
func (d *Desk) opened(k state.Connection) (Given, error) {
	c, err := d.readKept(k)
	if err != nil {
		return Given{}, err
	}
	secrets, err := d.unsealed(k)
	if err != nil {
		return Given{}, err
	}
	return join(c.Role, c.ID, c.Kind, body{Values: c.Values, Datasets: c.Datasets, Collected: c.Collected, Limits: c.Limits}, secrets), nil
}

func (d *Desk) unsealed(k state.Connection) (map[string]string, error) {
	secrets := map[string]string{}
	if k.Secrets == "" {
		return secrets, nil
	}
	text, err := d.Vault.Open(k.SecretPlace(), k.Secrets)
	if err != nil {
		return nil, fmt.Errorf("open the secrets of the %s %s: %w", k.Role, k.ID, err)
	}
	defer clear(text)
	if err := json.Unmarshal(text, &secrets); err != nil {
		return nil, fault.Newf(fault.Internal, "open the secrets of the "+k.Role+" "+k.ID, "they are not in the form in which they were sealed")
	}
	return secrets, nil
}

// parted puts the secrets of a connection apart, each under its place: password, datasets/court.debtor/token.
func (d *Desk) parted(g Given) (body, map[string]string) {
	driver := d.Drivers[g.Kind]
	b := body{Values: map[string]string{}, Collected: g.Collected, Limits: g.Limits}
	secrets := map[string]string{}
	split(driver.Settings, g.Values, "", b.Values, secrets)
	for id, job := range g.Datasets {
		if b.Datasets == nil {
			b.Datasets = map[string]map[string]string{}
		}
		b.Datasets[id] = map[string]string{}
		split(driver.Job, job, jobPlace(id), b.Datasets[id], secrets)
	}
	return b, secrets
}

// split hands every value to one of two maps. What no declared setting names counts as a secret: it is
// not known to be none.
func split(settings []connectors.Setting, values connectors.Values, place string, plain, secrets map[string]string) {
	for name, value := range values {
		i := slices.IndexFunc(settings, func(s connectors.Setting) bool { return s.Name == name })
		switch {
		case i >= 0 && !settings[i].Secret:
			plain[name] = value
		case value != "":
			secrets[place+name] = value
		}
	}
}

func jobPlace(dataset string) string { return "datasets/" + dataset + "/" }

// join is the way back of parted.
func join(role, id, kind string, b body, secrets map[string]string) Given {
	g := Given{Role: role, ID: id, Kind: kind, Values: connectors.Values{}, Collected: b.Collected, Limits: b.Limits, Datasets: map[string]connectors.Values{}}
	maps.Copy(g.Values, b.Values)
	for dataset, job := range b.Datasets {
		g.Datasets[dataset] = maps.Clone(job)
		if g.Datasets[dataset] == nil {
			g.Datasets[dataset] = connectors.Values{}
		}
	}
	for place, secret := range secrets {
		rest, ofJob := strings.CutPrefix(place, "datasets/")
		if !ofJob {
			g.Values[place] = secret
			continue
		}
		dataset, name, _ := strings.Cut(rest, "/")
		if job, still := g.Datasets[dataset]; still {
			job[name] = secret
		}
	}
	return g
}

// source is a connection as the pipeline pulls from it.
func (g Given) source() pipelines.Source {
	day, err := catalog.ParseDate(g.Collected)
	if err != nil {
		day = catalog.NoDate // none, or checked when it was saved
	}
	return pipelines.Source{Name: g.ID, Kind: g.Kind, Values: g.Values, Datasets: g.Datasets, Collected: day}
}

// MadeSources gives the sources that were made in the console, for the pipeline.
func (d *Desk) MadeSources(ctx context.Context) ([]pipelines.Source, error) {
	var sources []pipelines.Source
	for g, err := range d.made(ctx, SourceRole) {
		if err != nil {
			return nil, err
		}
		sources = append(sources, g.source())
	}
	return sources, nil
}

// MadeTargets gives the targets that were made in the console, for the pipeline.
func (d *Desk) MadeTargets(ctx context.Context) ([]pipelines.Target, error) {
	var targets []pipelines.Target
	for g, err := range d.made(ctx, TargetRole) {
		if err != nil {
			return nil, err
		}
		targets = append(targets, pipelines.Target{ID: g.ID, Kind: g.Kind, Values: g.Values, Fields: g.Limits.Fields})
	}
	return targets, nil
}
