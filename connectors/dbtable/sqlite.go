package dbtable

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"xinshu/catalog"
	"xinshu/connectors"
)

func init() {
	register("sqlite", opener{needs: []string{"path"},
		settings: []connectors.Setting{{Name: "path", When: "engine=sqlite", Title: catalog.Text{ZH: "数据库文件", EN: "database file"},
			Help: catalog.Text{ZH: "文件必须已存在", EN: "the file must exist"}}},
		open: func(r *connectors.Reader) func(context.Context) (engine, error) {
			path, zone := r.Text("path"), readZone(r)
			return func(context.Context) (engine, error) { return openSQLite(path, zone) }
		}})
}

// sqliteRow is the row's number; a table without one is read by key.
var sqliteRow = column{ref: "rowid", exact: "cast(rowid as text)", bind: "cast(%s as integer)"}

// openSQLite reads values through casts to text: the driver itself would turn a wall time in a column
// declared timestamp into UTC.
func openSQLite(path string, zone *time.Location) (engine, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	// The journal mode stays as the department set it; mode=rw never makes a new file.
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=rw&_busy_timeout=10000&_txlock=deferred"}
	db, err := sql.Open("sqlite3", dsn.String())
	if err != nil {
		return nil, err
	}
	return &sqlEngine{db: db, speak: sqliteDialect,
		hello: "select 'SQLite ' || sqlite_version() || ', ' || (select count(*) from sqlite_master where type in ('table', 'view')) || ' tables and views'",
		list: func(ctx context.Context, c *sql.Conn, schema, table string) ([]column, error) {
			return sqliteColumns(ctx, c, schema, table, zone)
		},
		begin: func(ctx context.Context, c *sql.Conn, write bool) (ender, error) {
			if write {
				return begin(ctx, c, "begin immediate") // keeps other writers out
			}
			return begin(ctx, c, "begin")
		}}, nil
}

var sqliteDialect = dialect{quote: doubled(`"`, `"`), literal: doubled("'", "'"), mark: numbered("$"), alias: " as ", row: &sqliteRow, upsert: upsertOnConflict,
	ddl: ddl{key: "text", short: "text", text: "text", number: "bigint", time: "timestamp", serial: "integer primary key autoincrement"}}

func sqliteColumns(ctx context.Context, c *sql.Conn, schema, table string, zone *time.Location) ([]column, error) {
	if schema == "" {
		schema = "main"
	}
	var attached bool
	err := c.QueryRowContext(ctx, "select count(*) > 0 from pragma_database_list where name = $1", schema).Scan(&attached)
	if err != nil || !attached {
		return nil, err
	}
	rows, err := c.QueryContext(ctx, "select name, lower(type), pk from pragma_table_info($1, $2) order by cid", table, schema)
	if err != nil {
		return nil, err
	}
	return described(rows, func(col column, declared string) column { return sqliteColumn(col, declared, zone) })
}

// sqliteColumn knows that any value may lie in any column: numbers are compared as numbers, and a
// column without a declared type, as views have, does not make a number of a parameter by itself.
func sqliteColumn(col column, declared string, zone *time.Location) column {
	col.ref = sqliteDialect.quote(col.name)
	text := "cast(" + col.ref + " as text)"
	col.text = fmt.Sprintf("case typeof(%s) when 'blob' then lower(hex(%s)) else %s end", col.ref, col.ref, text)
	// A cast stops at 15 digits, which is what people see; 17 bring every real number back.
	col.exact = fmt.Sprintf("case typeof(%s) when 'real' then printf('%%!.17g', %s) else %s end", col.ref, col.ref, text)
	numbers := strings.Contains(declared, "int") || strings.Contains(declared, "real") || strings.Contains(declared, "doub") || strings.Contains(declared, "floa") //nolint:misspell // the letters by which SQLite tells a type
	if !numbers {
		col.kind = words
	}
	if declared == "" {
		col.bind = fmt.Sprintf("case when typeof(%s) in ('integer', 'real') then cast(%%s as numeric) else %%s end", col.ref)
	}
	if strings.Contains(declared, "datetime") || strings.Contains(declared, "timestamp") {
		col.decode = atZone(zone)
	}
	return col
}
