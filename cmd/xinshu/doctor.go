package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xinshu/connectors"
	"xinshu/connectors/all"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/internal/state"
	"xinshu/pipelines"
)

// How a thing stands that the doctor looked at.
const (
	statusOK   = "ok"
	statusWarn = "warn" // it works, and somebody should see to it
	statusBad  = "bad"  // it does not work, or will not for long
)

// finding is one line of the doctor's.
type finding struct {
	Area   string `json:"area"`
	Status string `json:"status"`
	Says   string `json:"says"`
	Do     string `json:"do,omitempty"`
}

// doctor looks at everything that a hub stands on, and goes on where something is broken.
type doctor struct {
	config Config
	now    func() time.Time
	found  []finding
}

var errDoctor = errors.New("something is bad; see the lines above")

func doctorCommand(t *terminal, o *options) *cobra.Command {
	var ready string
	cmd := t.jsonFlag(&cobra.Command{Use: "doctor", Short: "look at config, folders, database, store, sources, targets, keys, certificates, calendars, clocks and nodes, and say what to do", Args: usage(cobra.NoArgs)})
	cmd.Flags().StringVar(&ready, "ready", "", "ask this hub alone whether it can work, such as http://127.0.0.1:8088/readyz, and look at nothing else")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if ready != "" {
			return t.askReady(cmd.Context(), ready)
		}
		d := &doctor{now: hubClock}
		c, err := o.load()
		if err != nil {
			d.fault("config", err, "")
		} else {
			d.config = c
			d.ok("config", "it can be read")
			d.look(cmd.Context())
		}
		if err := t.diagnosis(d.found); err != nil {
			return err
		}
		for _, f := range d.found {
			if f.Status == statusBad {
				return errDoctor
			}
		}
		return nil
	}
	return cmd
}

func (t *terminal) diagnosis(found []finding) error {
	if t.json {
		return t.printJSON(map[string]any{"checks": found})
	}
	for _, f := range found {
		t.printf("%-5s %-11s %s\n", f.Status, f.Area, strings.ReplaceAll(f.Says, "\n", "\n                  "))
		if f.Do != "" {
			t.printf("%17s %s\n", "→", f.Do)
		}
	}
	return nil
}

func (d *doctor) ok(area, format string, args ...any) {
	d.found = append(d.found, finding{area, statusOK, fmt.Sprintf(format, args...), ""})
}

func (d *doctor) warn(area, do, format string, args ...any) {
	d.found = append(d.found, finding{area, statusWarn, fmt.Sprintf(format, args...), do})
}

func (d *doctor) bad(area, do, format string, args ...any) {
	d.found = append(d.found, finding{area, statusBad, fmt.Sprintf(format, args...), do})
}

// fault tells an error; what it says to do counts before what the caller says.
func (d *doctor) fault(area string, err error, do string) {
	if e, known := errors.AsType[*fault.Error](err); known && e.Hint != "" {
		do = e.Hint
	}
	d.bad(area, do, "%s", err)
}

// lookFor bounds one question to a machine elsewhere.
const lookFor = 20 * time.Second

func (d *doctor) look(ctx context.Context) {
	d.folder()
	d.catalogue()
	d.clock()
	d.keyFiles()
	d.alerting()
	d.logs()
	store := d.store(ctx)
	if d.database(ctx) && store && d.hub(ctx) {
		return
	}
	// The hub cannot be opened, or should not be yet: the connections of the config are tried all the same.
	p := &pipelines.Pipeline{Drivers: map[string]connectors.Driver{}}
	for _, driver := range all.Drivers(d.now) {
		p.Drivers[driver.Kind] = driver
	}
	for _, s := range d.config.Sources {
		d.reach(ctx, p, "source", s.Name, s.Kind, s.Values)
	}
	for _, t := range d.config.Targets {
		d.reach(ctx, p, "target", t.ID, t.Kind, t.Values)
	}
}

// database says whether run state is there and up to date, so that it may be opened: the doctor does
// not change the tables of a hub that another version may be using.
func (d *doctor) database(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	kind := "SQLite"
	if state.IsPostgres(d.config.State.DSN) {
		kind = "PostgreSQL"
	}
	list, err := state.Migrations(ctx, d.config.stateAddress())
	if err != nil {
		d.fault("state", err, "check state.dsn and that the server runs")
		return false
	}
	open := 0
	for _, m := range list {
		if m.Applied.IsZero() {
			open++
		}
	}
	switch {
	case open == len(list):
		d.warn("state", "nothing, if this hub is new; else check data and state.dsn", "%s holds no run state yet; it is made at the first start", kind)
	case open > 0:
		d.warn("state", "take a backup, then run xinshu migrate up or start the hub", "%d of %d migrations were not taken by %s yet", open, len(list), kind)
	default:
		d.ok("state", "%s can be reached, all %d migrations are taken", kind, len(list))
	}
	return open == 0
}

// store says whether the object store keeps the promise that every commit stands on.
func (d *doctor) store(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	l, err := openLake(ctx, d.config, nil)
	if err != nil {
		d.fault("store", err, "check the section store and that the server runs")
		return false
	}
	backup, err := l.Restoring(ctx)
	if err != nil {
		d.fault("store", err, "")
		return false
	}
	if backup != "" {
		d.bad("store", "run the same xinshu restore again; it goes on where it was", "backup %s was not brought back to its end here", backup)
		return false
	}
	return d.probe(ctx, l)
}

func (d *doctor) probe(ctx context.Context, l *lake.Lake) bool {
	p, err := l.Probe(ctx)
	switch {
	case err != nil:
		d.fault("store", err, "give the hub's account the right to list, read, write and delete")
		return false
	case !p.Refuses:
		d.bad("store", "use a server that keeps If-None-Match on PUT, as MinIO and most others do; until then two nodes could overwrite each other's commits", "%s lets an object be overwritten", l)
		return false
	}
	d.ok("store", "%s refuses to overwrite, and took %s for a small object", l, p.Took.Round(time.Millisecond))
	if p.Took > 500*time.Millisecond {
		d.warn("store", "look at the network and the disks of the server; every commit waits for it several times", "the store is slow")
	}
	if skew := p.Skew.Abs(); skew > 30*time.Second {
		d.warn("clock", "set both by one time server", "the store's clock and this machine's are %s apart", skew.Round(time.Second))
	}
	return true
}

// reach tries one connection.
func (d *doctor) reach(ctx context.Context, p *pipelines.Pipeline, area, name, kind string, values connectors.Values) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	what, err := p.Test(ctx, pipelines.Source{Name: name, Kind: kind, Values: values})
	if err != nil {
		d.fault(area, fmt.Errorf("%s: %w", name, err), "check its address, account and the network between")
		return
	}
	d.ok(area, "%s: %s", name, what)
}
