// Package duck owns the way to DuckDB: opening it bounded in memory, threads and temporary space,
// making views over local Parquet files, filling small tables, copying a query to Parquet, and
// reading the header of a SQL model. It refuses the network (no extension is ever fetched) and knows
// no model's meaning. Local paths come in from the steps, rows or a Parquet path go out.
package duck

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"xinshu/internal/fault"
)

// Options bound one DuckDB instance.
type Options struct {
	Threads       int    // 0: as many as the machine has cores
	MemoryMB      int    // 0: 512; above it DuckDB spills to TempDir
	TempDir       string // where it spills; empty: the system's own temporary folder
	PreserveOrder bool   // keep the order of rows where no ORDER BY asks for one; costs memory
	KeepFooters   bool   // remember the footers of Parquet files, for who asks the same files again and again
}

// DB is one in-memory DuckDB with one connection, so that what one statement creates the next one
// sees. Statements follow one another: read the rows of a query to the end, or close them, before
// the next statement. Not for use by several goroutines at once.
type DB struct {
	db   *sql.DB
	conn *sql.Conn
}

// Open starts an instance. The caller closes it.
func Open(o Options) (*DB, error) {
	fail := func(err error) (*DB, error) {
		return nil, &fault.Error{Op: "open duckdb", Code: fault.Internal, Err: err,
			Hint: "check that the temporary folder exists and can be written"}
	}
	if o.TempDir == "" {
		o.TempDir = os.TempDir()
	}
	if o.MemoryMB == 0 {
		o.MemoryMB = 512
	}
	settings := url.Values{
		"memory_limit":                 {strconv.Itoa(o.MemoryMB) + "MiB"},
		"temp_directory":               {o.TempDir},
		"preserve_insertion_order":     {strconv.FormatBool(o.PreserveOrder)},
		"autoinstall_known_extensions": {"false"},
		"autoload_known_extensions":    {"false"},
		"allow_community_extensions":   {"false"},
	}
	if o.Threads > 0 {
		settings.Set("threads", strconv.Itoa(o.Threads))
	}
	connector, err := duckdb.NewConnector("?"+settings.Encode(), nil)
	if err != nil {
		return fail(err)
	}
	d := &DB{db: sql.OpenDB(connector)}
	// The connection outlives the context of any one statement; a context here could only cut the opening short.
	if d.conn, err = d.db.Conn(context.Background()); err != nil {
		return fail(errors.Join(err, d.db.Close()))
	}
	if o.KeepFooters { // a setting of the Parquet reader, which is not there yet when an instance reads its own
		if _, err := d.conn.ExecContext(context.Background(), "set parquet_metadata_cache = true"); err != nil {
			return fail(errors.Join(err, d.Close()))
		}
	}
	return d, nil
}

// Close ends the instance and gives its memory and temporary files back.
func (d *DB) Close() error {
	return errors.Join(d.conn.Close(), d.db.Close())
}

// Exec runs statements that give no rows. Arguments go with a single statement only.
func (d *DB) Exec(ctx context.Context, query string, args ...any) error {
	if err := ctx.Err(); err != nil {
		return failed("run", query, err) // the driver itself looks only while it waits
	}
	_, err := d.conn.ExecContext(ctx, query, args...)
	return failed("run", query, err)
}

// Query runs one select. The caller closes the rows before the next statement.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, failed("query", query, err)
	}
	rows, err := d.conn.QueryContext(ctx, query, args...)
	return rows, failed("query", query, err)
}

// One reads the single row of a query into dest.
func (d *DB) One(ctx context.Context, query string, args []any, dest ...any) error {
	return failed("query", query, d.conn.QueryRowContext(ctx, query, args...).Scan(dest...))
}

// Scripts runs the SQL files that match the pattern, in the order of their names.
func (d *DB) Scripts(ctx context.Context, files fs.FS, pattern string) error {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return fault.Newf(fault.Invalid, "list "+pattern, "%w", err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fault.Newf(fault.Internal, "read "+name, "%w", err)
		}
		if err := d.Exec(ctx, string(text)); err != nil {
			return fmt.Errorf("run %s: %w", name, err)
		}
	}
	return nil
}

// Version is the engine's own version, such as v1.4.3.
func Version() string {
	d, err := Open(Options{Threads: 1})
	if err != nil {
		return "unknown"
	}
	defer func() { _ = d.Close() }() // nothing was written
	var version string
	if err := d.One(context.Background(), "select version()", nil, &version); err != nil {
		return "unknown"
	}
	return version
}

// raw lends the driver's own connection, which the appender needs.
func (d *DB) raw(use func(driver.Conn) error) error {
	return d.conn.Raw(func(c any) error {
		conn, ok := c.(driver.Conn)
		if !ok {
			return fmt.Errorf("the driver's connection is a %T", c)
		}
		return use(conn)
	})
}

// failed names the statement by its first line that says something. A cancelled context stays visible.
func failed(verb, query string, err error) error {
	if err == nil {
		return nil
	}
	var engine *duckdb.Error
	hint := ""
	if errors.As(err, &engine) && engine.Type == duckdb.ErrorTypeOutOfMemory {
		hint = "give DuckDB more memory, or more room in the temporary folder"
	}
	return &fault.Error{Op: verb + " " + strconv.Quote(head(query)), Code: fault.Internal, Hint: hint, Err: err}
}

func head(query string) string {
	for line := range strings.Lines(query) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "--") {
			continue
		}
		if runes := []rune(line); len(runes) > 80 {
			return string(runes[:80]) + "…"
		}
		return line
	}
	return ""
}
