package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"xinshu/internal/alerts"
)

// hub opens the hub and looks at what only it knows: connections that people made, keys, nodes, tasks.
// It says whether the hub could be opened.
func (d *doctor) hub(ctx context.Context) bool {
	a, err := openApp(ctx, d.config, d.now)
	if err != nil {
		d.fault("hub", err, "")
		return false
	}
	defer func() {
		if err := a.Close(); err != nil {
			d.fault("hub", err, "")
		}
	}()
	d.connections(ctx, a)
	d.sealed(ctx, a)
	d.terms(ctx, a)
	d.nodes(ctx, a)
	open, err := a.state.OpenAlerts(ctx)
	if err != nil {
		d.fault("alerts", err, "")
	}
	for _, alert := range open {
		if !alert.Seen.IsZero() {
			continue
		}
		d.warn("alerts", "see the console's list", "nobody has seen this since %s: %s", alert.Raised.Local().Format(time.DateTime), alert.EN)
	}
	return true
}

func (d *doctor) connections(ctx context.Context, a *app) {
	sources, err := a.pipeline.AllSources(ctx)
	if err != nil {
		d.fault("source", err, "")
	}
	for _, s := range sources {
		if _, dials := a.drivers[s.Kind]; !dials {
			continue // it posts to the hub's own door
		}
		d.reach(ctx, a.pipeline, "source", s.Name, s.Kind, s.Values)
	}
	targets, err := a.pipeline.AllTargets(ctx)
	if err != nil {
		d.fault("target", err, "")
	}
	for _, t := range targets {
		d.reach(ctx, a.pipeline, "target", t.ID, t.Kind, t.Values)
	}
	if len(sources) == 0 {
		d.warn("source", "xinshu source add, or the console", "nothing is connected yet")
	}
}

// sealed looks whether everything in the vault opens, and under which keys.
func (d *doctor) sealed(ctx context.Context, a *app) {
	byKey, err := a.vault.Check(ctx, a.state)
	if err != nil {
		d.fault("vault", err, "give the key it was sealed under in vault.old_keys")
		return
	}
	old := 0
	for id, n := range byKey {
		if id != a.vault.First() {
			old += n
		}
	}
	if old > 0 {
		d.warn("vault", "xinshu vault rotate", "%d secrets are sealed under older keys", old)
		return
	}
	d.ok("vault", "every secret opens under the newest key")
}

func (d *doctor) terms(ctx context.Context, a *app) {
	terms, err := a.terms(ctx)
	if err != nil {
		d.fault("expiry", err, "")
	}
	days := 30
	if d.config.Alerts.ExpiryDays > 0 {
		days = d.config.Alerts.ExpiryDays
	}
	for _, t := range terms {
		if found := alerts.Expiring([]alerts.Term{t}, time.Now(), time.Duration(days)*24*time.Hour); len(found) > 0 {
			d.add("expiry", found[0], "renew it; a key: xinshu key, a certificate: put the new file in its place and restart")
			continue
		}
		if !t.Until.IsZero() {
			d.ok("expiry", "%s %s is good until %s", t.What, t.Subject, t.Until.Local().Format(time.DateOnly))
		}
	}
}

func (d *doctor) nodes(ctx context.Context, a *app) {
	members, now, err := a.members(ctx)
	if err != nil {
		d.fault("nodes", err, "")
	}
	for _, m := range members {
		if found := alerts.LostNodes([]alerts.Member{m}, now, seenLately); len(found) > 0 {
			d.warn("nodes", "start it again, or leave it: it is forgotten after seven days", "%s", found[0].EN)
			continue
		}
		d.ok("nodes", "%s was seen %s ago", m.Name, now.Sub(m.Seen).Round(time.Second))
	}
	clocks, err := a.wrongClocks(ctx)
	if err != nil {
		d.fault("nodes", err, "")
	}
	for _, f := range clocks {
		d.add("nodes", f, "start the time service (NTP) of that host; xinshu does not set clocks")
	}
	tasks, err := a.failedTasks(ctx)
	if err = errors.Join(err, ctx.Err()); err != nil {
		d.fault("tasks", err, "")
	}
	for _, t := range tasks {
		d.warn("tasks", fmt.Sprintf("xinshu task retry %s, when its cause is gone", t.Subject), "%s", t.EN)
	}
}
