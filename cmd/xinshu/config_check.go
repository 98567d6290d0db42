package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/all"
	"xinshu/internal/cases"
)

var (
	yamlLine    = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	unknownKey  = regexp.MustCompile(`^field (.+) not found in type \S+$`)
	wrongForm   = regexp.MustCompile(`^cannot unmarshal .*$`)                             // shows the value, which may be a secret
	parserFault = regexp.MustCompile(`^did not find expected ('[,-]|key|node content|<)`) // the parser counts lines from 0, the scanner from 1
)

// check finds what decoding cannot: kinds and settings that are not known, names that are missing
// or taken twice, days that are none, numbers below nothing.
func (c *Config) check(f *configFaults) {
	switch c.Store.Kind {
	case "folder":
	case "s3":
		if c.Store.Endpoint == "" {
			f.add([]any{"store"}, "store.endpoint is not set; kind s3 needs host:port of the server")
		}
	default:
		f.add([]any{"store", "kind"}, "store.kind is %q; folder and s3 are known", c.Store.Kind)
	}
	if dsn := c.State.DSN; dsn != "" && !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		f.add([]any{"state", "dsn"}, "state.dsn does not begin with postgres://; leave it out for SQLite in the data folder")
	}
	for name, n := range map[string]int64{"threads": int64(c.Score.Threads), "memory_mb": int64(c.Score.MemoryMB)} {
		if n < 0 {
			f.add([]any{"score", name}, "score.%s is %d; it is 0 or more", name, n)
		}
	}
	if d, err := time.ParseDuration(c.Store.AnswerWithin); c.Store.AnswerWithin != "" && (err != nil || d <= 0) {
		f.add([]any{"store", "answer_within"}, "store.answer_within is %q, no time such as 60s", c.Store.AnswerWithin)
	}
	if c.Store.CacheMB < 0 {
		f.add([]any{"store", "cache_mb"}, "store.cache_mb is %d; it is 0 or more", c.Store.CacheMB)
	}
	if c.Catalog != "" {
		if info, err := os.Stat(c.Catalog); err != nil || !info.IsDir() {
			f.add([]any{"catalog"}, "catalog: there is no folder %s", c.Catalog)
		}
	}
	for i, kind := range c.Cases.Review {
		if !slices.Contains(cases.Kinds, kind) {
			f.add([]any{"cases", "review", i}, "cases.review: %q is no kind of case; objection, repair and completion are", kind)
		}
	}
	c.Serve.check(f)
	c.Vault.check(f)
	c.Auth.check(f)
	c.checkConnections(f)
	c.checkCare(f)
}

func (c *Config) checkConnections(f *configFaults) {
	sources, targets := map[string]bool{}, map[string]bool{}
	for i, s := range c.Sources {
		what, at := called("source", s.Name, i), []any{"sources", i}
		f.name(sources, what, s.Name, under(at, "name"))
		if _, err := catalog.ParseDate(s.Collected); s.Collected != "" && err != nil {
			f.add(under(at, "collected"), "%s: collected is %q, no day such as 2006-01-02", what, s.Collected)
		}
		driver, ok := f.connection(what, s.Kind, s.Values, at)
		for id, job := range s.Datasets {
			if ok {
				f.settings(what+", dataset "+id, driver.Job, job, under(at, "datasets", id))
			}
		}
	}
	c.Receive.check(f, sources)
	for i, t := range c.Targets {
		what, at := called("target", t.ID, i), []any{"targets", i}
		f.name(targets, what, t.ID, under(at, "id"))
		f.connection(what, t.Kind, t.Values, at)
	}
}

func called(what, name string, i int) string {
	if name == "" {
		return fmt.Sprintf("%s number %d", what, i+1)
	}
	return what + " " + name
}

func under(at []any, steps ...any) []any { return append(slices.Clip(at), steps...) }

// name wants each name once: two would share one place in the source, or one outbox.
func (f *configFaults) name(taken map[string]bool, what, name string, at []any) {
	switch {
	case name == "":
		f.add(at, "%s has no name", what)
	case taken[name]:
		f.add(at, "the %s stands there twice", what)
	}
	taken[name] = true
}

// connection holds a source's or target's kind and settings against what the drivers declare.
func (f *configFaults) connection(what, kind string, values connectors.Values, at []any) (connectors.Driver, bool) {
	driver, ok := all.Driver(kind, time.Now) // only what it declares is read here, no clock
	if !ok {
		var kinds []string
		for _, d := range all.Drivers(time.Now) {
			kinds = append(kinds, d.Kind)
		}
		f.add(under(at, "kind"), "%s: there is no connector kind %q; kinds are %s", what, kind, strings.Join(kinds, ", "))
		return driver, false
	}
	f.settings(what, driver.Settings, values, under(at, "values"))
	return driver, true
}

func (f *configFaults) settings(what string, settings []connectors.Setting, values connectors.Values, at []any) {
	if _, err := connectors.Fill(settings, values); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			name, _, _ := strings.Cut(line, " ") // each begins with the setting's name
			f.add(under(at, name), "%s: %s", what, line)
		}
	}
}

// mostWorkers bounds the tasks of one node: each pull holds some hundred MB.
const mostWorkers = 64

func (s ServeConfig) check(f *configFaults) {
	for name, text := range map[string]string{"poll": s.Poll, "lease": s.Lease, "grace": s.Grace, "backoff": s.Backoff, "on_time": s.OnTime} {
		if d, err := time.ParseDuration(text); text != "" && (err != nil || d <= 0) {
			f.add([]any{"serve", name}, "serve.%s is %q, no time such as 30s", name, text)
		}
	}
	if s.Workers < -1 || s.Workers > mostWorkers {
		f.add([]any{"serve", "workers"}, "serve.workers is %d; it is 1 to %d, 0 for the default, -1 for none", s.Workers, mostWorkers)
	}
	if s.Connections < 0 {
		f.add([]any{"serve", "connections"}, "serve.connections is %d; it is 0 or more", s.Connections)
	}
	if (s.Cert == "") != (s.Key == "") {
		f.add([]any{"serve"}, "serve.cert and serve.key go together: a certificate and its key")
	}
}
