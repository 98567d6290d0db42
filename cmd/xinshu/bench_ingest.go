package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"xinshu/connectors"
	"xinshu/connectors/all"
	"xinshu/internal/bench"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/internal/pglocal"
	"xinshu/pipelines/stage"
)

// benchIngestCommand measures the way in. Each path runs in a process of its own: this program again,
// with the hidden flag --part.
func benchIngestCommand(t *terminal) *cobra.Command {
	var (
		o    bench.IngestOptions
		part bench.Part
	)
	cmd := t.jsonFlag(&cobra.Command{Use: "ingest", Short: "files, pages and a table into staged Parquet, against DuckDB's own COPY of the same rows", Args: usage(cobra.NoArgs)})
	flags := cmd.Flags()
	flags.Int64Var(&o.Rows, "rows", 1_000_000, "rows")
	flags.IntVar(&o.Repeat, "repeat", 2, "how often each path runs; its best time counts")
	flags.StringVar(&o.Postgres, "postgres", "", "postgres://USER@/DATABASE?host=… where the bench may make a table; empty: a server of its own, where PostgreSQL is installed")
	flags.StringVar(&o.Dir, "dir", "", "folder for the files, about 2 GB for each million rows; empty: a temporary one")
	flags.StringVar(&part.Name, "part", "", "")
	flags.StringVar(&part.Pages, "pages", "", "")
	for _, hidden := range []string{"part", "pages"} {
		_ = flags.MarkHidden(hidden) // both flags stand above
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if part.Name != "" {
			part.Dir, part.Rows, part.Postgres = o.Dir, o.Rows, o.Postgres
			return benchPart(cmd.Context(), t, part)
		}
		in, err := benchIngest(cmd.Context(), t, o)
		if err != nil {
			return err
		}
		if t.json {
			return t.printJSON(in)
		}
		t.printf("%d rows: CSV %.2f (processor time %.2f), GB18030 %.2f (%.2f), JSON %.2f (%.2f) times the yardstick's; size %.2f; peak %d MB\n",
			in.Rows, in.CSV, in.CSVCPU, in.GB18030, in.GB18030CPU, in.JSON, in.JSONCPU, in.Size, in.PeakMB)
		if in.Postgres != nil {
			t.printf("PostgreSQL: %.0f rows a second of processor time into pages, %.0f staged\n", *in.Postgres, *in.PostgresFull)
		}
		return nil
	}
	return cmd
}

func benchIngest(ctx context.Context, t *terminal, o bench.IngestOptions) (in bench.Ingest, err error) {
	self, err := os.Executable()
	if err != nil {
		return in, fault.Newf(fault.Internal, "bench ingest", "%w", err)
	}
	parent := o.Dir
	if o.Dir, err = os.MkdirTemp(parent, "xinshu-bench-"); err != nil {
		return in, &fault.Error{Op: "bench ingest", Code: fault.Invalid, Err: err, Hint: "give a folder that can be written with --dir"}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	o.Tell = func(what string) { t.say("%s", what) }
	o.Child = func(ctx context.Context, p bench.Part) *exec.Cmd {
		return exec.CommandContext(ctx, self, "bench", "ingest", "--part", p.Name, "--dir", p.Dir, "--rows", strconv.FormatInt(p.Rows, 10), "--postgres", p.Postgres, "--pages", p.Pages) //nolint:gosec // it starts itself
	}
	if o.Postgres == "" {
		dsn, drop, err := ownPostgres()
		if err != nil {
			t.say("without PostgreSQL: %v", err)
		}
		defer drop()
		o.Postgres = dsn
	}
	return bench.RunIngest(ctx, o)
}

// ownPostgres starts a server that is gone with this process, where one is installed.
func ownPostgres() (dsn string, drop func(), err error) {
	cluster, err := pglocal.Start()
	if err != nil {
		return "", func() {}, err
	}
	name, dsn, err := cluster.Create()
	if err != nil {
		return "", func() {}, err
	}
	return dsn, func() { _ = cluster.Drop(name) }, nil // the whole cluster goes with the process
}

// benchPart runs one path and prints its figures for the process that asked.
func benchPart(ctx context.Context, t *terminal, p bench.Part) error {
	cat, _ := loadCatalog(Config{})
	drivers := map[string]connectors.Driver{}
	for _, d := range all.Drivers(time.Now) {
		drivers[d.Kind] = d
	}
	f, err := bench.RunPart(ctx, bench.PartOptions{Part: p, Drivers: drivers, Catalog: cat, Lake: func(dir string) (stage.Lake, error) {
		store, err := lake.OpenFolder(dir)
		if err != nil {
			return nil, err
		}
		return lake.New(store, lake.Options{Node: "bench", Engine: chain.Engine{DuckDB: duck.Version(), Xinshu: version}, Now: time.Now})
	}})
	if err != nil {
		return err
	}
	return t.printJSON(f)
}
