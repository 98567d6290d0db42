package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/pipelines/stage"
)

// PartOptions are what the command wires for one path.
type PartOptions struct {
	Part
	Drivers map[string]connectors.Driver
	Catalog *catalog.Catalog
	Lake    func(dir string) (stage.Lake, error)
}

// RunPart runs one path in this process and says what it took. Its folder is gone afterwards.
func RunPart(ctx context.Context, o PartOptions) (f Figure, err error) {
	if err := os.MkdirAll(o.folder(), 0o750); err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.folder())) }()
	var work, after func() error
	csv := duck.Text(filepath.Join(o.Dir, utf8File))
	pages := duck.Text(filepath.Join(o.Dir, pagesHere, "*.json"))
	staged := func(kind string, source, job connectors.Values) {
		var head chain.Entry
		work = func() (err error) {
			head, err = o.stage(ctx, kind, source, job)
			return err
		}
		after = func() error { return o.sizes(ctx, head, &f) }
	}
	files := connectors.Values{"place": "folder", "root": o.Dir}
	postgres, job := postgresValues(o.Postgres)
	switch o.Name {
	case "duck-csv":
		work = func() error { return o.copy(ctx, "read_csv("+csv+")", &f) }
	case "duck-json":
		work = func() error { return o.copy(ctx, "read_json("+pages+", format='array')", &f) }
	case "csv":
		staged("files", files, connectors.Values{"pattern": utf8File})
	case "gb18030":
		staged("files", files, connectors.Values{"pattern": gbFile})
	case "json":
		staged("restapi", connectors.Values{"url": o.Pages, "rate": "1000000", "code_path": ""}, connectors.Values{"path": "/rows", "since_param": "", "total_path": ""})
	case "postgres":
		staged("dbtable", postgres, job)
	case "postgres-pull":
		work = func() error { return o.pull(ctx, postgres, job) }
	default:
		return f, fault.Newf(fault.Invalid, "measure a path", "there is no path %q", o.Name)
	}
	began, before := time.Now(), cpuSeconds()
	if err := work(); err != nil {
		return f, err
	}
	f.WallS, f.CPUS, f.PeakMB = time.Since(began).Seconds(), cpuSeconds()-before, peakMB()
	if after != nil {
		err = after()
	}
	return f, err
}

// copy is the yardstick: DuckDB reads the same rows and writes them as Parquet, compressed alike.
func (o *PartOptions) copy(ctx context.Context, from string, f *Figure) error {
	db, err := duck.Open(duck.Options{MemoryMB: 8192, TempDir: o.folder()})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // in memory
	f.Bytes, err = copyTo(ctx, db, "select * from "+from, filepath.Join(o.folder(), "copy.parquet"))
	return err
}

// copyTo is a plain COPY; duck.DB.Copy keeps rows in order, which the yardstick need not.
func copyTo(ctx context.Context, db *duck.DB, query, path string) (bytes int64, err error) {
	if err := db.Exec(ctx, "set preserve_insertion_order = true"); err != nil {
		return 0, err
	}
	if err := db.Exec(ctx, "copy ("+query+") to "+duck.Text(path)+" (format parquet, compression zstd)"); err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// stage is the product's own path: connector, staging, commit.
func (o *PartOptions) stage(ctx context.Context, kind string, source, values connectors.Values) (head chain.Entry, err error) {
	l, err := o.Lake(o.folder())
	if err != nil {
		return head, err
	}
	ds, puller, end, err := o.open(ctx, kind, source)
	if err != nil {
		return head, err
	}
	defer end()
	s := stage.Stager{Lake: l, Words: o.Catalog, Now: time.Now}
	result, err := s.Run(ctx, ds, puller.Pull(ctx, connectors.Job{Dataset: ds, Values: values}, ""), stage.Pull{Run: "bench"})
	if err == nil && result.Ledger.Accepted+result.Ledger.Duplicate != o.Rows {
		err = fault.Newf(fault.Internal, "measure "+o.Name, "of %d rows %+v", o.Rows, result.Ledger)
	}
	return result.Entry, err
}

// pull only reads the pages.
func (o *PartOptions) pull(ctx context.Context, source, values connectors.Values) error {
	ds, puller, end, err := o.open(ctx, "dbtable", source)
	if err != nil {
		return err
	}
	defer end()
	rows := int64(0)
	for page, err := range puller.Pull(ctx, connectors.Job{Dataset: ds, Values: values}, "") {
		if err != nil {
			return err
		}
		if page.Batch != nil {
			rows += page.Batch.NumRows()
			page.Batch.Release()
		}
	}
	if rows != o.Rows {
		return fault.Newf(fault.Internal, "measure "+o.Name, "%d of %d rows came", rows, o.Rows)
	}
	return nil
}

func (o *PartOptions) open(ctx context.Context, kind string, source connectors.Values) (ds catalog.Dataset, p connectors.Puller, end func(), err error) {
	ds, ok := o.Catalog.Dataset(benchDataset)
	if !ok {
		return ds, nil, nil, fault.Newf(fault.NotFound, "measure "+o.Name, "the catalogue has no dataset %s", benchDataset)
	}
	conn, err := o.Drivers[kind].Open(ctx, source)
	if err != nil {
		return ds, nil, nil, err
	}
	p, ok = conn.(connectors.Puller)
	if !ok {
		return ds, nil, nil, fault.Newf(fault.Internal, "measure "+o.Name, "kind %s cannot pull", kind)
	}
	return ds, p, func() { _ = conn.Close() }, nil // only read from
}

// sizes compares the rows table with DuckDB's file of the very same rows and columns.
func (o *PartOptions) sizes(ctx context.Context, head chain.Entry, f *Figure) error {
	l, err := o.Lake(o.folder())
	if err != nil {
		return err
	}
	var paths []string
	for _, file := range head.Table(stage.RowsTable) {
		f.Bytes += file.Size
		path, err := l.Local(ctx, file)
		if err != nil {
			return err
		}
		paths = append(paths, path)
	}
	if o.Name != "csv" {
		return nil
	}
	db, err := duck.Open(duck.Options{MemoryMB: 2048, TempDir: o.folder()})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // in memory
	f.Same, err = copyTo(ctx, db, "select * from "+duck.Parquet(paths), filepath.Join(o.folder(), "same.parquet"))
	return err
}

const benchTable = "xinshu_bench_rows"

// postgresValues reads an address into the settings of kind dbtable.
func postgresValues(dsn string) (source, job connectors.Values) {
	u, err := url.Parse(dsn)
	if err != nil || dsn == "" {
		return nil, nil
	}
	password, _ := u.User.Password()
	source = connectors.Values{"engine": "postgres", "host": u.Hostname(), "port": u.Port(), "database": strings.TrimPrefix(u.Path, "/"),
		"user": u.User.Username(), "password": password, "sslmode": u.Query().Get("sslmode")}
	if host := u.Query().Get("host"); host != "" {
		source["host"] = host
	}
	for name, value := range source {
		if value == "" {
			delete(source, name)
		}
	}
	return source, connectors.Values{"table": benchTable, "mode": "full", "key": "source_record_id"}
}

// fillTable writes the rows into a table of a server, typed as a front-end database has them.
func fillTable(ctx context.Context, dsn string, rows int64) (drop func(), err error) {
	const op = "fill a table in PostgreSQL"
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Unavailable, Err: err}
	}
	drop = func() {
		_, _ = db.ExecContext(context.WithoutCancel(ctx), "drop table if exists "+benchTable)
		_ = db.Close()
	}
	var defined, given []string
	for i, name := range benchColumns {
		kind := map[string]string{"list_date": "date", "remove_date": "date", "op_time": "timestamp"}[name]
		if kind == "" {
			kind = "text"
		}
		defined = append(defined, name+" "+kind)
		given = append(given, fmt.Sprintf("$%d::text[]", i+1))
	}
	defined[0] += " primary key"
	for _, text := range []string{"drop table if exists " + benchTable, "create table " + benchTable + " (" + strings.Join(defined, ", ") + ")"} {
		if _, err := db.ExecContext(ctx, text); err != nil {
			drop()
			return nil, &fault.Error{Op: op, Code: fault.Unavailable, Err: err, Hint: "give a database in which tables may be made"}
		}
	}
	names := strings.Join(benchColumns, ", ")
	insert := "insert into " + benchTable + " select source_record_id, uscc, entity_name, src_dept_code, op, op_time::timestamp, list_reason, list_date::date, list_authority, authority_code, " +
		"nullif(remove_reason, ''), nullif(remove_date, '')::date from unnest(" + strings.Join(given, ", ") + ") as r(" + names + ")"
	m := newMaker()
	for at := int64(0); at < rows; {
		columns := make([][]string, len(benchColumns))
		for ; at < rows && len(columns[0]) < 5000; at++ {
			for i, v := range m.make(at) {
				columns[i] = append(columns[i], v)
			}
		}
		args := make([]any, len(columns))
		for i := range columns {
			args[i] = columns[i]
		}
		if _, err := db.ExecContext(ctx, insert, args...); err != nil {
			drop()
			return nil, &fault.Error{Op: op, Code: fault.Unavailable, Err: err}
		}
	}
	return drop, nil
}
