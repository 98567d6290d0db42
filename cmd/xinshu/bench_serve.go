package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/api"
	"xinshu/internal/auth"
	"xinshu/internal/bench"
	"xinshu/internal/chain"
	"xinshu/internal/console"
	"xinshu/pipelines/publish"
	"xinshu/pipelines/schedule"
	"xinshu/pipelines/score"
	"xinshu/sql"
	"xinshu/web"
)

// benchServe measures the service over a state and a lake of a size.
type benchServe struct {
	*terminal
	entities  int64
	schedules int
	datasets  int
	times     int
	keep      string
}

func benchServeCommand(t *terminal) *cobra.Command {
	b := &benchServe{terminal: t}
	cmd := t.jsonFlag(&cobra.Command{Use: "serve", Short: "every page of the console, the search and the change feed, at a size", Args: usage(cobra.NoArgs)})
	cmd.Flags().Int64Var(&b.entities, "entities", 1_000_000, "entities; six records each, two releases, one target")
	cmd.Flags().IntVar(&b.schedules, "schedules", 200, "schedules")
	cmd.Flags().IntVar(&b.datasets, "datasets", 85, "datasets that sources bring")
	cmd.Flags().IntVar(&b.times, "times", 9, "how often each address is asked")
	cmd.Flags().StringVar(&b.keep, "keep", "", "folder that keeps state and lake for the next measurement; empty: a temporary one")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := b.run(cmd.Context())
		if err != nil {
			return err
		}
		if t.json {
			return t.printJSON(s)
		}
		b.print(s)
		return nil
	}
	return cmd
}

func (b *benchServe) run(ctx context.Context) (s bench.Served, err error) {
	dir := b.keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "xinshu-bench-"); err != nil {
			return s, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // each request is logged; here they are counted
	c, err := (&options{data: dir}).load()
	if err != nil {
		return s, err
	}
	cat, _ := loadCatalog(c)
	c.Sources = b.sources(cat)
	c.Targets = []TargetConfig{{ID: "bench", Kind: "files", Values: connectors.Values{"place": "folder", "root": filepath.Join(dir, "outbox")}}}
	c.Policies = []string{benchPolicy}
	now := func() time.Time { return date("2023-01-09").Time().Add(2 * time.Hour) }
	a, err := openApp(ctx, c, now)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := b.fill(ctx, a); err != nil {
		return s, err
	}
	return b.measure(ctx, a)
}

const benchPolicy = "heilongjiang-2021"

// sources spreads datasets over as many sources as there are owners.
func (b *benchServe) sources(cat *catalog.Catalog) []SourceConfig {
	var sources []SourceConfig
	for i, ds := range cat.Datasets {
		if i == b.datasets {
			break
		}
		at := slices.IndexFunc(sources, func(s SourceConfig) bool { return s.Name == ds.Owner })
		if at < 0 {
			at = len(sources)
			sources = append(sources, SourceConfig{Name: ds.Owner, Kind: "files", Values: connectors.Values{"place": "folder", "root": "."}, Datasets: map[string]connectors.Values{}})
		}
		sources[at].Datasets[ds.ID] = connectors.Values{"pattern": ds.ID + ".csv"}
	}
	return sources
}

// fill brings state and lake to their size, as far as they are not.
func (b *benchServe) fill(ctx context.Context, a *app) error {
	policy, err := findPolicy(a.catalog, benchPolicy)
	if err != nil {
		return err
	}
	o := bench.Options{Entities: b.entities, MemoryMB: 512, Policy: policy, Tell: func(what string) { b.say("%s", what) },
		Scorer: score.Scorer{Lake: a.lake, Seals: a.seals, SQL: sql.Files, Duck: a.duck, Xinshu: version}}
	days := []catalog.Date{date("2021-12-31"), date("2022-12-31")}
	if err := bench.Publish(ctx, o, publish.Publisher{Lake: a.lake, Duck: a.duck}, days); err != nil {
		return err
	}
	b.say("run state follows")
	if err := a.follow(ctx); err != nil {
		return err
	}
	if err := b.runs(ctx, a); err != nil {
		return err
	}
	if err := b.timetable(ctx, a); err != nil {
		return err
	}
	b.say("rows are refused")
	if err := b.refused(ctx, a); err != nil {
		return err
	}
	return b.answers(ctx, a)
}

// runs are a month of daily pulls.
func (b *benchServe) runs(ctx context.Context, a *app) error {
	for _, s := range a.config.Sources {
		for id := range s.Datasets {
			for day := range 30 {
				began := a.now().AddDate(0, 0, -day)
				r := chain.Run{ID: fmt.Sprintf("%s-%s", began.Format("20060102T150405"), id), Step: "pull", Subject: id, Source: s.Name, Started: began, Ended: began.Add(time.Minute), Status: "done",
					Ledger: chain.Ledger{Read: 100, Accepted: 90, Duplicate: 6, Quarantined: 4}}
				if err := a.state.SaveRun(ctx, r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (b *benchServe) timetable(ctx context.Context, a *app) error {
	known, err := a.desk.Book.Schedules(ctx)
	if err != nil {
		return err
	}
	for i := len(known); i < b.schedules; i++ {
		source := a.config.Sources[i%len(a.config.Sources)]
		s := schedule.Schedule{ID: fmt.Sprintf("bench-%03d", i), Spec: fmt.Sprintf("%d %d * * *", i%60, i%24), Work: schedule.Work{Do: schedule.DoPull, Source: source.Name}}
		if _, err := a.desk.Book.Save(ctx, s, "bench"); err != nil {
			return err
		}
	}
	return nil
}

// answers has the target take a part of what is due, and refuse a few rows.
func (b *benchServe) answers(ctx context.Context, a *app) error {
	for range 40 {
		d, _, found, err := a.state.Claim(ctx, "bench", 500)
		if err != nil || !found {
			return err
		}
		var rows []connectors.RowReceipt
		for i, r := range d.Rows {
			answer := connectors.RowReceipt{ID: r.ID}
			if i%50 == 0 {
				answer.Code, answer.Message = "R-404", "本平台无此主体"
			}
			rows = append(rows, answer)
		}
		if err := a.state.Answered(ctx, d, connectors.Receipt{Accepted: 490, Rejected: 10}, rows, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// measure starts the service on loopback and asks it.
func (b *benchServe) measure(ctx context.Context, a *app) (s bench.Served, err error) {
	s = bench.Served{Entities: b.entities, Schedules: b.schedules, Datasets: b.datasets}
	everyone := func(*http.Request) (auth.Actor, error) { return auth.Shell("bench"), nil }
	log := slog.Default()
	pages, err := console.New(console.Options{Desk: a.desk, Files: web.Files, Who: everyone, Now: a.now, Version: version, Log: log})
	if err != nil {
		return s, err
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", api.New(api.Options{Desk: a.desk, Who: everyone, Now: a.now, Version: version, Log: log}))
	mux.Handle("/", pages)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return s, err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with Close
	defer func() { err = errors.Join(err, server.Close()) }()
	// A reader that takes what comes in large pieces: what it costs itself is measured along.
	client, base := &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{ReadBufferSize: 256 << 10}}, "http://"+listener.Addr().String()

	cold, err := bench.Time(ctx, client, base, []bench.Asked{{Name: "cold", Paths: []string{"/quarantine"}}}, 1)
	if err != nil {
		return s, err
	}
	s.ColdMS = cold[0].FirstMS
	began := time.Now()
	if err := a.desk.Renew(ctx); err != nil {
		return s, err
	}
	s.ReadyS = time.Since(began).Seconds()
	if s.Pages, err = bench.Time(ctx, client, base, b.pages(ctx, a, pages), b.times); err != nil {
		return s, err
	}
	for _, t := range s.Pages {
		if t.MedianMS > 200 {
			s.Slow++
		}
	}
	if s.Searches, err = bench.Time(ctx, client, base, b.searches(), b.times); err != nil {
		return s, err
	}
	s.Feed, s.FeedCPUS, err = bench.Feed(ctx, client, base+"/v1/grades/changes?purpose=service")
	return s, err
}

var pathValue = regexp.MustCompile(`\{[^}]*\}`)

// pages addresses every page of the console that shows something, with names that are there.
func (b *benchServe) pages(ctx context.Context, a *app, c *console.Console) []bench.Asked {
	source := a.config.Sources[0]
	dataset := slices.Sorted(maps.Keys(source.Datasets))[0]
	delivery := ""
	if list, err := a.desk.DeliveriesTo(ctx, "bench", "", "", 1); err == nil && len(list.Deliveries) > 0 {
		delivery = list.Deliveries[0].ID
	}
	policy, _ := a.catalog.Policy(benchPolicy)
	values := map[string]string{"{$}": "", "{dataset}": dataset, "{source}": source.Name, "{policy}": benchPolicy, "{target}": "bench",
		"{indicator}": policy.Indicators[0].ID, "{schedule}": "bench-000", "{run}": a.now().Format("20060102T150405") + "-" + dataset}
	queries := map[string]string{"GET /find": "?" + url.Values{"q": {"恒信"}, "purpose": {"audit"}}.Encode(), "GET /find/{uscc}": "?policy=" + benchPolicy + "&purpose=audit",
		"GET /grades/{policy}/movers": "?from=1&to=2&grade_from=B&grade_to=C&purpose=audit", "GET /deliveries/targets/{target}/rejected": "?code=R-404"}
	ids := map[string]string{"deliveries": delivery, "runs": values["{run}"], "policies": benchPolicy, "schedules": "bench-000", "sources": source.Name}
	values["{uscc}"] = "{uscc}" // another one each time
	var asked []bench.Asked
	for _, p := range c.Pages() {
		method, pattern, _ := strings.Cut(p.Pattern, " ")
		if method != http.MethodGet || pattern == "/" {
			continue
		}
		area, _, _ := strings.Cut(strings.TrimPrefix(pattern, "/"), "/")
		known := true
		path := pathValue.ReplaceAllStringFunc(pattern, func(name string) string {
			value, ok := values[name]
			if !ok && (name == "{id}" || name == "{name}") {
				value, ok = ids[area]
			}
			known = known && ok
			if name == "{uscc}" {
				return value
			}
			return url.PathEscape(value)
		})
		if known {
			asked = append(asked, bench.Asked{Name: p.Pattern, Paths: b.each(path + queries[p.Pattern])})
		}
	}
	return asked
}

// each gives an address for every time it is asked, each with the code of another entity.
func (b *benchServe) each(path string) (paths []string) {
	for i := range int64(b.times) + 1 {
		paths = append(paths, strings.ReplaceAll(path, "{uscc}", bench.Code((2*i+1)*b.entities/(2*int64(b.times)+2))))
	}
	return paths
}

// searches are by whole code, by its beginning, by a frequent and by a rare part of a name, and for nobody.
func (b *benchServe) searches() []bench.Asked {
	find := func(name, text string) bench.Asked {
		return bench.Asked{Name: name, Paths: []string{"/find?" + url.Values{"q": {text}, "purpose": {"audit"}}.Encode()}}
	}
	return []bench.Asked{find("whole code", bench.Code(b.entities/3)), find("beginning of a code", bench.Code(b.entities / 3)[:13]),
		find("frequent name", "商贸有限"), find("rare name", fmt.Sprintf("%d号", b.entities-7)), find("name of nobody", "不存在的名称")}
}

func (b *benchServe) print(s bench.Served) {
	b.printf("%d entities, %d schedules, %d datasets; ready after %.1f s\n\n", s.Entities, s.Schedules, s.Datasets, s.ReadyS)
	for _, part := range [][]bench.Timed{s.Pages, s.Searches} {
		for _, t := range part {
			mark := " "
			if t.MedianMS > 200 || t.Status >= 400 {
				mark = "!"
			}
			b.printf("%s %7.1f ms median %8.1f ms worst %7.1f ms processor  %d  %7d bytes  %s\n", mark, t.MedianMS, t.WorstMS, t.CPUMS, t.Status, t.Bytes, t.Name)
		}
		b.printf("\n")
	}
	b.printf("change feed %.0f changes a second, %.1f s of processor; quarantine on a cold hub %.0f ms; %d pages over 200 ms\n", s.Feed, s.FeedCPUS, s.ColdMS, s.Slow)
}
