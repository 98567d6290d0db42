package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/all"
	"xinshu/internal/audit"
	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/desk"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/internal/release"
	"xinshu/internal/state"
	"xinshu/internal/vault"
	"xinshu/pipelines"
	"xinshu/pipelines/publish"
	"xinshu/pipelines/push"
	"xinshu/pipelines/score"
	"xinshu/pipelines/settle"
	"xinshu/pipelines/stage"
	"xinshu/sql"
)

// app is the hub, wired: the only place that sees all packages.
type app struct {
	config   Config
	catalog  *catalog.Catalog
	files    fs.FS              // that the catalogue was read from, releases over it
	released []release.Proposal // that are in force
	refused  notTaken           // what was laid into the catalogue folder since, and cannot be read by
	lake     *lake.Lake
	state    *state.State
	vault    *vault.Vault
	trail    *audit.Trail
	accounts *auth.Accounts
	who      func(*http.Request) (auth.Actor, error) // a program, or a browser's session; set with the service
	keys     *auth.Keys
	pipeline *pipelines.Pipeline
	desk     *desk.Desk
	duck     duck.Options
	drivers  map[string]connectors.Driver
	care     *care
	now      func() time.Time
}

// catalogFiles are the built-in catalogue with the installation's own folder laid over it.
func catalogFiles(c Config) fs.FS {
	switch {
	case c.texts != nil:
		return catalog.Layer(c.texts, catalog.Files)
	case c.Catalog != "":
		return catalog.Layer(os.DirFS(c.Catalog), catalog.Files)
	}
	return catalog.Files
}

// openApp opens lake and state, follows the log, and wires the steps. now is the hub's clock.
func openApp(ctx context.Context, c Config, now func() time.Time) (a *app, err error) {
	a = &app{config: c, now: now, drivers: map[string]connectors.Driver{}}
	for _, d := range all.Drivers(now) {
		a.drivers[d.Kind] = d
	}
	if err := os.MkdirAll(c.Data, 0o750); err != nil {
		return nil, &fault.Error{Op: "open data folder", Code: fault.Invalid, Err: err, Hint: "give a folder that can be written with --data"}
	}
	a.care = a.newCare()
	if a.lake, err = openLake(ctx, c, a.care.metrics.Store); err != nil {
		return nil, err
	}
	if err := whole(ctx, a.lake); err != nil {
		return nil, err
	}
	key, err := maskKey(c)
	if err != nil {
		return nil, err
	}
	if a.vault, err = openVault(c); err != nil {
		return nil, err
	}
	if a.state, err = state.Open(ctx, c.stateAddress(), now); err != nil {
		return nil, err
	}
	a.config.keepTexts()
	if err := a.readCatalogue(ctx); err != nil {
		return nil, errors.Join(err, a.state.Close())
	}
	a.trail = audit.New(a.state, a.vault, now)
	a.accounts = auth.NewAccounts(a.state, a.trail, c.Auth.rules(), now)
	a.keys = auth.NewKeys(a.state, a.state, a.vault, a.trail, now)
	a.duck = duck.Options{Threads: c.Score.Threads, MemoryMB: c.Score.MemoryMB, TempDir: a.lake.TempDir()}
	a.wire(key)
	a.startLineage()
	a.desk = a.newDesk()
	a.pipeline.Made = a.desk
	if err := a.follow(ctx); err != nil {
		return nil, errors.Join(err, a.state.Close())
	}
	if _, err := a.overrides(ctx); err != nil {
		return nil, errors.Join(err, a.state.Close())
	}
	return a, nil
}

// whole refuses a store that a restore was killed in: it looks like a hub and holds only part of one.
func whole(ctx context.Context, l *lake.Lake) error {
	backup, err := l.Restoring(ctx)
	if err != nil || backup == "" {
		return err
	}
	return &fault.Error{Op: "open the store", Code: fault.Conflict, Err: fmt.Errorf("backup %s was not brought back to its end here", backup),
		Hint: "run the same xinshu restore again; it goes on where it was"}
}

// follow brings run state up to the log: what a killed process committed and did not record, or
// everything, where the database is new.
func (a *app) follow(ctx context.Context) error {
	a.state.Log, a.state.Changes = a.lake, a.pipeline.Publisher.Changes
	if err := a.desk.SetTargets(ctx); err != nil {
		return err
	}
	_, err := a.state.Follow(ctx)
	return err
}

// openLake opens the store of a config; see is told of every request to it, and may be nil.
func openLake(ctx context.Context, c Config, see func(operation, outcome string, took time.Duration)) (*lake.Lake, error) {
	var (
		store lake.Store
		err   error
	)
	switch c.Store.Kind {
	case "folder":
		store, err = lake.OpenFolder(filepath.Join(c.Data, "lake"))
	case "s3":
		store, err = lake.OpenS3(ctx, lake.S3Config{Endpoint: c.Store.Endpoint, Bucket: c.Store.Bucket, Region: c.Store.Region,
			AccessKey: c.Store.AccessKey, SecretKey: lake.Secret(c.Store.SecretKey), TLS: c.Store.Secure,
			CAFile: c.Store.CAFile, AnswerWithin: duration(c.Store.AnswerWithin)})
	default:
		return nil, usageError{fault.Newf(fault.Invalid, "open store", "store.kind is %q; folder and s3 are known", c.Store.Kind)}
	}
	if err != nil {
		return nil, err
	}
	if see != nil {
		store = lake.Watch(store, see)
	}
	return lake.New(store, lake.Options{Cache: c.cacheDir(), CacheBytes: c.Store.CacheMB << 20, Node: c.Node,
		Engine: chain.Engine{DuckDB: duck.Version(), Xinshu: version}, Now: time.Now})
}

// wire puts the steps together.
func (a *app) wire(key []byte) {
	c := a.config
	p := &pipelines.Pipeline{
		Catalog: a.catalog, Drivers: a.drivers, Heads: a.lake, Runs: seenRuns{a.state, a.care}, Posts: a.state, Told: a.state, Now: a.now, Parallel: 2,
		Stager:    &stage.Stager{Lake: a.lake, Words: a.catalog, Now: a.now, HashKey: key},
		Settler:   &settle.Settler{Lake: a.lake, Catalog: a.catalog, SQL: sql.Files, Now: a.now, Threads: c.Score.Threads, Memory: c.Score.MemoryMB},
		Scorer:    &score.Scorer{Lake: a.lake, Seals: a.seals, SQL: sql.Files, Duck: a.duck, Platforms: a.catalog.PlatformDatasets(), Xinshu: version},
		Publisher: &publish.Publisher{Lake: a.lake, Duck: a.duck},
		Sender:    &push.Sender{Outbox: a.state, Now: a.now},
	}
	for _, s := range c.Sources {
		p.Sources = append(p.Sources, pipelines.Source{Name: s.Name, Kind: s.Kind, Values: s.Values, Datasets: s.Datasets, Collected: collected(s.Collected)})
	}
	for _, t := range c.Targets {
		p.Targets = append(p.Targets, pipelines.Target{ID: t.ID, Kind: t.Kind, Values: t.Values, Fields: t.Fields})
	}
	a.pipeline = p
}

func collected(s string) catalog.Date {
	d, err := catalog.ParseDate(s)
	if err != nil {
		return catalog.NoDate // checked when the config was read
	}
	return d
}

func (a *app) seals(ctx context.Context, policy string) (map[string][]byte, error) {
	seals, err := a.lake.Seals(ctx, policy)
	if err != nil {
		return nil, err
	}
	bodies := make(map[string][]byte, len(seals))
	for _, s := range seals {
		bodies[s.SHA256] = s.Body
	}
	return bodies, nil
}

// policies gives the ids that a run scores: those asked for, those of the config, or all in use.
func (a *app) policies(asked []string) ([]string, error) {
	ids := asked
	if len(ids) == 0 {
		ids = a.config.Policies
	}
	if len(ids) == 0 {
		for _, p := range a.catalog.Policies {
			if p.Status != "draft" {
				ids = append(ids, p.ID)
			}
		}
	}
	for _, id := range ids {
		if _, ok := a.catalog.Policy(id); !ok {
			return nil, usageError{&fault.Error{Op: "choose policies", Code: fault.NotFound, Err: fmt.Errorf("there is no policy %q", id), Hint: "see xinshu policy list"}}
		}
	}
	return ids, nil
}

// tidy deletes what nothing needs any more. What settling has not read yet stays.
func (a *app) tidy(ctx context.Context) error {
	head, err := a.lake.Head(ctx, chain.Settled)
	if err != nil {
		return err
	}
	read := map[string]int64{}
	for _, in := range head.Inputs {
		read[in.Chain] = in.N
	}
	_, err = a.lake.Collect(ctx, func(_ context.Context, stageChain string) (int64, error) { return read[stageChain], nil })
	return err
}

// Close lets go of the state.
func (a *app) Close() error { return errors.Join(a.care.close(), a.desk.Close(), a.state.Close()) }

// maskKey gives the key of the hash kept beside a masked person field. Without one in the config it
// is made once and kept beside the data: the same person must give the same hash tomorrow.
func maskKey(c Config) ([]byte, error) {
	if c.MaskKey != "" {
		return []byte(c.MaskKey), nil
	}
	path := filepath.Join(c.Data, "mask.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		var b [32]byte
		_, _ = rand.Read(b[:]) // never fails, says its documentation
		// Another process may begin at this very moment: the key that is there counts for both.
		if err = placed(path, []byte(hex.EncodeToString(b[:])), os.Link); err == nil || errors.Is(err, fs.ErrExist) {
			text, err = os.ReadFile(path)
		}
	}
	if err != nil {
		return nil, &fault.Error{Op: "read the mask key", Code: fault.Internal, Err: err, Hint: "check that the data folder can be read and written"}
	}
	return []byte(strings.TrimSpace(string(text))), nil
}

// writeOnce writes a small file whole or not at all.
func writeOnce(path string, body []byte) error { return placed(path, body, os.Rename) }

// placed writes a small file beside its place and puts it there: with os.Rename in place of what is
// there, with os.Link only where nothing is.
func placed(path string, body []byte, put func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // made readable by its owner alone
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already where it was renamed
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return put(f.Name(), path)
}
