package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"xinshu/internal/alerts"
	"xinshu/internal/audit"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/internal/state"
	"xinshu/pipelines/schedule"
)

// auditEvery is the time between two readings of the whole audit trail.
const auditEvery = 6 * time.Hour

// keeper is what looks for trouble and tells it.
func (a *app) keeper(log *slog.Logger) (*alerts.Keeper, error) {
	c := a.config.Alerts
	k := &alerts.Keeper{Store: a.state, Now: a.now, Node: a.config.Node, Nodes: a.there, EscalateAfter: 4 * time.Hour}
	if c.EscalateAfter != "" {
		k.EscalateAfter = duration(c.EscalateAfter)
	}
	k.Failed = func(what string, err error) {
		log.Warn("an alert could not be told", "what", what, "error", err.Error())
	}
	for _, r := range a.rules() {
		if !slices.Contains(c.Without, r.Name) {
			k.Rules = append(k.Rules, r)
		}
	}
	if c.Mail.Server != "" {
		m := &alerts.Mail{Server: c.Mail.Server, From: c.Mail.From, To: c.Mail.To, Superior: c.Mail.Superior, User: c.Mail.User, Password: c.Mail.Password, Plain: c.Mail.Plain}
		if c.Mail.CAFile != "" {
			text, err := os.ReadFile(c.Mail.CAFile)
			if err != nil {
				return nil, &fault.Error{Op: "read alerts.mail.ca_file", Code: fault.Invalid, Err: err}
			}
			m.TLS = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
			if !m.TLS.RootCAs.AppendCertsFromPEM(text) {
				return nil, fault.Newf(fault.Invalid, "read alerts.mail.ca_file", "%s holds no certificate", c.Mail.CAFile)
			}
		}
		k.Channels = append(k.Channels, m)
	}
	for _, h := range c.Webhooks {
		secret, err := alerts.ParseSecret(h.Secret)
		if err != nil {
			return nil, fault.Newf(fault.Invalid, "read alerts.webhooks", "the secret of %s %w", h.Name, err)
		}
		k.Channels = append(k.Channels, &alerts.Webhook{ID: h.Name, URL: h.URL, Secret: secret, Now: time.Now})
	}
	return k, nil
}

// rules gathers what each rule looks at.
func (a *app) rules() []alerts.Rule {
	c := a.config.Alerts
	lag, percent, days := 24*time.Hour, uint64(10), 30
	if c.Lag != "" {
		lag = duration(c.Lag)
	}
	if c.DiskPercent > 0 {
		percent = uint64(c.DiskPercent)
	}
	if c.ExpiryDays > 0 {
		days = c.ExpiryDays
	}
	return []alerts.Rule{
		{Name: alerts.Late, Find: func(ctx context.Context) ([]alerts.Finding, error) {
			feeds, err := a.feeds(ctx)
			return alerts.LateFeeds(feeds), err
		}},
		{Name: alerts.Hold, Find: func(ctx context.Context) ([]alerts.Finding, error) {
			feeds, err := a.feeds(ctx)
			return alerts.HeldFeeds(feeds), err
		}},
		{Name: alerts.Quarantine, Find: a.jumps},
		{Name: alerts.Target, Find: func(ctx context.Context) ([]alerts.Finding, error) {
			receivers, err := a.receivers(ctx)
			return alerts.FailingTargets(receivers, a.now(), lag), err
		}},
		{Name: alerts.Task, Find: a.failedTasks},
		{Name: alerts.Disk, Local: true, Find: func(context.Context) ([]alerts.Finding, error) {
			disks, err := a.disks()
			return alerts.FullDisks(disks, percent), err
		}},
		{Name: alerts.Expiry, Find: func(ctx context.Context) ([]alerts.Finding, error) {
			terms, err := a.terms(ctx)
			return alerts.Expiring(terms, a.now(), time.Duration(days)*24*time.Hour), err
		}},
		{Name: alerts.Audit, Find: a.trailRule()},
		{Name: alerts.Node, Find: func(ctx context.Context) ([]alerts.Finding, error) {
			members, now, err := a.members(ctx)
			return alerts.LostNodes(members, now, seenLately), err
		}},
		{Name: alerts.Catalogue, Local: true, Find: func(context.Context) ([]alerts.Finding, error) { return alerts.BrokenFiles(a.flaws()), nil }},
		{Name: alerts.Clock, Find: a.wrongClocks},
		{Name: alerts.Case, Find: func(ctx context.Context) ([]alerts.Finding, error) {
			open, err := a.deadlines(ctx)
			return alerts.DueCases(open, orDefault(c.CaseDays, 2)), err
		}},
		{Name: alerts.Proposal, Find: func(ctx context.Context) ([]alerts.Finding, error) {
			open, err := a.pending(ctx)
			return alerts.WaitingProposals(open, orDefault(c.ProposalDays, 5)), err
		}},
	}
}

// feeds are all feeds of the sources, held against the promise of their departments.
func (a *app) feeds(ctx context.Context) ([]alerts.Feed, error) {
	found, err := a.pipeline.Feeds(ctx)
	if err != nil {
		return nil, err
	}
	var feeds []alerts.Feed
	for _, f := range found {
		ds, ok := a.catalog.Dataset(f.Dataset)
		if !ok {
			continue // a source that still names what the catalogue dropped
		}
		fresh := a.desk.Freshness(ds, f.RowsOn)
		feed := alerts.Feed{Source: f.Source, Dataset: f.Dataset, TitleZH: ds.Title.ZH, TitleEN: ds.Title.EN,
			Late: fresh.State == desk.Late, RowsOn: f.RowsOn, DueOn: fresh.DueOn.String()}
		if f.Hold != nil {
			feed.Alarm, feed.Since, feed.Rows, feed.Usual = f.Hold.Alarm, f.Hold.Since, f.Hold.Rows, f.Hold.Usual
		}
		feeds = append(feeds, feed)
	}
	return feeds, nil
}

func (a *app) jumps(ctx context.Context) ([]alerts.Finding, error) {
	var found []alerts.Finding
	for _, ds := range a.catalog.Datasets {
		runs, err := a.state.LastPulls(ctx, ds.ID, false, 11)
		if err != nil {
			return nil, err
		}
		var pulls []alerts.Ledger
		for _, r := range runs {
			pulls = append(pulls, alerts.Ledger{Read: r.Ledger.Read, Quarantined: r.Ledger.Quarantined})
		}
		found = append(found, alerts.Jumped(ds.ID, pulls)...)
	}
	return found, nil
}

// receivers are the targets with what waits for them.
func (a *app) receivers(ctx context.Context) ([]alerts.Receiver, error) {
	lags, err := a.state.Lags(ctx)
	if err != nil {
		return nil, err
	}
	problems, err := a.state.Problems(ctx)
	if err != nil {
		return nil, err
	}
	by := map[string]*alerts.Receiver{}
	var all []*alerts.Receiver
	of := func(id string) *alerts.Receiver {
		if by[id] == nil {
			by[id] = &alerts.Receiver{ID: id}
			all = append(all, by[id])
		}
		return by[id]
	}
	for _, l := range lags {
		r := of(l.Target)
		r.Open += l.Rows
		if r.Since.IsZero() || !l.Since.IsZero() && l.Since.Before(r.Since) {
			r.Since = l.Since
		}
	}
	for _, p := range problems {
		r := of(p.Target)
		r.Message = p.Message
		if p.State == "open" {
			r.Waiting += p.Rows
		}
	}
	receivers := make([]alerts.Receiver, len(all))
	for i, r := range all {
		receivers[i] = *r
	}
	return receivers, nil
}

// failedTasks looks at the newest task of each schedule, and at tasks that people asked for: a tick
// that failed is made good by a later one that did not.
func (a *app) failedTasks(ctx context.Context) ([]alerts.Finding, error) {
	page, err := a.state.Tasks(ctx, schedule.Filter{States: []string{schedule.Failed, schedule.Done}, Most: 500})
	if err != nil {
		return nil, err
	}
	var failed []alerts.Broken
	seen := map[string]bool{}
	for _, t := range page.Tasks { // newest first
		if t.Schedule != "" && seen[t.Schedule] {
			continue
		}
		seen[t.Schedule] = true
		if t.State == schedule.Failed && a.now().Sub(t.Ended) < 7*24*time.Hour {
			what := t.Step
			if t.Schedule != "" {
				what = t.Schedule + ", " + t.Step
			}
			failed = append(failed, alerts.Broken{ID: t.ID, What: what, Error: t.Error})
		}
	}
	return alerts.FailedTasks(failed), nil
}

// disks are those of the data folder and of the cache, once where they are one.
func (a *app) disks() ([]alerts.Space, error) {
	var disks []alerts.Space
	seen := map[syscall.Fsid]bool{}
	for _, path := range []string{a.config.Data, a.config.cacheDir()} {
		var s syscall.Statfs_t
		err := syscall.Statfs(path, &s)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, &fault.Error{Op: "look at the disk of " + path, Code: fault.Unavailable, Err: err}
		}
		if !seen[s.Fsid] {
			seen[s.Fsid] = true
			disks = append(disks, alerts.Space{Path: path, Free: s.Bavail * uint64(s.Bsize), Total: s.Blocks * uint64(s.Bsize)})
		}
	}
	return disks, nil
}

// trailRule reads the whole audit trail now and then, and remembers what it found between.
func (a *app) trailRule() func(context.Context) ([]alerts.Finding, error) {
	var (
		mu   sync.Mutex
		at   time.Time
		last error
	)
	trail := audit.New(a.state, a.vault, a.now)
	return func(ctx context.Context) ([]alerts.Finding, error) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); at.IsZero() || now.Sub(at) >= auditEvery {
			_, err := trail.Verify(ctx)
			if err != nil && !fault.Is(err, fault.Invalid) {
				return nil, err // it could not be read, which says nothing about it
			}
			at, last = now, err
		}
		return alerts.BrokenTrail(last), nil
	}
}

// watch looks and tells until the context ends.
func (a *app) watch(ctx context.Context, k *alerts.Keeper, log *slog.Logger) {
	every := time.Minute
	if a.config.Alerts.Every != "" {
		every = duration(a.config.Alerts.Every)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := errors.Join(k.Look(ctx), k.Send(ctx)); err != nil && ctx.Err() == nil {
			log.Error("the look for trouble failed in part", "error", err.Error())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

var _ alerts.Store = (*state.State)(nil)
