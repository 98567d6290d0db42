package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/api"
	"xinshu/internal/auth"
	"xinshu/internal/console"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/internal/gate"
	"xinshu/sql"
	"xinshu/web"
)

// ServeConfig is the hub as a service.
type ServeConfig struct {
	// Addr is where console and API listen. Default: 127.0.0.1:8088.
	Addr string `yaml:"addr,omitempty"`
	// Cert and Key are PEM files; with them the hub speaks TLS. Empty: plain HTTP, for loopback or a proxy.
	Cert string `yaml:"cert,omitempty"`
	Key  string `yaml:"key,omitempty"`
	// Connections is how many may be open at once; a quarter of them from one address, trusted proxies
	// aside. Default: 2048.
	Connections int `yaml:"connections,omitempty"`
	// Workers is how many tasks this node does at once. Default: 2; -1: none, it shows and answers only.
	Workers int `yaml:"workers,omitempty"`
	// Poll is the time between two looks for due ticks and tasks, such as 1s. Default: a second.
	Poll string `yaml:"poll,omitempty"`
	// Lease is how long a node may be silent before another takes its tasks over. Default: 30s.
	Lease string `yaml:"lease,omitempty"`
	// Grace is how long running tasks may go on when the hub is told to stop; what is left then is given
	// back. Default: 1m.
	Grace string `yaml:"grace,omitempty"`
	// Backoff is the wait before a task is tried again because something was out of reach; it doubles up
	// to half an hour. Default: 30s.
	Backoff string `yaml:"backoff,omitempty"`
	// OnTime is how late a tick may be taken and still count as on time: later ones are made up for, or
	// not, as their schedule says. Default: 1m.
	OnTime string `yaml:"on_time,omitempty"`
}

func serveCommand(t *terminal, o *options) *cobra.Command {
	var addr string
	cmd := &cobra.Command{Use: "serve", Short: "scheduler, workers, API and console, until it is told to stop", Args: usage(cobra.NoArgs)}
	cmd.Flags().StringVar(&addr, "addr", "", "where to listen (default 127.0.0.1:8088, or what the config says)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := o.load()
		if err != nil {
			return err
		}
		open := func(texts catalog.Texts) (*app, error) {
			c.texts = texts
			return t.open(cmd.Context(), c)
		}
		a, err := open(nil)
		if err != nil {
			return err
		}
		look := time.NewTicker(lookAgain)
		defer look.Stop()
		return t.serveOn(auth.With(cmd.Context(), auth.Shell(login())), a, open, addr, look.C)
	}
	return cmd
}

// serve answers on an address until the context ends. When something is to be read anew it lets go of its
// tasks first, with their grace, and answers until then.
func (t *terminal) serve(ctx context.Context, a *app, l *gate.Lasting, anew <-chan struct{}) error {
	if _, err := a.desk.CatchCases(ctx, ""); err != nil { // a kill may have left a case behind its mark
		return err
	}
	a.care.log = newLog(t.err, a.config.Log, a.config.Node)
	slog.SetDefault(a.care.log)
	keeper, err := a.keeper(a.care.log)
	if err != nil {
		return err
	}
	if _, err := a.vault.Check(ctx, a.state); err != nil { // a node with another key would fail later, one source at a time
		return err
	}
	handler, err := a.service()
	if err != nil {
		return err
	}
	c := a.config.Serve
	listener, err := a.gated(l)
	if err != nil {
		return err
	}
	scheme := "http"
	if c.Cert != "" {
		scheme = "https"
	}
	address := scheme + "://" + listener.Addr().String()
	if err := errors.Join(t.welcome(ctx, a, address), l.Open()); err != nil {
		return err
	}
	t.say("console and API on %s; Ctrl-C ends it", address)
	answering, stop := context.WithCancel(ctx)
	working, rest := context.WithCancel(ctx)
	wait, worked := a.beside(working, keeper), make(chan error, 1)
	go func() {
		select {
		case <-anew:
			rest()
		case <-working.Done():
		}
		err := wait()
		stop()
		worked <- err
	}()
	err = gate.Serve(answering, listener, handler, gate.Serving{Cert: c.Cert, Key: c.Key, Grace: lettingOut, Patience: patience})
	rest()
	return errors.Join(err, <-worked)
}

// patience is how long a request may go on when the hub stops: a batch that a department posts is taken
// to its end and answered, a live page ends at once, and anything else has some seconds.
func patience(r *http.Request) time.Duration {
	switch {
	case strings.HasPrefix(r.URL.Path, receivePath):
		return lettingOut
	case strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		return 0
	default:
		return 5 * time.Second
	}
}

// lettingOut is the longest that a stop waits for requests under way.
const lettingOut = time.Minute

// pace is how bodies of the console's forms must come; a workbook is the largest.
var pace = gate.Pace{Most: desk.MostUpload + 1<<20, Wait: 30 * time.Second, Rate: 16 << 10}

// gated bounds the connections that come in.
func (a *app) gated(l net.Listener) (net.Listener, error) {
	proxies, err := auth.Networks(a.config.Auth.TrustedProxies)
	if err != nil {
		return nil, err
	}
	return gate.Listen(l, gate.Limits{All: a.config.Serve.Connections, Trusted: func(at netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(at) })
	}}), nil
}

// listen opens an address until the context ends.
func listen(ctx context.Context, address string) (*gate.Lasting, error) {
	l, err := gate.Last(ctx, address)
	if err != nil {
		return nil, &fault.Error{Op: "listen on " + address, Code: fault.Unavailable, Err: err, Hint: "choose another address with --addr"}
	}
	return l, nil
}

// newDesk wires what console, API and commands ask.
func (a *app) newDesk() *desk.Desk {
	return &desk.Desk{Catalog: a.catalog, Files: catalogFiles(a.config), Drivers: a.drivers, Lake: a.lake, State: a.state, Pipeline: a.pipeline, SQL: sql.Files,
		Duck: a.duck, Now: a.now, Version: version, Data: a.config.Data, Vault: a.vault, Trail: a.trail, Given: a.config.given(), Review: a.config.Cases.Review,
		Book: a.newBook()}
}

// given gives the connections that stand in the config.
func (c Config) given() []desk.Given {
	var all []desk.Given
	for _, s := range c.Sources {
		all = append(all, desk.Given{Role: desk.SourceRole, ID: s.Name, Kind: s.Kind, Values: s.Values, Datasets: s.Datasets, Collected: s.Collected})
	}
	for _, s := range c.Receive.Senders {
		datasets := map[string]connectors.Values{}
		for _, id := range s.Datasets {
			datasets[id] = connectors.Values{}
		}
		all = append(all, desk.Given{Role: desk.SourceRole, ID: s.Name, Kind: desk.PostedKind, Datasets: datasets})
	}
	for _, t := range c.Targets {
		all = append(all, desk.Given{Role: desk.TargetRole, ID: t.ID, Kind: t.Kind, Values: t.Values,
			Limits: desk.Limits{Public: t.Public, Policies: t.Policies, Regions: t.Regions, Industries: t.Industries, Fields: t.Fields}})
	}
	return all
}

// service is everything that the hub answers over HTTP.
func (a *app) service() (http.Handler, error) {
	d, log := a.desk, slog.Default()
	guard, err := a.newGuard()
	if err != nil {
		return nil, err
	}
	a.who = guard.Program
	rest := api.New(api.Options{Desk: d, Accounts: a.accounts, Keys: a.keys, Who: guard.Program, Now: a.now, Version: version, Log: log})
	pages, err := console.New(console.Options{Desk: d, Files: web.Files, Guard: guard, Who: guard.Page, Token: guard.CSRF, Now: a.now, Version: version, Log: log})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", rest)
	mux.Handle("/openapi.json", rest)
	mux.Handle("/", gate.Bodies(pages, pace))
	a.careOver(mux, guard.Program)
	if len(a.config.Receive.Senders) > 0 {
		door, err := a.door()
		if err != nil {
			return nil, err
		}
		mux.Handle(receivePath, door)
	}
	return a.care.metrics.Watch(mux, routes(mux, rest, pages)), nil
}
